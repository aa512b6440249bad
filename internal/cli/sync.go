package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
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
			&cli.BoolFlag{Name: "locked", Category: categoryWhich, Usage: "take what is locked and nothing else (default where CI is set and there is a lock file)", DisableDefaultText: true},
			&cli.BoolFlag{Name: "update", Category: categoryWhich, Usage: "move the sources NAME, or all, to what their queries mean now", DisableDefaultText: true},
			&cli.BoolFlag{Name: "check", Category: categoryWhich, Usage: "say which sources could be moved, and fetch nothing; the code is 7 if there are any", DisableDefaultText: true},
			&cli.BoolFlag{Name: "dry-run", Category: categoryWhich, Usage: "say what would be fetched, and fetch nothing", DisableDefaultText: true},
			&cli.BoolFlag{Name: "offline", Category: categoryTransfer, Usage: "ask nobody: everything has to be in place", DisableDefaultText: true},
			&cli.IntFlag{Name: "concurrency", Category: categoryTransfer, Usage: "use up to `N` connections, if that is faster", DefaultText: "16"},
			cacheFlag(), cacheSizeFlag(),
		}, logFlags()),
		Action: func(c *cli.Context) error { return runSync(c, con) },
	}
}

// manifestFlags are those of every command about a manifest.
func manifestFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "manifest", Aliases: []string{"f"}, Category: categoryWhich, Usage: "the manifest `FILE`", Value: "artifetch.yml"},
		&cli.StringFlag{Name: "lock", Category: categoryWhich, Usage: "the lock `FILE` (default: beside the manifest, with the ending .lock)"},
	}
}

// lockError reports what is not as the lock file has it.
type lockError struct{ what, hint string }

// Error implements error.
func (e *lockError) Error() string { return e.what }

// Hint says what to do next.
func (e *lockError) Hint() string { return e.hint }

// syncOptions are what the flags of sync say.
type syncOptions struct {
	pin.Options
	manifest, lock string
	dryRun         bool
	cache          retrieve.Cache
}

func newSyncOptions(c *cli.Context, anyCI bool) (syncOptions, error) {
	o := syncOptions{
		Options: pin.Options{
			Locked: c.Bool("locked"), Update: c.Bool("update"), Check: c.Bool("check"), Offline: c.Bool("offline"), Names: c.Args().Slice(),
			Connections: retrieve.Connections(c.Int("concurrency")),
		},
		manifest: c.String("manifest"), lock: c.String("lock"), dryRun: c.Bool("dry-run"), cache: readCache(c),
	}
	switch {
	case len(o.Names) > 0 && !o.Update:
		return o, &usageError{"sync takes names of sources only with --update", "without, all sources of the manifest are fetched"}
	case o.Locked && (o.Update || o.Check):
		return o, &usageError{"--locked takes what is locked; --update and --check look for something else", "leave one of them out"}
	case o.Offline && (o.Update || o.Check):
		return o, &usageError{"--offline asks nobody; --update and --check have to", "leave one of them out"}
	}
	if !c.IsSet("locked") && anyCI && !o.Update && !o.Check {
		_, err := os.Stat(pin.LockFile(o.manifest, o.lock))
		o.Locked = err == nil
	}
	return o, nil
}

func runSync(c *cli.Context, con *console.Console) error {
	return withSession(c, con, func(ctx context.Context, s *session) error {
		o, err := newSyncOptions(c, s.cfg.AnyCI)
		if err != nil {
			return err
		}
		y, err := newSyncer(s, o)
		if err != nil {
			return err
		}
		p := s.newProgress(readLog(c))
		s.show(p)
		end := s.section(readLog(c), "sync", "artifetch sync: "+o.manifest)
		plans, err := y.Plan(ctx)
		if err == nil && !o.Check && !o.dryRun {
			err = y.Apply(ctx, plans, s.stageOptions())
		}
		p.End()
		end()
		if err != nil {
			return err
		}
		report := syncReport{s, con.Out}
		switch {
		case o.Check:
			return report.drift(plans)
		case o.dryRun:
			return report.plan(plans)
		}
		return report.done(y.Root, plans)
	})
}

func newSyncer(s *session, o syncOptions) (*pin.Syncer, error) {
	w, err := pin.Open(o.manifest, o.lock, env.Variable)
	if err != nil {
		return nil, err
	}
	for _, name := range o.Names {
		if !w.Has(name) {
			return nil, &usageError{fmt.Sprintf("no source %q in the manifest", name), "the names are those behind name:"}
		}
	}
	return &pin.Syncer{
		Workspace: w, Options: o.Options, Loader: s.loader(o.cache),
		ProjectPath: func(address string) string {
			w, err := webaddress.Parse(address, s.cfg.APIURL)
			if err != nil {
				return ""
			}
			return w.Project
		},
		Events: pin.Events{Missing: func(source string, err error) {
			s.log.Warn().Str("source", source).Err(err).Msg("nothing to fetch")
		}},
	}, nil
}
