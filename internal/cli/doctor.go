package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/redact"
	"gitlab.com/artifetch/artifetch/internal/space"
	"gitlab.com/artifetch/artifetch/resolve"
)

func doctorCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "check environment, server, TLS, proxy and token",
		UsageText: "artifetch doctor [flags]",
		Description: `A line for each thing that has to be right, with what to do where it is not, and
what this token may do on this server. The exit code is that of the first failure.

  artifetch doctor
  artifetch doctor -R group/lib --format json`,
		Flags:  []cli.Flag{projectFlag(), formatFlag()},
		Action: func(c *cli.Context) error { return runDoctor(c, con) },
	}
}

// state is how a check ended.
type state string

const (
	healthy state = "ok"
	limited state = "limited" // works, with less than there could be
	failed  state = "failed"
)

// finding is one line of the doctor's, in JSON too.
type finding struct {
	Check  string `json:"check"  doc:"environment, workspace, proxy, server, tls, clock, token, jobs, pipelines, licence, version"`
	State  state  `json:"state"  doc:"ok, limited or failed"`
	Text   string `json:"text"`
	Remedy string `json:"remedy" doc:"what to do; empty if all is well"`
}

// doctor collects findings.
type doctor struct {
	*session
	project  string
	own      bool // it is the job's
	findings []finding
	err      error // of the first failure
}

func (d *doctor) find(check string, is state, text, remedy string) {
	d.findings = append(d.findings, finding{check, is, firstLine(text), firstLine(remedy)})
}

// fail notes an error, with its own words about what to do, if it has some.
func (d *doctor) fail(check string, err error, remedy string) {
	remedy = cmp.Or(ownHint(err), remedy)
	if id := requestID(err); id != "" {
		remedy += " (request id: " + id + ")"
	}
	d.find(check, failed, redact.Error(err).Error(), remedy)
	if d.err == nil {
		d.err = err
	}
}

func runDoctor(c *cli.Context, con *console.Console) error {
	if c.Args().Present() {
		return &usageError{"doctor takes no argument", "-R names another project"}
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	d := &doctor{}
	if err := connected(c.Context, readImpatient(c), con, func(ctx context.Context, s *session) error {
		d.session = s
		return d.examine(ctx, c)
	}); err != nil {
		if !is[*env.UsageError](err) && !is[*usageError](err) {
			return err
		}
		d.session = &session{}
		d.fail("environment", err, "")
	}
	if err := d.print(con, asJSON); err != nil {
		return err
	}
	if d.err != nil {
		return &explainedError{d.err}
	}
	return nil
}

func (d *doctor) examine(ctx context.Context, c *cli.Context) error {
	q := resolve.Query{Project: readProject(c)}
	if err := projectIn(d.cfg, &q); err != nil {
		return err
	}
	d.project = q.Project
	d.own = d.project == "" || d.project == d.cfg.Project || d.project == d.cfg.ProjectPath
	if d.own {
		d.project = d.cfg.Project
	}
	d.environment()
	d.workspace(workDir(c, d.cfg))
	d.server(ctx)
	if cause := context.Cause(ctx); is[Signal](cause) {
		return cause
	}
	return nil // what --deadline cut short has failed
}

func (d *doctor) environment() {
	switch {
	case d.cfg.InCI && d.cfg.Project != "":
		d.find("environment", healthy, fmt.Sprintf("job %d of project %s (%s), pipeline %d, ref %s", d.cfg.JobID, d.cfg.Project, orNothing(d.cfg.ProjectPath), d.cfg.PipelineID, orNothing(d.cfg.Ref)), "")
	case d.cfg.InCI:
		d.find("environment", limited, "a GitLab job, which says nothing about "+d.cfg.APIURL.Host, "--server-url names another server than the job's: give -R and a token for it")
	default:
		d.find("environment", healthy, "no GitLab job: -R, --ref and a token have to be given", "")
	}
}

// workspace is tried by writing to it.
func (d *doctor) workspace(dir string) {
	probe, err := atomicfile.New(dir, 0o600)
	if err != nil {
		d.fail("workspace", err, "give --output with a directory that this user may write to")
		return
	}
	probe.Discard()
	d.find("workspace", healthy, fmt.Sprintf("%s, %s free", dir, console.Size(space.Free(dir))), "")
}

// print shows what was found.
func (d *doctor) print(con *console.Console, asJSON bool) error {
	if asJSON {
		return con.Encode(d.findings)
	}
	marks := map[state]string{healthy: "✓", limited: "!", failed: "✗"}
	var rows [][2]string
	for _, f := range d.findings {
		text := f.Text
		if f.Remedy != "" {
			text += " → " + f.Remedy
		}
		rows = append(rows, [2]string{marks[f.State] + " " + f.Check, text})
	}
	return console.Pairs(con.Masked(), rows)
}

func orNothing(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}
