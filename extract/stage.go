package extract

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// stagePrefix begins the names of staging directories.
const stagePrefix = ".artifetch-"

// Stage is a staging directory inside the output directory, on the same file
// system therefore. Files that are not committed never show outside of it.
type Stage struct {
	dir   string // the output directory
	name  string // of the stage in it
	made  string // the topmost directory that had to be made for it, or ""
	rules rules

	out, fresh *os.Root // the output directory, and new/ of the stage
	lock       *lock

	mu    sync.Mutex
	dirs  map[string]wantedDir
	links []wantedLink
	done  bool
}

type wantedDir struct {
	mode    fs.FileMode
	modTime time.Time
}

type wantedLink struct {
	entry  *entry
	target string
}

// NewStage makes a staging directory in dir, and dir itself if it is missing. It
// removes those that killed runs left behind.
func NewStage(dir string) (*Stage, error) {
	s := &Stage{dir: dir, rules: platformRules(), dirs: map[string]wantedDir{}}
	s.made = firstMissing(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.removeMade()
		return nil, err
	}
	var err error
	if s.out, err = os.OpenRoot(dir); err != nil {
		s.removeMade()
		return nil, err
	}
	removeStale(s.out)
	if err := s.create(); err != nil {
		return nil, errors.Join(err, s.Discard())
	}
	return s, nil
}

func (s *Stage) create() error {
	s.name = stagePrefix + strings.ToLower(rand.Text()[:16])
	if err := s.out.Mkdir(s.name, 0o700); err != nil {
		return err
	}
	held, err := takeLock(filepath.Join(s.dir, s.name, lockName))
	if err != nil {
		return err
	}
	s.lock = held
	for _, sub := range []string{"new", "old"} {
		if err := s.out.Mkdir(s.name+"/"+sub, 0o700); err != nil {
			return err
		}
	}
	s.fresh, err = s.out.OpenRoot(s.name + "/new")
	return err
}

// Path is where the stage is. Files put there go with it, also if this run is
// killed.
func (s *Stage) Path() string { return filepath.Join(s.dir, s.name) }

// firstMissing returns the topmost part of dir that does not exist.
func firstMissing(dir string) string {
	missing := ""
	for {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return missing
		}
		missing = dir
		above := filepath.Dir(dir)
		if above == dir {
			return missing
		}
		dir = above
	}
}

// Add extracts the selection of one archive into the stage. Files of several
// archives must not meet at one path.
func (s *Stage) Add(ctx context.Context, src Source, o Options) (Stats, error) {
	o = o.withDefaults()
	if o.Prefix != "" {
		clean, err := s.rules.cleanName(o.Prefix, true)
		if err != nil {
			return Stats{}, err
		}
		o.Prefix = clean
	}
	form, err := sniff(ctx, src)
	if err != nil {
		return Stats{}, err
	}
	var stats Stats
	if form == nil {
		stats, err = s.zip(ctx, src, o)
	} else {
		stats, err = s.tar(ctx, src, form, o)
	}
	if err == nil {
		err = s.finish()
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // whatever broke because of it
	}
	return stats, s.relate(err)
}

// relate makes a clash of two archives out of what the file system says of it.
func (s *Stage) relate(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, fs.ErrExist) {
		return &ConflictError{filepath.ToSlash(failed.Path), "it would be written twice"}
	}
	return err
}

func (s *Stage) wantDir(path string, mode fs.FileMode, modTime time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs[path] = wantedDir{mode, modTime}
}

// wantLink checks a link and notes it for finish.
func (s *Stage) wantLink(e *entry, target string) error {
	if err := s.rules.checkTarget(e.dest, e.name, target); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, wantedLink{e, target})
	return nil
}

// finish makes what has to wait for the files: links, so that nothing is written
// through one, and directories, whose times would change with every file in
// them. Deepest first, for the same reason.
func (s *Stage) finish() error {
	t := s.newTree()
	defer t.close()
	for _, l := range s.links {
		dir, err := t.dir(parent(l.entry.dest))
		if err != nil {
			return err
		}
		if err := dir.Symlink(l.target, base(l.entry.dest)); err != nil {
			return err
		}
	}
	s.links = nil
	paths := slices.Sorted(maps.Keys(s.dirs))
	for _, path := range paths {
		if _, err := t.dir(path); err != nil {
			return err
		}
	}
	for _, path := range slices.Backward(paths) {
		if err := s.finishDir(t, path, s.dirs[path]); err != nil {
			return err
		}
	}
	clear(s.dirs)
	return nil
}

func (s *Stage) finishDir(t *tree, path string, d wantedDir) error {
	above, err := t.dir(parent(path))
	if err != nil {
		return err
	}
	// A directory that its owner cannot write to could not be renamed either.
	if err := above.Chmod(base(path), d.mode.Perm()|0o700); err != nil {
		return err
	}
	if d.modTime.IsZero() {
		return nil
	}
	return above.Chtimes(base(path), time.Time{}, d.modTime)
}

// Discard removes the stage, and what was made for it if nothing was committed.
// It does nothing after that; it is meant to be deferred.
func (s *Stage) Discard() error {
	if s.out == nil {
		return nil
	}
	err := s.remove()
	if !s.done {
		s.removeMade()
	}
	return err
}

// remove takes the stage away and closes everything.
func (s *Stage) remove() error {
	if s.fresh != nil {
		_ = s.fresh.Close() // only a way to files
	}
	s.lock.release()
	var err error
	if s.name != "" {
		if err = s.out.RemoveAll(s.name); err != nil {
			err = fmt.Errorf("removing the staging directory: %w", err)
		}
	}
	_ = s.out.Close() // only a way to files
	s.out, s.fresh, s.lock = nil, nil, nil
	return err
}

// removeMade removes the directories that were made for the output, if they are
// empty.
func (s *Stage) removeMade() {
	if s.made == "" {
		return
	}
	for dir := filepath.Clean(s.dir); len(dir) >= len(filepath.Clean(s.made)); dir = filepath.Dir(dir) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // somebody else has put something there meanwhile
		}
	}
}
