package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/meant"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

func jobCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "job",
		Usage:     "show, cancel, retry, erase, play or keep a job, or print its log",
		UsageText: "artifetch job show|log|cancel|retry|erase|play|keep [ID] [flags]",
		Description: `ID is the number in a job's address, or the address. Without an ID, --job names the
job: in --pipeline, --sha or --mr, or in the newest pipeline of --ref, with any
status. The default of show is the running job. For anything else, use a personal,
project or group access token: GitLab doesn't accept job tokens here. In JSON, a job
has all fields of GitLab's answer. Cancel and erase ask first; without a terminal, they
need --yes.

  artifetch job show 1001 --format json
  artifetch job log --ref main --job 'test 1/3' --follow --wait 10m
  artifetch job retry --pipeline latest --ref main --job lint
  artifetch job play 1401 --variable TARGET=staging
  artifetch job retry 1001 --input target=staging`,
		HideHelpCommand: true,
		Subcommands: []*cli.Command{
			jobShowCommand(con),
			jobLogCommand(con),
			jobAction{"cancel", "cancel a job that has not finished", []cli.Flag{forceFlag(), yesFlag()}, "Cancel %s of project %s?", cancelJob}.command(con),
			jobAction{"retry", "retry a finished job and show the new job", []cli.Flag{inputFlag()}, "", retryJob}.command(con),
			jobAction{"erase", "delete the archive, the reports and the log of a finished job", []cli.Flag{yesFlag()}, "Delete the archive, the reports and the log of %s of project %s?", eraseJob}.command(con),
			jobAction{"play", "start a manual or scheduled job", []cli.Flag{variableFlag(), inputFlag()}, "", playJob}.command(con),
			jobAction{"keep", "keep a job's artifacts from expiring", nil, "", keepJob}.command(con),
		},
		Action: noSubcommand,
	}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: "also cancel a job whose runner does not respond (maintainers only)", DisableDefaultText: true}
}

func variableFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "variable", Usage: "start the job with the variable `KEY=VALUE`; may be repeated"}
}

func inputFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "input", Usage: "start the job with the input `NAME=VALUE`, of any type (GitLab 18.10); may be repeated"}
}

// jobOptions select the job for a command, and its options.
type jobOptions struct {
	global    globalOptions
	query     queryOptions // selects the job if id is empty
	id        string       // number or web address
	asJSON    bool
	force     bool              // of cancel
	yes       bool              // of cancel and erase
	variables []gitlab.Variable // of play
	inputs    map[string]string // of play and retry
}

func readJob(c *cli.Context) (jobOptions, error) {
	o := jobOptions{
		global: readGlobal(c), query: readQuery(c), id: c.Args().First(), force: c.Bool("force"), yes: readYes(c),
	}
	if o.id != "" { // it overrides variables such as ARTIFETCH_JOB, which are for fetch
		o.query.given = slices.DeleteFunc(o.query.given, func(flag string) bool { return fromEnv(c, flag) })
	}
	if err := o.checkTarget(typedLine(c), c.Args().Slice()); err != nil {
		return o, err
	}
	if o.id == "" && !slices.Contains([]string{"show", "log"}, c.Command.Name) {
		if err := o.query.oneRef(c.Command.HelpName); err != nil {
			return o, err
		}
	}
	var err error
	if o.variables, err = readVariables(c.StringSlice("variable")); err != nil {
		return o, err
	}
	if o.inputs, err = readInputs(c.StringSlice("input")); err != nil {
		return o, err
	}
	o.asJSON, err = wantsJSON(c)
	return o, err
}

// checkTarget refuses arguments that don't select a job, or select it twice.
func (o jobOptions) checkTarget(line meant.Line, args []string) error {
	_, notID := webaddress.ID(o.id)
	isID := o.id == "" || notID == nil || webaddress.Is(o.id)
	switch {
	case o.id == "" && !o.query.byName() && !strings.HasSuffix(line.Command, " show"):
		return errNoJob
	case !isID && o.query.byName() && len(o.query.asked.Jobs) == 0:
		return usage(fmt.Sprintf("%q isn't the number of a job", o.id), "did you mean: "+line.With(o.query.named(o.id)))
	case o.id != "" && o.query.byName():
		return usage(fmt.Sprintf("%q and --%s each say which job", o.id, o.query.given[0]), "give an ID, or flags such as --ref and --job")
	case !isID:
		return notJob(line, args)
	case len(args) > 1:
		return usage("job takes one ID", "run it once for each job")
	}
	return nil
}

// notJob explains arguments that don't start with a job's number.
func notJob(line meant.Line, args []string) error {
	what := fmt.Sprintf("%q isn't the number of a job", args[0])
	_, err := webaddress.ID(strings.TrimSpace(args[0]))
	switch {
	case err == nil && len(args) == 1:
		return usage(what, "did you mean: "+line.With(nil, strings.TrimSpace(args[0])))
	case err == nil || slices.ContainsFunc(args, func(arg string) bool { return arg == "" || arg[0] == '-' || strings.TrimSpace(arg) != arg }):
		return usage(what, "it is the number in the job's address")
	case len(args) == 2:
		return usage("job takes one ID", "did you mean: "+line.With([]string{"--ref", args[0], "--job", args[1]}))
	case len(args) > 1:
		return usage("job takes one ID", "run it once for each job")
	}
	return usage(what, "to name a job: "+line.With([]string{"--ref", "REF", "--job", args[0]}))
}

// readVariables reads --variable.
func readVariables(values []string) ([]gitlab.Variable, error) {
	var variables []gitlab.Variable
	for _, given := range values {
		key, value, ok := strings.Cut(given, "=")
		if !ok || key == "" {
			return nil, usage("--variable "+given+" is not KEY=VALUE", "an empty value is KEY=")
		}
		variables = append(variables, gitlab.Variable{Key: key, Value: value})
	}
	return variables, nil
}

// readInputs reads --input.
func readInputs(values []string) (map[string]string, error) {
	var inputs map[string]string
	for _, given := range values {
		name, value, ok := strings.Cut(given, "=")
		if _, twice := inputs[name]; !ok || name == "" || twice {
			return nil, usage("--input "+given+" is not NAME=VALUE, or is given twice", "an empty value is NAME=")
		}
		if inputs == nil {
			inputs = map[string]string{}
		}
		inputs[name] = value
	}
	return inputs, nil
}

// jobAction is a command that changes a job, and shows the job in the server's answer.
type jobAction struct {
	name, usage string
	flags       []cli.Flag // its own flags
	question    string     // to confirm first, about a job and a project; empty if it can be undone
	do          func(ctx context.Context, s *session, o jobOptions, a resolve.Artifact) (gitlab.Job, error)
}

func (a jobAction) command(con *console.Console) *cli.Command {
	flags := append(append(jobFlags(), formatFlag()), a.flags...)
	return &cli.Command{
		Name: a.name, Usage: a.usage, UsageText: "artifetch job " + a.name + " [ID] [flags]", Flags: flags,
		Action: action(con, readJob, a.run),
	}
}

func (a jobAction) run(ctx context.Context, o jobOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		s.api.KeepRaw = o.asJSON
		if err := s.jobs().NeedsUser("job "+a.name, "api"); err != nil {
			return err // before an unnecessary question or search
		}
		sure := o.yes || a.question == ""
		if err := s.canAsk(sure, "job "+a.name); err != nil {
			return err
		}
		q, err := o.query.jobQuery(s.cfg, o.id)
		if err != nil {
			return err
		}
		target, err := s.oneJob(ctx, q)
		if err != nil {
			return err
		}
		if err := s.confirm(ctx, sure, fmt.Sprintf(a.question, target.Label(), target.Project)); err != nil {
			return err
		}
		job, err := a.do(ctx, s, o, target)
		if err != nil {
			return err
		}
		return showJob(con, job, o.asJSON)
	})
}

func cancelJob(ctx context.Context, s *session, o jobOptions, a resolve.Artifact) (gitlab.Job, error) {
	return s.jobs().Cancel(ctx, a.Project, a.JobID, o.force)
}

func retryJob(ctx context.Context, s *session, o jobOptions, a resolve.Artifact) (gitlab.Job, error) {
	return s.jobs().Retry(ctx, a.Project, a.JobID, o.inputs)
}

func eraseJob(ctx context.Context, s *session, _ jobOptions, a resolve.Artifact) (gitlab.Job, error) {
	return s.jobs().Erase(ctx, a.Project, a.JobID)
}

func playJob(ctx context.Context, s *session, o jobOptions, a resolve.Artifact) (gitlab.Job, error) {
	return s.jobs().Play(ctx, a.Project, a.JobID, o.variables, o.inputs)
}

func keepJob(ctx context.Context, s *session, _ jobOptions, a resolve.Artifact) (gitlab.Job, error) {
	return s.jobs().Keep(ctx, a)
}

func jobShowCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a job", UsageText: "artifetch job show [ID] [flags]",
		Description: "Without an ID or a name, it shows the running job.",
		Flags:       append(jobFlags(), formatFlag()),
		Action:      action(con, readJob, runJobShow),
	}
}

func runJobShow(ctx context.Context, o jobOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		s.api.KeepRaw = o.asJSON
		job, err := shownJob(ctx, s, o)
		if err != nil {
			return err
		}
		return showJob(con, job, o.asJSON)
	})
}

// shownJob requests the selected job. A job's token can request its own job without an
// ID.
func shownJob(ctx context.Context, s *session, o jobOptions) (gitlab.Job, error) {
	client := s.jobs()
	if client.JobToken && o.id == "" && !o.query.byName() {
		return client.Own(ctx)
	}
	q, err := o.query.jobQuery(s.cfg, o.id)
	if err != nil {
		return gitlab.Job{}, err
	}
	a, err := s.oneJob(ctx, q)
	switch {
	case err != nil:
		return gitlab.Job{}, err
	case a.Job != nil:
		return *a.Job, nil
	}
	return client.Job(ctx, a.Project, a.JobID)
}

// showJob prints a job.
func showJob(con *console.Console, j gitlab.Job, asJSON bool) error {
	if asJSON {
		whole, err := jobs.Whole(j)
		if err != nil {
			return err
		}
		return con.Encode(whole)
	}
	row := jobs.NewRow(j)
	user := ""
	if row.User != nil {
		user = row.User.Username
	}
	status := row.Status
	if row.FailureReason != nil {
		status += " (" + *row.FailureReason + ")"
	}
	var files []string
	for _, f := range row.Artifacts {
		file := f.FileType
		if f.Size > 0 { // GitLab may not know it
			file += fmt.Sprintf(" (%s)", console.Size(f.Size))
		}
		files = append(files, file)
	}
	return console.Pairs(con.Masked(), [][2]string{
		{"job_id", orUnknown(row.ID)}, {"job", row.Name}, {"stage", row.Stage}, {"status", status}, {"ref", row.Ref},
		{"sha", j.Pipeline.SHA}, {"pipeline", orUnknown(j.Pipeline.ID)}, {"user", user}, {"tags", strings.Join(row.Tags, ", ")},
		{"created_at", console.Time(row.CreatedAt)}, {"started_at", console.Time(row.StartedAt)}, {"finished_at", console.Time(row.FinishedAt)}, {"erased_at", console.Time(row.ErasedAt)},
		{"duration", console.Seconds(row.Duration)}, {"queued", console.Seconds(row.QueuedDuration)}, {"coverage", console.Percent(row.Coverage)},
		{"artifacts", strings.Join(files, ", ")}, {"expires_at", console.Time(row.ArtifactsExpireAt)}, {"web", orNone(row.WebURL)},
	})
}

func orNone[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}
