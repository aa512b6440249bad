package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/meant"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

func jobsCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "jobs",
		Usage:     "list the jobs of a project, a ref or a pipeline",
		UsageText: "artifetch jobs [flags]",
		Description: `Lists the newest jobs first: a table on a terminal, elsewhere one line per job with
id, status, stage, name, ref, pipeline, seconds, end and archive size, separated by
tabs. The list of a project includes retried jobs; that of a pipeline or ref does
with --include-retried. Child pipelines have lists of their own. In JSON, a job has
all fields of GitLab's answer.

  artifetch jobs --pipeline current --scope failed
  artifetch jobs --ref main --name 'test *' --with-artifacts --format json
  artifetch jobs -R group/lib --limit 0 --format jsonl`,
		Flags: []cli.Flag{
			projectFlag(),
			&cli.StringFlag{Name: "ref", Aliases: []string{"r"}, Category: help.Which, Usage: "list jobs of branch or tag `REF`"},
			&cli.StringFlag{Name: "pipeline", Category: help.Which, Usage: "list jobs of one pipeline: `ID`, web address, current, upstream, root, or latest (of --ref)"},
			&cli.StringSliceFlag{Name: "source", Category: help.Which, Usage: "list jobs of pipelines from `SOURCE`, such as push, or !push; may be repeated"},
			&cli.StringSliceFlag{Name: "scope", Category: help.Which, Usage: "list jobs with `STATUS` success, failed, running, …; may be repeated"},
			&cli.StringFlag{Name: "name", Category: help.Which, Usage: "list jobs with this `NAME`, or glob (*, ?, {a,b})"},
			&cli.BoolFlag{Name: "with-artifacts", Category: help.Which, Usage: "list jobs whose archive has not expired", DisableDefaultText: true},
			&cli.BoolFlag{Name: "include-retried", Category: help.Which, Usage: "with --pipeline or --ref: also list retried jobs", DisableDefaultText: true},
			&cli.IntFlag{Name: "limit", Category: help.Output, Usage: "list at most `N` jobs; 0 means all", Value: defaultLimit},
			&cli.StringFlag{Name: "format", Category: help.Output, Usage: "`FORMAT` of the result: text, json, or jsonl for one object per line", DefaultText: "text"},
		},
		Action: action(con, readJobs, runJobs),
	}
}

// defaultLimit is one page.
const defaultLimit = 100

// jobsOptions are the options of jobs.
type jobsOptions struct {
	global   globalOptions
	query    jobs.Query // without project and pipeline
	project  string     // ID, path or web address; empty means the job's own
	pipeline string     // see pipelineIn
	format   string     // text, json or jsonl
}

func readJobs(c *cli.Context) (jobsOptions, error) {
	o := jobsOptions{
		global: readGlobal(c), project: readProject(c), pipeline: c.String("pipeline"), format: cmp.Or(c.String("format"), "text"),
		query: jobs.Query{
			Query: resolve.Query{Ref: c.String("ref"), Sources: c.StringSlice("source")}, Name: c.String("name"), Scope: c.StringSlice("scope"),
			IncludeRetried: c.Bool("include-retried"), WithArtifacts: c.Bool("with-artifacts"), Limit: c.Int("limit"),
		},
	}
	if c.Args().Present() {
		return o, usage("jobs takes no argument", "did you mean: "+o.forWord(typedLine(c), c.Args().First())+"; --name selects by name, job show ID shows one")
	}
	if !slices.Contains([]string{"text", "json", "jsonl"}, o.format) {
		return o, usage("--format must be text, json or jsonl", "leave it out for text")
	}
	for _, status := range o.query.Scope {
		if known := gitlab.Statuses(); !slices.Contains(known, status) {
			return o, usage(fmt.Sprintf("--scope %q is not a job status", status), "use one of "+strings.Join(known, ", "))
		}
	}
	return o, nil
}

// forWord returns the command for a ref, a pipeline's number or a page's address.
func (o jobsOptions) forWord(line meant.Line, word string) string {
	page := webaddress.Guess(word)
	_, err := webaddress.ID(word)
	line.Without = []string{"--pipeline", "--ref", "--source"}
	switch {
	case page.JobID != 0:
		return meant.Shown("artifetch job show", word)
	case page.PipelineID != 0 || err == nil:
		return line.With([]string{"--pipeline", word})
	case page.Ref != "":
		return line.With([]string{"--project", word, "--ref", page.Ref})
	case isAddress(word):
		line.Without = nil
		return line.With([]string{"--project", word})
	}
	return line.With([]string{"--ref", word})
}

func runJobs(ctx context.Context, o jobsOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		q, err := o.list(s.cfg)
		if err != nil {
			return err
		}
		s.api.KeepRaw = o.format != "text"
		print, end := jobPrinter(con, o.format)
		n, stop := 0, s.spin("listing jobs")
		defer stop()
		for job, err := range s.jobs().List(ctx, q) {
			if err != nil {
				return err
			}
			if o.streams(con) {
				stop()
			}
			if err := print(job); err != nil {
				return err
			}
			n++
		}
		stop()
		if err := end(); err != nil {
			return err
		}
		if n == 0 && o.format == "text" {
			s.log.Info().Msg("no such job")
		}
		if n == q.Limit {
			s.log.Info().Int("jobs", n).Msg("--limit ends the list here; there may be more")
		}
		return nil
	})
}

// list returns the query with its project and pipeline. The running pipeline's ref is a
// sensible default for --pipeline latest in the job's own project.
func (o jobsOptions) list(cfg env.Config) (jobs.Query, error) {
	q := o.query
	if err := pipelineOf(cfg, o.project, o.pipeline, &q.Query); err != nil {
		return q, err
	}
	if own := q.Project == cfg.Project || q.Project == cfg.ProjectPath; own && q.Latest && q.Ref == "" {
		q.Ref = cfg.Ref
	}
	return q, failure.List(q.Query, q.ValidateList())
}

// streams reports whether jobs are printed as they arrive.
func (o jobsOptions) streams(con *console.Console) bool {
	return o.format == "jsonl" || o.format == "text" && !con.OutIsTerminal()
}

// jobPrinter prints jobs one by one in a format.
func jobPrinter(con *console.Console, format string) (print func(gitlab.Job) error, end func() error) {
	switch format {
	case "json":
		rows := []json.RawMessage{}
		return whole(func(j json.RawMessage) error { rows = append(rows, j); return nil }), func() error { return con.Encode(rows) }
	case "jsonl":
		return whole(func(j json.RawMessage) error { return con.EncodeLine(j) }), func() error { return nil }
	}
	t := con.Table(true, jobColumns()...)
	return func(j gitlab.Job) error { return t.Add(jobCells(j)...) }, t.Flush
}

// whole passes jobs on as JSON.
func whole(take func(json.RawMessage) error) func(gitlab.Job) error {
	return func(j gitlab.Job) error {
		object, err := jobs.Whole(j)
		if err != nil {
			return err
		}
		return take(object)
	}
}

func jobColumns() []console.Column {
	return []console.Column{
		{Title: "ID"}, {Title: "STATUS"}, {Title: "STAGE", Shrinks: true, Leaves: 1}, {Title: "NAME", Shrinks: true, Last: true}, {Title: "REF", Shrinks: true, Leaves: 6},
		{Title: "PIPELINE", Leaves: 3}, {Title: "TOOK", Leaves: 2}, {Title: "FINISHED", Leaves: 5}, {Title: "ARCHIVE", Leaves: 4},
	}
}

func jobCells(j gitlab.Job) []console.Cell {
	size, shown, took := "", "", ""
	if j.ArtifactsFile != nil && j.ArtifactsFile.Size > 0 { // GitLab may not know it
		size, shown = strconv.FormatInt(j.ArtifactsFile.Size, 10), console.Size(j.ArtifactsFile.Size)
	}
	if j.Duration != nil {
		took = strconv.FormatFloat(*j.Duration, 'f', -1, 64)
	}
	return []console.Cell{
		{Plain: orUnknown(j.ID)}, {Plain: j.Status}, {Plain: j.Stage}, {Plain: j.Name}, {Plain: j.Ref}, {Plain: orUnknown(j.Pipeline.ID)},
		{Plain: took, Shown: console.Seconds(j.Duration)}, {Plain: console.Time(j.FinishedAt), Shown: console.Ago(j.FinishedAt, time.Now())}, {Plain: size, Shown: shown},
	}
}

func jobLogCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "print a job's log", UsageText: "artifetch job log [ID] [flags]",
		Description: `On a terminal, artifetch removes all control sequences from the log except colours;
elsewhere it prints the log unchanged. GitLab shows no log to a job token.`,
		Flags: append(jobFlags(),
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "keep printing what a running job adds until it finishes", DisableDefaultText: true},
			&cli.DurationFlag{Name: "wait", Usage: "with --follow: wait up to `DURATION` for the job to appear and to start", DefaultText: "no time"},
			&cli.BoolFlag{Name: "no-ansi", Usage: "remove colours, section markers and overwritten lines", DisableDefaultText: true},
		),
		Action: action(con, readJobLog, runJobLog),
	}
}

type jobLogOptions struct {
	jobOptions
	follow bool
	plain  bool // without control sequences
}

func readJobLog(c *cli.Context) (jobLogOptions, error) {
	job, err := readJob(c)
	o := jobLogOptions{job, c.Bool("follow"), c.Bool("no-ansi")}
	if err == nil && o.query.wait > 0 && !o.follow {
		err = usage("--wait is for a log that is followed", "add --follow")
	}
	return o, err
}

func runJobLog(ctx context.Context, o jobLogOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		client := s.jobs()
		if err := client.NeedsUser("logs", "read_api"); err != nil {
			return err // before an unnecessary search
		}
		q, err := o.query.jobQuery(s.cfg, o.id)
		if err != nil {
			return err
		}
		var of resolve.Artifact
		err = s.waiter(o.query.wait).Do(ctx, func(ctx context.Context) (err error) {
			if of, err = s.oneJob(ctx, q); err == nil && o.query.wait > 0 {
				err = client.Started(ctx, of)
			}
			return err
		})
		if err != nil {
			return s.stands(ctx, q, err)
		}
		out, flush := logWriter(con, o.plain)
		err = client.Log(ctx, of.Project, of.JobID, o.follow, out)
		return errors.Join(err, flush())
	})
}

// logWriter returns where to write a log: for people, without harmful sequences.
func logWriter(con *console.Console, plain bool) (out io.Writer, flush func() error) {
	if !plain && !con.OutIsTerminal() {
		return con.Out, func() error { return nil }
	}
	filter := console.NewLogFilter(con.Out, !plain)
	return filter, filter.Flush
}
