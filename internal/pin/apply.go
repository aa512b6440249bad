package pin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/manifest"
)

// Apply downloads what is planned, and puts everything into place with the lock file and an
// edited manifest. It removes files that are no longer locked. If it fails, it has changed
// nothing. It sets Pruned, and the Entry and Result of each plan that downloads.
func (s *Syncer) Apply(ctx context.Context, plans []*Plan, o extract.StageOptions) error {
	if s.edited {
		if err := atomicfile.Check(s.File); err != nil {
			return err // before anything is downloaded
		}
	}
	err := s.apply(ctx, plans, o)
	if _, list := errors.AsType[*listFirstError](err); list && ctx.Err() == nil {
		if err = s.list(ctx, plans, err); err == nil {
			err = s.apply(ctx, plans, o)
		}
	}
	return err
}

func (s *Syncer) apply(ctx context.Context, plans []*Plan, o extract.StageOptions) error {
	wanted := slices.DeleteFunc(slices.Clone(plans), func(p *Plan) bool { return !p.Downloads() })
	if len(wanted) == 0 && len(s.Extras) == 0 && !s.edited {
		if relocks, err := s.relocks(plans); err != nil || !relocks {
			return errors.Join(err, extract.Sweep(s.Root, o))
		}
	}
	dir := s.Root
	if s.DryRun {
		var err error
		if dir, err = os.MkdirTemp("", "artifetch-dry-run-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // only contains the stage
	}
	stage, err := extract.NewStage(dir, o)
	if err != nil {
		return err
	}
	defer func() { _ = stage.Discard() }() // after Commit there is nothing to discard
	if err := retrieve.SideBySide(ctx, len(wanted), func(ctx context.Context, i, share int) error { return s.load(ctx, stage, wanted[i], share) }); err != nil {
		return err
	}
	if err := clash(plans); err != nil {
		return err
	}
	s.Pruned = s.pruned(ctx, plans)
	if s.DryRun {
		return nil
	}
	return s.commit(ctx, stage, plans)
}

// commit puts everything into place, the lock file last. An edited manifest comes just before
// it: if the run is killed between them, the next sync does what the manifest says.
func (s *Syncer) commit(ctx context.Context, stage *extract.Stage, plans []*Plan) error {
	if err := s.checkCurrent(ctx); err != nil {
		return err
	}
	relocks, err := s.relocks(plans)
	if err != nil {
		return err
	}
	if relocks || len(s.Pruned) > 0 {
		name, err := s.stageLock(ctx, stage, plans, relocks)
		if err != nil {
			return err
		}
		stage.Prune(s.Pruned, name)
	}
	if s.edited {
		stage.Also(func() (func() error, error) { return s.writeManifest(ctx) })
	}
	err = stage.Commit(ctx)
	s.Pruned = stage.Pruned()
	return err
}

// relocks reports whether the lock file changes. A lock file in an older format with the
// same content stays unchanged.
func (s *Syncer) relocks(plans []*Plan) (bool, error) {
	now, err := lockOf(plans)
	if err != nil || s.Locked {
		return false, err
	}
	was, err := s.Lock.Bytes()
	return !s.HasLock || !bytes.Equal(was, now), err
}

// lockOf returns the lock file for the plans, without sources that are no longer in the
// manifest.
func lockOf(plans []*Plan) ([]byte, error) {
	l := manifest.Lock{Sources: []manifest.Locked{}}
	for _, p := range plans {
		l.Sources = append(l.Sources, p.Entry)
	}
	return l.Bytes()
}

// stageLock adds the lock file to the stage: a new one, or the unchanged one.
func (s *Syncer) stageLock(ctx context.Context, stage *extract.Stage, plans []*Plan, relocks bool) (name string, err error) {
	if name, err = s.lockName(); err != nil {
		return "", err
	}
	var text []byte
	if relocks {
		for _, p := range plans {
			if p.Entry.IsFor(p.Source) {
				p.Entry.Asked = p.Source.Asked() // an old entry has a fingerprint
			}
		}
		text, err = lockOf(plans)
	} else {
		text, err = smallfile.Read(ctx, s.LockFile, manifest.MaxLock)
	}
	if err != nil {
		return "", err
	}
	file := extract.File{Name: name, Mode: 0o644, Size: int64(len(text)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}}
	_, err = stage.AddFiles(ctx, []extract.File{file}, extract.Options{Label: "the lock file"})
	return name, err
}

// load adds one source to the stage, and records its files.
func (s *Syncer) load(ctx context.Context, stage *extract.Stage, p *Plan, share int) error {
	files := &recorder{files: []manifest.LockFile{}}
	load := s.Loader.Load
	switch {
	case s.Offline:
		load = s.Loader.LoadCached
	case p.byRef:
		load = func(ctx context.Context, stage *extract.Stage, t retrieve.Task) (retrieve.Result, error) {
			return s.loadByRef(ctx, stage, p, t)
		}
	}
	r, err := load(ctx, stage, s.task(p, share, files))
	if s.Offline && errors.Is(err, fs.ErrNotExist) { // it was damaged
		return &LockError{Reason: NotInPlace, Source: p.Source.Name}
	}
	if err != nil {
		return fmt.Errorf("source %q: %w", p.Source.Name, s.explain(ctx, p, err))
	}
	if p.Pinned {
		if err := s.unlike(ctx, stage, p, r, files.files); err != nil {
			return err
		}
	}
	if p.Was != nil && p.Was.JobID == p.Entry.JobID {
		p.compare(r.Artifact.SHA256, files.files)
	}
	p.Entry.Files, p.Result = files.files, r
	p.Entry.Size = r.Artifact.Size
	if r.Artifact.SHA256 != "" {
		p.Entry.SHA256 = r.Artifact.SHA256
	}
	return nil
}

// task says what to load from a source's archive. A pinned one needs no digest: its files
// have theirs.
func (s *Syncer) task(p *Plan, share int, files *recorder) retrieve.Task {
	q := p.Source.Query
	return retrieve.Task{
		Name: p.Source.Name, Query: p.Source.JobQuery(), Artifact: *p.artifact, Checks: retrieve.Checks{SHA256: strings.ToLower(q.SHA256), Digest: !p.Pinned},
		Extract: extract.Options{
			Selection: extract.Selection{
				Include:         q.Paths,
				Exclude:         q.Exclude,
				StripComponents: q.StripComponents,
				Flat:            q.Flat,
				Prefix:          Output(p.Source),
			},
			Label:  "source " + p.Source.Name,
			Pace:   extract.Pace{Share: share, Connections: max(s.Connections/share, 1)},
			Events: extract.Events{Record: files.record},
		},
	}
}

// recorder collects the files of one source.
type recorder struct {
	mu    sync.Mutex
	files []manifest.LockFile
}

func (r *recorder) record(e extract.Recorded) {
	f := manifest.LockFile{Path: e.Path, Name: e.Name, Target: e.Target}
	if e.Target == "" {
		f.Mode, f.Size, f.SHA256 = octal(e.Mode), e.Size, e.SHA256
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = append(r.files, f)
}
