package staging

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// Dir is a staging directory inside the output directory, and so on the same file
// system. Files that aren't committed never show outside of it.
type Dir struct {
	dir  string // the output directory
	name string // of the stage in it
	made string // the topmost directory that had to be made for it, or ""

	opts  Options
	calls Calls

	out, fresh, extra root // the output directory; new/ and twice/ of the stage
	tree              *tree
	lock              *filelock.Lock

	pruned  []string // paths that Commit removes
	removed []string // those that it has removed
	last    string   // path of the file that Commit puts into place last
	also    func() (undo func() error, err error)

	folds     bool
	compared  int // duplicates that were compared
	committed bool
	closed    bool
}

// Options say how staged files meet existing ones. All functions must be set.
type Options struct {
	OnConflict ConflictPolicy
	Umask      fs.FileMode                 // permissions that no file or directory gets
	OnSkip     func(path, reason string)   // a file is left out
	OnRescue   func(Rescued)               // a file of a killed run is restored, or kept
	OnLeftover func(dir string, err error) // the stage can't be removed
}

// ConflictPolicy says what happens to files that exist already. A file in the place
// of a directory, or a directory in the place of a file, is always an error.
type ConflictPolicy int

// What can be done with existing files.
const (
	Overwrite    ConflictPolicy = iota // replace them
	SkipExisting                       // keep them
	FailIfExists                       // commit nothing
)

// New makes a staging directory in dir, and dir itself if it is missing. It removes
// those that killed runs left behind.
func New(dir string, o Options, c Calls) (*Dir, error) {
	s := &Dir{dir: dir, opts: o, calls: c}
	s.made = firstMissing(dir)
	if err := s.openOut(); err != nil {
		s.removeMade()
		return nil, err
	}
	removeStale(s.out, s.opts.OnRescue)
	if err := s.create(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot create a staging directory in %q: %w", dir, err), s.Discard())
	}
	return s, nil
}

// Path is where the stage is. Other files put there are removed with it, even if this
// run is killed.
func (s *Dir) Path() string { return filepath.Join(s.dir, s.name) }

// Folds reports whether the file system ignores case in names.
func (s *Dir) Folds() bool { return s.folds }

// Blocks reports whether something staged has that path, or is a file where the path needs
// a directory.
func (s *Dir) Blocks(path string) bool {
	_, err := s.fresh.Lstat(path)
	return err == nil || errors.Is(err, syscall.ENOTDIR)
}

// Create creates a file. The caller must close it.
func (s *Dir) Create(n NewFile) (File, error) { return s.tree.create(n) }

// Kept returns how many bytes are kept in memory for duplicates.
func (s *Dir) Kept() int64 { return s.tree.kept() }

// Closed reports whether the stage is gone.
func (s *Dir) Closed() bool { return s.closed }

func (s *Dir) openOut() error {
	if err := s.calls.Before("mkdirall", s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755&^s.opts.Umask); err != nil {
		return brokenLink(err)
	}
	out, err := os.OpenRoot(s.dir)
	s.out = root{out, s.calls}
	return err
}

// brokenLink explains why a directory can't be created where a link is. It returns other
// errors unchanged.
func brokenLink(err error) error {
	e, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return err
	}
	target, notLink := os.Readlink(e.Path)
	_, there := os.Stat(e.Path)
	switch {
	case notLink != nil:
		return err
	case errors.Is(there, syscall.ELOOP):
		return &ConflictError{Path: e.Path, Reason: "its links lead in a circle"}
	case errors.Is(there, fs.ErrNotExist):
		return &ConflictError{Path: e.Path, Reason: fmt.Sprintf("it is a link to %q, which doesn't exist", target)}
	}
	return err
}

// createTries is how often New makes another stage because a starting run has removed
// the last one, which it took for a dead run's while that wasn't locked yet.
const createTries = 20

func (s *Dir) create() error {
	for try := 1; ; try++ {
		err := s.createLocked()
		if err == nil {
			break
		}
		if again := errors.Is(err, filelock.ErrHeld) || errors.Is(err, fs.ErrNotExist); !again || try == createTries {
			return err
		}
	}
	for _, sub := range []string{"new", "twice"} {
		if err := s.out.Mkdir(s.name+"/"+sub, 0o700); err != nil {
			return err
		}
	}
	if _, err := s.out.Lstat(s.name + "/NEW"); err == nil {
		s.folds = true // this is new/: the file system ignores case
	}
	umask, err := s.makeSecond()
	if err != nil {
		return err
	}
	if s.fresh, err = s.out.sub(s.name + "/new"); err != nil {
		return err
	}
	if s.extra, err = s.out.sub(s.name + "/twice"); err != nil {
		return err
	}
	s.tree, err = newTree(s.fresh, s.extra, umask, s.opts.Umask)
	return err
}

// makeSecond makes the second directory, which shows the umask: that can't be read without
// changing it. Only the owner gets into the stage, so the directory may be created with
// all permissions, and what it lacks is the umask.
func (s *Dir) makeSecond() (umask fs.FileMode, err error) {
	if err := s.out.Mkdir(s.name+"/"+secondDir, 0o777); err != nil {
		return 0, err
	}
	made, err := s.out.Lstat(s.name + "/" + secondDir)
	if err != nil {
		return 0, err
	}
	return 0o777 &^ made.Mode().Perm(), nil
}

// createLocked makes the directory, and the lock in it. If the file system has no
// locks, it goes without: no other run can then take the stage for a dead one's, and
// none removes it if this run is killed.
func (s *Dir) createLocked() error {
	s.name = "" // until there is something to remove
	name := newName(names.StagePrefix)
	if err := s.out.Mkdir(name, 0o700); err != nil {
		return err
	}
	s.name = name
	path := filepath.Join(s.dir, s.name, lockName)
	if err := s.calls.Before("lock", path); err != nil {
		return err
	}
	held, err := filelock.Take(path, os.O_CREATE)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	case !held.Holds(path):
		held.Release()
		return &fs.PathError{Op: "lock", Path: path, Err: fs.ErrNotExist}
	}
	s.lock = held
	return nil
}

// newName returns a random name.
func newName(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }

// firstMissing returns the topmost part of dir that doesn't exist.
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
