package extract

import (
	"context"
	"errors"
	"io"
	"sync"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// Stage is a staging directory inside the output directory, and so on the same file
// system. Files that aren't committed never show outside of it.
type Stage struct {
	dir    *staging.Dir
	output string // the output directory
	rules  names.Rules
	opts   StageOptions
	large  *codec.LargeWindows

	mu       sync.Mutex
	dirs     map[string]wantedDir
	links    []wantedLink
	nested   []nested
	waiting  map[string]bool // paths of these
	kept     int64           // bytes of names that stay until the commit
	spoiled  bool            // an archive couldn't be extracted: the stage isn't complete
	reserved int64           // bytes that the archives so far need on the disk
	free     int64           // bytes that were free before the first of them
	whole    int             // files of NewFile
}

// NewStage makes a staging directory in dir, and dir itself if it is missing. It
// removes those that killed runs left behind.
func NewStage(dir string, o StageOptions) (*Stage, error) { return newStage(dir, o, nil) }

func newStage(dir string, o StageOptions, c staging.Calls) (*Stage, error) {
	o = o.withDefaults()
	staged, err := staging.New(dir, staging.Options{
		OnConflict: o.OnConflict, Umask: o.Umask, OnSkip: o.OnSkip, OnRescue: o.OnRescue, OnLeftover: o.OnLeftover,
	}, c)
	if err != nil {
		return nil, err
	}
	rules := names.Platform()
	rules.Fold = rules.Fold || staged.Folds()
	return &Stage{dir: staged, output: dir, rules: rules, opts: o, large: codec.NewLargeWindows(), dirs: map[string]wantedDir{}, waiting: map[string]bool{}}, nil
}

// Sweep removes the stages of killed runs from an output directory, and restores the
// files that they had moved away, as every [NewStage] does.
func Sweep(dir string, o StageOptions) error { return staging.Sweep(dir, o.withDefaults().OnRescue) }

// Path is where the stage is. Other files put there are removed with it, even if this
// run is killed.
func (s *Stage) Path() string { return s.dir.Path() }

// Add extracts the selection of one archive into the stage. Several may be added
// at the same time. If two contain the same path, both must have the same content,
// which Commit checks. After an error the stage can only be discarded: Commit refuses it.
func (s *Stage) Add(ctx context.Context, src Source, o Options) (Stats, error) {
	return s.adding(ctx, o, func(o Options) (Stats, error) {
		f, err := recognize(ctx, src)
		if err != nil {
			return Stats{}, err
		}
		o.budget.archive = src.Size()
		return s.addFormat(ctx, src, f, o)
	})
}

func (s *Stage) addFormat(ctx context.Context, src Source, f *format, o Options) (Stats, error) {
	switch {
	case f == nil:
		return s.zip(ctx, src, o)
	case f.seeks:
		return s.sevenZip(ctx, src, o)
	}
	return s.stream(ctx, src, f, o)
}

// adding adds an archive or something else.
func (s *Stage) adding(ctx context.Context, o Options, add func(Options) (Stats, error)) (stats Stats, err error) {
	if s.dir.Closed() { // if another archive failed, that is the error, not that this one came too late
		return Stats{}, errNotReady
	}
	defer func() {
		if err != nil {
			stats = Stats{}
			s.spoil()
			if ctx.Err() != nil {
				err = context.Cause(ctx) // err may only be a consequence
			}
		}
	}()
	o = o.withDefaults()
	if o.Prefix != "" {
		if o.Prefix, err = s.cleanPrefix(o); err != nil {
			return stats, err
		}
	}
	if stats, err = add(s.noting(o)); err != nil {
		return stats, err
	}
	stats.Again, stats.AgainBytes = int(o.again.files.Load()), o.again.bytes.Load()
	return stats, s.checkKept()
}

// cleanPrefix checks the directory for an archive. The archive doesn't choose it, but it
// may be a job's name, which its project chooses.
func (s *Stage) cleanPrefix(o Options) (string, error) {
	prefix, err := s.rules.Clean(o.Prefix, o.AllowGit)
	if unsafe, ok := errors.AsType[*UnsafeError](err); ok {
		return "", &ConflictError{Path: o.Prefix, Reason: "files can't go there: " + unsafe.Reason}
	}
	if reason := s.rules.Unfit(prefix); err == nil && reason != "" {
		return "", &ConflictError{Path: prefix, Reason: "this system can't have such a directory: " + reason}
	}
	return prefix, err
}

// reserveSpace returns an error if the bytes of one more archive don't fit into the
// free space of the disk. It is called before the first of them is written.
func (s *Stage) reserveSpace(bytes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reserved == 0 {
		s.free = space.Free(s.output)
	}
	if s.reserved += bytes; s.reserved > s.free {
		return &space.Error{Dir: s.output, Need: s.reserved, Free: s.free}
	}
	return nil
}

func (s *Stage) spoil() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoiled = true
}

// errNotReady reports a call that would commit a partial archive, or nothing.
var errNotReady = errors.New("the stage holds an archive that could not be extracted, or is closed")

func (s *Stage) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spoiled || s.dir.Closed() {
		return errNotReady
	}
	return nil
}

// Commit moves the staged files into the output directory. It checks all of them
// before it moves any. If a move fails, or ctx ends, it undoes those it has made. A
// file that it cannot restore is kept, and the [*RescueError] says where. Commit can
// be called only once, even if it fails.
func (s *Stage) Commit(ctx context.Context) error {
	if err := s.ready(); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		s.spoil()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return err
	}
	err := s.dir.Commit(ctx)
	if err != nil {
		s.spoil()
	}
	return err
}

// Prune makes Commit remove files as well, by their paths in the output directory:
// together with everything else, or not at all. The staged file last is put into place at
// the end of the commit, and marks it: if the run is killed before, the next one restores
// the removed files. Paths that are staged, or aren't files or links, are ignored; empty
// directories are removed.
func (s *Stage) Prune(paths []string, last string) { s.dir.Prune(paths, last) }

// Also makes Commit write something that can't be staged, because it may be elsewhere, when
// all other moves are made: together with them, or not at all. If write fails, it has
// written nothing, and Commit undoes the moves. After it, only the last file of Prune goes
// into place; if that fails, undo must restore what there was.
func (s *Stage) Also(write func() (undo func() error, err error)) { s.dir.Also(write) }

// Pruned returns the paths that a successful Commit has removed.
func (s *Stage) Pruned() []string { return s.dir.Pruned() }

// IsGit reports whether a file system may read the name of a file or directory as ".git".
// Nothing is written there, or removed.
func IsGit(name string) bool { return names.IsGit(name) }

// Prunable reports whether [Stage.Prune] can remove a file with that path.
func Prunable(path string) bool {
	clean, err := names.Platform().Clean(path, false)
	return err == nil && clean == path
}

// Discard removes the stage, and the directories that were made for it if nothing was
// committed. After that, or after a successful commit, it does nothing: it is meant to
// be deferred.
func (s *Stage) Discard() error { return s.dir.Discard() }

// Source is an archive. All methods may be called concurrently.
type Source = archive.Source

// FromReaderAt returns a Source that reads a local file.
func FromReaderAt(r io.ReaderAt, size int64) Source { return archive.FromReaderAt(r, size) }
