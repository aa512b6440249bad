package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/meant"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/pin"
)

func syncCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "fetch everything in the manifest, at the locked versions",
		UsageText: "artifetch sync [init|add|remove] [flags] [NAME…]",
		Description: `artifetch.yml lists sources; artifetch.lock records exactly which jobs and files they
are. Locked sources don't change until you run --update, and files that are in place
aren't fetched again. sync writes all sources and the lock file, or nothing. See
docs/sync.md.

  artifetch sync init
  artifetch sync
  artifetch sync --locked
  artifetch sync --update lib`,
		Flags: slices.Concat(manifestFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "locked", Category: help.Which, Usage: "fetch exactly what is locked (default if CI is set and there is a lock file)", DisableDefaultText: true},
			&cli.BoolFlag{Name: "update", Category: help.Which, Usage: "resolve all sources again, or those named, and lock the result", DisableDefaultText: true},
			&cli.BoolFlag{Name: "prune", Category: help.Which, Usage: "also list and remove files that no source has, in outputs of a single source", DisableDefaultText: true},
			&cli.BoolFlag{Name: "check", Category: help.Which, Usage: "list the sources that could be updated, without fetching; exit code 7 if there are any", DisableDefaultText: true},
			&cli.BoolFlag{Name: "dry-run", Category: help.Which, Usage: "list what would be fetched, without fetching; with --update, what would change", DisableDefaultText: true},
			&cli.BoolFlag{Name: "offline", Category: help.Transfer, Usage: "make no requests: take what is missing from --cache-dir, or fail", DisableDefaultText: true},
			formatFlag(),
		}, transferFlags(""), logFlags()),
		Subcommands: []*cli.Command{syncInitCommand(con), syncAddCommand(con), syncRemoveCommand(con)},
		Action:      action(con, readSync, runSync),
	}
}

// syncOptions are the options of sync.
type syncOptions struct {
	global    globalOptions
	files     manifestOptions
	pin       pin.Options
	lockedSet bool // --locked is given, true or false
	prune     bool
	asJSON    bool
	transfer  transferOptions
	log       logOptions
}

func readSync(c *cli.Context) (o syncOptions, err error) {
	o = syncOptions{
		global: readGlobal(c), files: readManifest(c), lockedSet: c.IsSet("locked"), prune: c.Bool("prune"), transfer: readTransfer(c), log: readLog(c),
		pin: pin.Options{Locked: c.Bool("locked"), Update: c.Bool("update"), Check: c.Bool("check"), Offline: c.Bool("offline"), DryRun: c.Bool("dry-run"), Names: c.Args().Slice()},
	}
	o.pin.Connections = o.transfer.connections
	if o.asJSON, err = wantsJSON(c); err != nil {
		return o, err
	}
	switch {
	case len(o.pin.Names) > 0 && !o.pin.Update:
		if near := cmp.Or(meant.Subcommands["sync "+o.pin.Names[0]], nearest(o.pin.Names[0], []string{"init", "add", "remove"})); near != "" {
			return o, usage(fmt.Sprintf("no command %q of sync", o.pin.Names[0]), "did you mean artifetch sync "+near+"?")
		}
		return o, usage("sync takes names of sources only with --update", "without, all sources of the manifest are fetched; artifetch sync add NAME adds one")
	case o.pin.Locked && (o.pin.Update || o.pin.Check):
		return o, usage("--locked takes what is locked; --update and --check look for something else", "leave one of them out")
	case o.pin.Offline && (o.pin.Update || o.pin.Check):
		return o, usage("--offline makes no requests; --update and --check need them", "leave one of them out")
	}
	return o, nil
}

func runSync(ctx context.Context, o syncOptions, con *console.Console) error {
	return connected(ctx, o.global, con, func(ctx context.Context, s *session) error {
		return o.inTurn(ctx, s, func(w pin.Workspace) error {
			for _, name := range o.pin.Names {
				if !w.Has(name) {
					return usage(fmt.Sprintf("no source %q in the manifest", name), "its sources are "+strings.Join(w.Names(), ", "))
				}
			}
			return o.synchronize(ctx, s, o.syncer(s, w))
		})
	})
}

// synchronize runs a syncer and reports the result.
func (o syncOptions) synchronize(ctx context.Context, s *session, syncer *pin.Syncer) error {
	progress := s.newProgress(o.log)
	s.show(progress)
	end := s.section(o.log, "sync", "artifetch sync: "+o.files.manifest)
	plans, err := o.run(ctx, s, syncer)
	progress.End()
	end()
	if err != nil {
		return failure.Unchanged(err)
	}
	report := syncReport{s, o.asJSON}
	if o.asJSON {
		if err := report.json(syncer, plans); err != nil {
			return err
		}
	}
	switch {
	case o.pin.Check:
		return report.drift(plans)
	case o.pin.DryRun && !o.pin.Update:
		return report.plan(syncer, plans)
	}
	return report.done(syncer, plans)
}

// run plans, and carries out the plan unless --dry-run is given.
func (o syncOptions) run(ctx context.Context, s *session, syncer *pin.Syncer) ([]*pin.Plan, error) {
	plans, err := syncer.Plan(ctx)
	if err != nil || o.pin.Check {
		return plans, err
	}
	if o.prune {
		if syncer.Extras, err = syncer.Removable(); err != nil {
			return plans, err
		}
		if err := (syncReport{s, o.asJSON}).extras(syncer.Extras); err != nil {
			return plans, err
		}
	}
	if o.pin.DryRun && !o.pin.Update {
		return plans, nil
	}
	return plans, syncer.Apply(ctx, plans, s.stageEvents(extract.StageOptions{}))
}

// inTurn reads the manifest and the lock file and passes them on, while no other run changes
// them or the files.
func (o syncOptions) inTurn(ctx context.Context, s *session, do func(pin.Workspace) error) error {
	done, err := o.turn(ctx, s)
	if err != nil {
		return err
	}
	defer done()
	w, err := o.open(ctx)
	if err != nil {
		return failure.Unchanged(err)
	}
	return do(w)
}

// turn waits until no other run changes the manifest or what is locked, unless this one
// only looks.
func (o syncOptions) turn(ctx context.Context, s *session) (done func(), err error) {
	if o.pin.Check || o.pin.DryRun {
		return func() {}, nil
	}
	return s.turn(ctx, o.files.manifest)
}

// turn waits until no other run changes a manifest or what is locked.
func (s *session) turn(ctx context.Context, manifest string) (done func(), err error) {
	done, err = pin.Turn(ctx, manifest, func() {
		s.log.Info().Str("path", manifest).Msg("waiting for another artifetch sync in this directory")
	})
	return done, failure.Unchanged(err)
}

// open reads the manifest and the lock file.
func (o syncOptions) open(ctx context.Context) (pin.Workspace, error) {
	return pin.Open(ctx, o.files.manifest, o.files.lock, env.Variable)
}

// syncer returns the workspace's syncer. In CI, it only uses locked archives, if there is
// a lock file.
func (o syncOptions) syncer(s *session, w pin.Workspace) *pin.Syncer {
	if s.cfg.AnyCI && !o.lockedSet && !o.pin.Update && !o.pin.Check {
		o.pin.Locked = w.HasLock
	}
	return &pin.Syncer{
		Workspace: w, Options: o.pin, Loader: s.loader(o.transfer.cache),
		ProjectPath: s.projectPath,
		Events: pin.Events{Missing: func(source string, err error) {
			s.log.Warn().Str("source", source).Err(err).Msg("nothing to fetch")
		}, Kept: func(source, path string) {
			s.log.Warn().Str("source", source).Str("path", path).Msg("kept: the source has this file no longer, but it has changed since it was locked")
		}},
	}
}

func syncRemoveCommand(con *console.Console) *cli.Command {
	return &cli.Command{
		Name: "remove", Usage: "remove sources from the manifest, with their lock and files", UsageText: "artifetch sync remove NAME… [flags]",
		Description: `Files that have changed since they were locked stay, and a warning names them. The
manifest keeps its comments and order, and all other sources stay as they are locked.
Makes no requests.

  artifetch sync remove lib`,
		Flags:  manifestFlags(),
		Action: action(con, readSyncRemove, runSyncRemove),
	}
}

func readSyncRemove(c *cli.Context) (syncOptions, error) {
	o := syncOptions{global: readGlobal(c), files: readManifest(c), lockedSet: true, pin: pin.Options{Only: c.Args().Slice()}}
	if len(o.pin.Only) == 0 {
		return o, usage("sync remove needs the name of a source", "artifetch.yml has the names")
	}
	return o, nil
}

func runSyncRemove(ctx context.Context, o syncOptions, con *console.Console) error {
	ctx, cancel := withDeadline(ctx, o.global)
	defer cancel()
	s, err := localSession(ctx, o.global, con)
	if err != nil {
		return err
	}
	return o.inTurn(ctx, s, func(w pin.Workspace) error {
		w, err := w.Remove(o.pin.Only)
		if err != nil {
			return err
		}
		syncer := o.syncer(s, w)
		plans, err := o.run(ctx, s, syncer)
		if err != nil {
			return failure.Unchanged(err)
		}
		s.log.Info().Strs("names", o.pin.Only).Str("path", o.files.manifest).Msg("removed")
		return (syncReport{s, false}).done(syncer, plans)
	})
}
