package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/doctor"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

func doctorCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "check environment, server, TLS, proxy and token",
		UsageText: "artifetch doctor [flags]",
		Description: `Prints one line per check, with a fix for each failure, and what this token may do on
this server; the last line sums it up. The exit code is that of the first failure.

  artifetch doctor
  artifetch doctor -R group/lib --format json`,
		Flags: []cli.Flag{
			projectFlag(),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "check `DIR`, where files will go", DefaultText: "$CI_PROJECT_DIR or ."},
			&cli.StringFlag{Name: "cache-dir", Usage: "check the cache `DIR`"},
			formatFlag(),
		},
		Action: action(con, readDoctor, runDoctor),
	}
}

// doctorRemedies say how to fix problems, in terms of the command line.
var doctorRemedies = map[doctor.Problem]string{
	doctor.OtherServer:       "--server-url is not the job's server: use -R and a token for it",
	doctor.ClosedDir:         "use --output with a directory that you may write to",
	doctor.LittleRoom:        "make room, or use --output with a directory on another disk",
	doctor.NoLinks:           "archives with such links cannot be extracted there: use --output with a directory on another disk, or --symlinks skip",
	doctor.ClosedCache:       "use --cache-dir with a directory that you may write to, or leave it out",
	doctor.LittleRoomInCache: "make room, or use --cache-dir with a directory on another disk",
	doctor.Unreachable:       "is --server-url right, and can this machine reach it?",
	doctor.NotGitLab:         "the response is not from GitLab's API: --server-url must be GitLab's address, with its path if it has one",
	doctor.NoToken:           "only public projects can be used; set GITLAB_TOKEN or --token-file",
	doctor.NoProject:         "use -R to select one",
	doctor.NoLicence:         "artifetch uses the runner's endpoint, which needs the job's ID: let the token list jobs, use --job-id, or set GITLAB_TOKEN",
}

type doctorOptions struct {
	global  globalOptions
	project string // ID, path or web address; empty means the job's own
	output  string // where files will go; empty means the workspace
	cache   string // empty means none
	asJSON  bool
}

func readDoctor(c *cli.Context) (doctorOptions, error) {
	o := doctorOptions{global: readImpatient(c), project: readProject(c), output: c.String("output"), cache: c.String("cache-dir")}
	if c.Args().Present() {
		return o, usage("doctor takes no argument", "-R selects another project")
	}
	var err error
	o.asJSON, err = wantsJSON(c)
	return o, err
}

func runDoctor(ctx context.Context, o doctorOptions, con *console.Console) error {
	findings, err := examine(ctx, o, con)
	if is[*env.UsageError](err) || is[*failure.Error](err) || is[*webaddress.Error](err) {
		findings, err = []doctor.Finding{doctor.Failure("environment", err)}, nil
	}
	if err != nil {
		return err
	}
	if err := printFindings(con, findings, o.asJSON); err != nil {
		return err
	}
	for _, f := range findings {
		if f.Err != nil {
			return &explainedError{f.Err}
		}
	}
	return nil
}

func examine(ctx context.Context, o doctorOptions, con *console.Console) (findings []doctor.Finding, err error) {
	err = connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		q := resolve.Query{Project: o.project}
		if err := projectIn(s.cfg, &q); err != nil {
			return err
		}
		defer s.spin("checking")()
		findings = doctor.Examine(ctx, doctor.Subject{
			Config: s.cfg, API: s.api, Resolver: s.resolver, Project: q.Project,
			Dir: o.dir(s.cfg), CacheDir: o.cache, Size: console.Size,
		})
		if cause := context.Cause(ctx); is[Signal](cause) {
			return cause
		}
		return nil // whatever --deadline interrupted has failed
	})
	return findings, err
}

// dir returns where files will go, as far as that doesn't depend on the job.
func (o doctorOptions) dir(cfg env.Config) string {
	before, _, templated := strings.Cut(o.output, "{")
	if templated {
		before = filepath.Dir(before + "x")
	}
	return cmp.Or(before, cfg.Dir, ".")
}

// finding is one check in JSON.
type finding struct {
	Check  string `json:"check"  doc:"environment, workspace, links, cache, proxy, server, tls, clock, token, scopes, jobs, pipelines, licence, artifacts, storage, version"`
	State  string `json:"state"  doc:"ok, limited, failed or skipped"`
	Text   string `json:"text"`
	Remedy string `json:"remedy" doc:"what to do; empty if all is well"`
}

func newFinding(f doctor.Finding) finding {
	text, remedy := f.Text, cmp.Or(f.Remedy, doctorRemedies[f.Problem])
	if f.Err != nil {
		text = failure.Text(f.Err)
		remedy = cmp.Or(failure.Hint(f.Err), remedy)
		if id := failure.RequestID(f.Err); id != "" {
			remedy += " (request id: " + id + ")"
		}
	}
	return finding{f.Check, string(f.State), failure.FirstLine(text), failure.FirstLine(remedy)}
}

func printFindings(con *console.Console, findings []doctor.Finding, asJSON bool) error {
	marks := map[doctor.State]string{doctor.OK: "✓", doctor.Limited: "!", doctor.Failed: "✗", doctor.Skipped: "-"}
	var rows []finding
	var lines [][2]string
	for _, f := range findings {
		row := newFinding(f)
		rows = append(rows, row)
		text := row.Text
		if row.Remedy != "" {
			text += " → " + row.Remedy
		}
		lines = append(lines, [2]string{marks[f.State] + " " + f.Check + " ", text})
	}
	if asJSON {
		return con.EncodeTold(rows)
	}
	if err := con.TellLabelled(lines, 0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(con.Told(), "\n"+console.Indented(doctor.Sum(findings), con.OutColumns(), ""))
	return err
}
