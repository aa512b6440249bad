package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

func syncCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "fetch all that a manifest lists, as the lock file has it",
		UsageText: "artifetch sync [flags] [NAME…]",
		Description: `artifetch.yml lists sources; artifetch.lock says exactly which jobs and files they
are. What is locked stays as it is, until --update moves it; what is in place
already is not fetched again. All sources arrive, with the lock file, or none.
docs/sync.md says more.

  artifetch sync
  artifetch sync --locked
  artifetch sync --update lib`,
		Flags: slices.Concat(manifestFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "locked", Category: help.Which, Usage: "take what is locked and nothing else (default where CI is set and there is a lock file)", DisableDefaultText: true},
			&cli.BoolFlag{Name: "update", Category: help.Which, Usage: "move the sources NAME, or all, to what their queries mean now", DisableDefaultText: true},
			&cli.BoolFlag{Name: "check", Category: help.Which, Usage: "say which sources could be moved, and fetch nothing; the code is 7 if there are any", DisableDefaultText: true},
			&cli.BoolFlag{Name: "dry-run", Category: help.Which, Usage: "say what would be fetched, and fetch nothing", DisableDefaultText: true},
			&cli.BoolFlag{Name: "offline", Category: help.Transfer, Usage: "ask nobody: everything has to be in place", DisableDefaultText: true},
		}, transferFlags(""), logFlags()),
		Action: action(con, readSync, runSync),
	}
}

// syncOptions are what the flags of sync say.
type syncOptions struct {
	global    globalOptions
	files     manifestOptions
	pin       pin.Options
	lockedSet bool // --locked is given, true or false
	dryRun    bool
	transfer  transferOptions
	log       logOptions
}

func readSync(c *cli.Context) (syncOptions, error) {
	o := syncOptions{
		global: readGlobal(c), files: readManifest(c), lockedSet: c.IsSet("locked"), dryRun: c.Bool("dry-run"), transfer: readTransfer(c), log: readLog(c),
		pin: pin.Options{Locked: c.Bool("locked"), Update: c.Bool("update"), Check: c.Bool("check"), Offline: c.Bool("offline"), Names: c.Args().Slice()},
	}
	o.pin.Connections = o.transfer.connections
	switch {
	case len(o.pin.Names) > 0 && !o.pin.Update:
		return o, usage("sync takes names of sources only with --update", "without, all sources of the manifest are fetched")
	case o.pin.Locked && (o.pin.Update || o.pin.Check):
		return o, usage("--locked takes what is locked; --update and --check look for something else", "leave one of them out")
	case o.pin.Offline && (o.pin.Update || o.pin.Check):
		return o, usage("--offline makes no requests; --update and --check have to", "leave one of them out")
	}
	return o, nil
}

func runSync(ctx context.Context, o syncOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		syncer, err := o.syncer(s)
		if err != nil {
			return err
		}
		progress := s.newProgress(o.log)
		s.show(progress)
		end := s.section(o.log, "sync", "artifetch sync: "+o.files.manifest)
		plans, err := syncer.Plan(ctx)
		if err == nil && !o.pin.Check && !o.dryRun {
			err = syncer.Apply(ctx, plans, s.stageEvents(extract.StageOptions{}))
		}
		progress.End()
		end()
		if err != nil {
			return err
		}
		report := syncReport{s}
		switch {
		case o.pin.Check:
			return report.drift(plans)
		case o.dryRun:
			return report.plan(plans)
		}
		return report.done(syncer.Root, plans)
	})
}

// syncer makes what synchronizes the workspace. In CI, what is locked is taken and
// nothing else, if there is a lock file.
func (o syncOptions) syncer(s *session) (*pin.Syncer, error) {
	w, err := pin.Open(o.files.manifest, o.files.lock, env.Variable)
	if err != nil {
		return nil, err
	}
	for _, name := range o.pin.Names {
		if !w.Has(name) {
			return nil, usage(fmt.Sprintf("no source %q in the manifest", name), "the names are those behind name:")
		}
	}
	if s.cfg.AnyCI && !o.lockedSet && !o.pin.Update && !o.pin.Check {
		o.pin.Locked = w.HasLock
	}
	return &pin.Syncer{
		Workspace: w, Options: o.pin, Loader: s.loader(o.transfer.cache),
		ProjectPath: s.projectPath,
		Events: pin.Events{Missing: func(source string, err error) {
			s.log.Warn().Str("source", source).Err(err).Msg("nothing to fetch")
		}},
	}, nil
}

// syncReport says what sync has done, or would do.
type syncReport struct{ *session }

// drift says which sources could be moved.
func (r syncReport) drift(plans []*pin.Plan) error {
	drifted := 0
	for _, p := range plans {
		if !p.Drifted() {
			continue
		}
		drifted++
		if _, err := fmt.Fprintln(r.con.Out, printable.Text(moved(p))); err != nil {
			return err
		}
	}
	if drifted > 0 {
		return &failure.Error{Code: failure.CodeIntegrity, What: fmt.Sprintf("%d of %d sources are not what their queries mean now", drifted, len(plans)), Next: "artifetch sync --update moves them"}
	}
	r.log.Info().Int("sources", len(plans)).Msg("every source is what its query means")
	return nil
}

// plan says what would be fetched.
func (r syncReport) plan(plans []*pin.Plan) error {
	for _, p := range plans {
		what := "in place"
		switch {
		case p.Downloads() && p.Pinned:
			what = fmt.Sprintf("fetch again: job %d, as it is locked", p.Entry.JobID)
		case p.Downloads():
			what = "fetch: " + moved(p)
		case p.Entry.JobID == 0:
			what = "nothing: there is no such job"
		}
		if _, err := fmt.Fprintln(r.con.Out, printable.Text(p.Source.Name+": "+what)); err != nil {
			return err
		}
	}
	return nil
}

// done says what has come, and prints what has moved.
func (r syncReport) done(root string, plans []*pin.Plan) error {
	if !slices.ContainsFunc(plans, (*pin.Plan).Downloads) {
		r.log.Info().Int("sources", len(plans)).Msg("everything is in place")
	}
	for _, p := range plans {
		if !p.Downloads() {
			continue
		}
		r.report(r.log.Info().Str("source", p.Source.Name), p.Result, filepath.Join(root, filepath.FromSlash(pin.Output(p.Source))))
		if p.Pinned {
			continue
		}
		if _, err := fmt.Fprintln(r.con.Out, printable.Text(moved(p)+changes(p))); err != nil {
			return err
		}
	}
	return nil
}

// moved says from where to where a source goes.
func moved(p *pin.Plan) string {
	to := fmt.Sprintf("pipeline %s, job %s, commit %s", orUnknown(p.Entry.PipelineID), orUnknown(p.Entry.JobID), short(p.Entry.SHA))
	if p.Entry.JobID == 0 {
		to = "no such job"
	}
	switch {
	case p.Was == nil:
		return p.Source.Name + ": " + to
	case p.Changed:
		return p.Source.Name + ": " + to + ", whose archive is another one now"
	case p.Was.JobID == p.Entry.JobID:
		return p.Source.Name + ": " + to + ", as it is locked"
	}
	return fmt.Sprintf("%s: pipeline %s, job %s, commit %s → %s", p.Source.Name, orUnknown(p.Was.PipelineID), orUnknown(p.Was.JobID), short(p.Was.SHA), to)
}

func short(sha string) string { return cmp.Or(sha[:min(len(sha), 10)], "unknown") }

// maxNamed is how many changed files are named.
const maxNamed = 10

// changes says which files are new, gone or changed.
func changes(p *pin.Plan) string {
	if p.Was == nil {
		return fmt.Sprintf(", %d files", len(p.Entry.Files))
	}
	list := p.Changes()
	names := each(list[:min(len(list), maxNamed)], func(f pin.FileChange) string { return string(f.Kind) + f.Path })
	text := fmt.Sprintf(", %d files changed", len(list))
	if len(list) > maxNamed {
		names = append(names, "…")
	}
	return strings.TrimSuffix(text+": "+strings.Join(names, " "), ": ")
}
