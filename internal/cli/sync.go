package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/manifest"
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

// syncer is one run of the command.
type syncer struct {
	*session
	out      io.Writer
	root     string // the directory of the manifest
	lockFile string
	manifest manifest.Manifest
	old      manifest.Lock

	locked, update, check, dry, offline bool
	names                               []string // that are updated; all if there are none
	cacheDir                            string
	cacheSize                           int64
	connections                         int
	progress                            *console.Progress
}

func runSync(c *cli.Context, con *console.Console) error {
	return withSession(c, con, func(ctx context.Context, s *session) error {
		y, err := newSyncer(c, s)
		if err != nil {
			return err
		}
		end := s.section(readLog(c), "sync", "artifetch sync: "+c.String("manifest"))
		say, err := y.run(ctx)
		y.progress.End()
		end()
		if err != nil {
			return err
		}
		return say()
	})
}

// run does what is asked for. It returns what says so.
func (y *syncer) run(ctx context.Context) (say func() error, err error) {
	plans, err := y.plan(ctx)
	switch {
	case err != nil:
		return nil, err
	case y.check:
		return func() error { return y.reportDrift(plans) }, nil
	case y.dry:
		return func() error { return y.reportPlan(plans) }, nil
	}
	return y.carryOut(ctx, plans)
}

func newSyncer(c *cli.Context, s *session) (*syncer, error) {
	y := &syncer{
		session: s, out: s.con.Out, locked: c.Bool("locked"), update: c.Bool("update"), check: c.Bool("check"), dry: c.Bool("dry-run"),
		offline: c.Bool("offline"), names: c.Args().Slice(), cacheDir: c.String("cache-dir"), cacheSize: c.Int64("cache-max-size"), connections: connections(c), progress: s.newProgress(readLog(c)),
	}
	if err := y.read(c); err != nil {
		return nil, err
	}
	_, err := os.Stat(y.lockFile)
	if !c.IsSet("locked") && err == nil && s.cfg.AnyCI && !y.update && !y.check {
		y.locked = true
	}
	switch {
	case len(y.names) > 0 && !y.update:
		return nil, &usageError{"sync takes names of sources only with --update", "without, all sources of the manifest are fetched"}
	case y.locked && (y.update || y.check):
		return nil, &usageError{"--locked takes what is locked; --update and --check look for something else", "leave one of them out"}
	case y.offline && (y.update || y.check):
		return nil, &usageError{"--offline asks nobody; --update and --check have to", "leave one of them out"}
	}
	for _, name := range y.names {
		if !slices.ContainsFunc(y.manifest.Sources, func(s manifest.Source) bool { return s.Name == name }) {
			return nil, &usageError{fmt.Sprintf("no source %q in the manifest", name), "the names are those behind name:"}
		}
	}
	return y, nil
}

// read reads the manifest and the lock file.
func (y *syncer) read(c *cli.Context) error {
	file := c.String("manifest")
	text, err := smallfile.Read(file, manifest.MaxSize)
	if err != nil {
		return err
	}
	if y.manifest, err = manifest.Read(file, text, env.Variable); err != nil {
		return err
	}
	y.root, y.lockFile = filepath.Dir(file), lockOf(c)
	if below, err := filepath.Rel(y.root, y.lockFile); err != nil || !filepath.IsLocal(below) {
		return &usageError{"--lock is not below the manifest's directory", "it is put into place together with the files"}
	}
	y.old, err = manifest.ReadLock(y.lockFile)
	return err
}

// lockOf is --lock, or what lies beside the manifest.
func lockOf(c *cli.Context) string {
	if lock := c.String("lock"); lock != "" {
		return lock
	}
	file := c.String("manifest")
	return file[:len(file)-len(filepath.Ext(file))] + ".lock"
}

// carryOut fetches what is planned, and puts all of it into place with the lock
// file. It returns what says so.
func (y *syncer) carryOut(ctx context.Context, plans []*plan) (say func() error, err error) {
	text, err := smallfile.Read(y.lockFile, manifest.MaxLock)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if !slices.ContainsFunc(plans, func(p *plan) bool { return p.artifact != nil }) {
		lock, err := y.lock(plans)
		if err != nil || bytes.Equal(lock, text) || y.locked {
			return func() error { return y.reportDone(plans) }, errors.Join(err, extract.Sweep(y.root, y.stageOptions()))
		}
	}
	stage, err := extract.NewStage(y.root, y.stageOptions())
	if err != nil {
		return nil, err
	}
	defer func() { _ = stage.Discard() }() // after Commit there is nothing to discard
	if err := y.fetchAll(ctx, stage, plans); err != nil {
		return nil, err
	}
	lock, err := y.lock(plans)
	if err != nil {
		return nil, err
	}
	if !y.locked && !bytes.Equal(lock, text) {
		if err := y.stageLock(ctx, stage, lock); err != nil {
			return nil, err
		}
	}
	return func() error { return y.reportDone(plans) }, stage.Commit(ctx)
}

// fetchAll fetches what is not in place, side by side.
func (y *syncer) fetchAll(ctx context.Context, stage *extract.Stage, plans []*plan) error {
	wanted := slices.DeleteFunc(slices.Clone(plans), func(p *plan) bool { return p.artifact == nil })
	share := max(min(sideBySide, len(wanted)), 1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(share)
	for _, p := range wanted {
		group.Go(func() error { return y.fetch(ctx, stage, p, share) })
	}
	return group.Wait()
}

// stageLock adds the lock file to what is committed.
func (y *syncer) stageLock(ctx context.Context, stage *extract.Stage, text []byte) error {
	name, err := filepath.Rel(y.root, y.lockFile)
	if err != nil {
		return err
	}
	file := extract.File{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(text)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}}
	_, err = stage.AddFiles(ctx, []extract.File{file}, extract.Options{Label: "the lock file"})
	return err
}

// lock is the lock file that the plans make, without sources that the manifest has
// no more.
func (y *syncer) lock(plans []*plan) ([]byte, error) {
	l := manifest.Lock{Sources: []manifest.Locked{}}
	for _, p := range plans {
		l.Sources = append(l.Sources, p.entry)
	}
	return l.Bytes()
}
