package extract

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

type wantedDir struct {
	mode    fs.FileMode
	modTime time.Time
}

type wantedLink struct{ path, target string }

func (s *Stage) wantDir(path string, mode fs.FileMode, modTime time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.dirs[path]; !again {
		s.keep(len(path))
	}
	s.dirs[path] = wantedDir{mode, modTime}
}

// maxKept limits what all archives of a stage together keep in memory until the
// commit, in bytes: 500,000 directories, links or duplicates, with their names.
const maxKept = 128 << 20

// lenNote is how many bytes are kept with a name.
const lenNote = staging.LenNote

// keep counts a name that stays until the commit. The lock must be held.
func (s *Stage) keep(bytes int) { s.kept += int64(bytes) + lenNote }

func (s *Stage) checkKept() error {
	s.mu.Lock()
	kept := s.kept
	s.mu.Unlock()
	if kept+s.dir.Kept() > maxKept {
		return &LimitError{What: "bytes of names of directories and links, with the archives before it", Limit: maxKept}
	}
	return nil
}

// wantLink checks a link and notes it for finish.
func (s *Stage) wantLink(e *entry, target string, o Options) error {
	if err := names.CheckTarget(e.Name, target); err != nil {
		return err
	}
	if reason := s.rules.Escape(e.dest, target); reason != "" {
		switch s.opts.Symlinks {
		case SafeLinks:
			return &UnsafeError{Entry: e.Name, Reason: reason + ": " + target}
		case SkipLinks:
			s.opts.OnSkip(e.dest, reason+": "+target)
			return nil
		}
	}
	if o.Record != nil {
		o.Record(Recorded{Path: e.dest, Name: e.path, Mode: fs.ModeSymlink, Target: target})
	}
	o.OnLink(e.dest, target)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, wantedLink{e.dest, target})
	s.keep(len(e.dest) + len(target))
	return nil
}

// finish does what must come after the files of all archives. It creates links, so that
// nothing is written through one, and sets the modes and times of directories, because
// each new file changes its directory's time. It starts with the deepest directory, for
// the same reason.
func (s *Stage) finish(ctx context.Context) error {
	if err := s.unpackNested(ctx); err != nil {
		return err
	}
	for _, l := range s.links {
		err := s.dir.Symlink(l.path, l.target)
		if unfit, ok := errors.AsType[*UnfitError](err); ok && unfit.NoLink && s.opts.Symlinks == SkipLinks {
			s.opts.OnSkip(l.path, unfit.Reason)
			continue
		}
		if err != nil {
			return err
		}
	}
	paths := slices.Sorted(maps.Keys(s.dirs))
	for _, path := range slices.Backward(paths) {
		if err := s.dir.FinishDir(path, s.dirs[path].mode, s.dirs[path].modTime); err != nil {
			return err
		}
	}
	return s.checkReserved()
}

// checkReserved refuses what is staged at the path of the reserved file.
func (s *Stage) checkReserved() error {
	if s.opts.Reserved == "" {
		return nil
	}
	path, err := filepath.Rel(resolved(s.output), resolved(s.opts.Reserved))
	if err != nil || !filepath.IsLocal(path) { // it is elsewhere
		return nil //nolint:nilerr // another volume
	}
	if path = filepath.ToSlash(path); s.dir.Blocks(path) {
		return &ConflictError{Path: path, Reason: "the archive has it, but this run writes a file of its own there", Reserved: true}
	}
	return nil
}

// resolved returns an absolute path in which the directories that exist have no links.
func resolved(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	found, err := filepath.EvalSymlinks(path)
	if dir := filepath.Dir(path); err != nil && dir != path {
		return filepath.Join(resolved(dir), filepath.Base(path))
	}
	return found
}
