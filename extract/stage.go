package extract

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/internal/space"
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

	opts  StageOptions
	calls calls

	out, fresh, doubles root // the output directory; new/ and twice/ of the stage
	tree                *tree
	lock                *lock

	large *codec.LargeWindows

	mu       sync.Mutex
	dirs     map[string]wantedDir
	links    []wantedLink
	nested   []nested
	waiting  map[string]bool // paths of these
	kept     int64           // bytes of names that stay until the commit
	compared int             // of the doubles
	done     bool

	spoiled  bool  // an archive could not be extracted: what is staged is not whole
	reserved int64 // bytes that the archives so far need on the disk
	free     int64 // that were there before the first of them
	closed   bool
}

// NewStage makes a staging directory in dir, and dir itself if it is missing. It
// removes those that killed runs left behind.
func NewStage(dir string, o StageOptions) (*Stage, error) { return newStage(dir, o, nil) }

func newStage(dir string, o StageOptions, c calls) (*Stage, error) {
	s := &Stage{dir: dir, opts: o.withDefaults(), calls: c, rules: platformRules(), dirs: map[string]wantedDir{}, waiting: map[string]bool{}, large: codec.NewLargeWindows()}
	s.made = firstMissing(dir)
	if err := s.openOut(); err != nil {
		s.removeMade()
		return nil, err
	}
	removeStale(s.out, s.opts.OnRescue)
	if err := s.makeDirs(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot create a staging directory in %q: %w", dir, err), s.Discard())
	}
	return s, nil
}

func (s *Stage) openOut() error {
	if err := s.calls.before("mkdirall", s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755&^s.opts.Umask); err != nil {
		return err
	}
	out, err := os.OpenRoot(s.dir)
	s.out = root{out, s.calls}
	return err
}

// createTries is how often a stage is made anew when another run has taken the
// last one, which was not locked yet, for that of a dead one.
const createTries = 20

func (s *Stage) makeDirs() error {
	for try := 1; ; try++ {
		err := s.createLocked()
		if err == nil {
			break
		}
		if again := errors.Is(err, errHeld) || errors.Is(err, fs.ErrNotExist); !again || try == createTries {
			return err
		}
	}
	for _, sub := range []string{"new", "twice"} {
		if err := s.out.Mkdir(s.name+"/"+sub, 0o700); err != nil {
			return err
		}
	}
	if _, err := s.out.Lstat(s.name + "/NEW"); err == nil {
		s.rules.fold = true // this is new/: the file system ignores case
	}
	// Nobody but the owner gets into the stage, so that this one may show what
	// the umask takes away: it cannot be asked for without being changed.
	if err := s.out.Mkdir(s.name+"/"+secondDir, 0o777); err != nil {
		return err
	}
	old, err := s.out.Lstat(s.name + "/" + secondDir)
	if err != nil {
		return err
	}
	if s.fresh, err = s.out.sub(s.name + "/new"); err != nil {
		return err
	}
	if s.doubles, err = s.out.sub(s.name + "/twice"); err != nil {
		return err
	}
	s.tree, err = newTree(s.fresh, s.doubles, 0o777&^old.Mode().Perm(), s.opts.Umask)
	return err
}

// Path is where the stage is. Files put there go with it, also if this run is
// killed.
func (s *Stage) Path() string { return filepath.Join(s.dir, s.name) }

// createLocked makes the directory, and the lock in it. Where the file system has
// no locks, it goes without: nobody can take the stage for a dead one then, and
// nobody removes it if this run is killed.
func (s *Stage) createLocked() error {
	s.name = newName(stagePrefix)
	if err := s.out.Mkdir(s.name, 0o700); err != nil {
		return err
	}
	path := filepath.Join(s.dir, s.name, lockName)
	if err := s.calls.before("lock", path); err != nil {
		return err
	}
	held, err := takeLock(path, os.O_CREATE)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	case !held.holds(path):
		held.release()
		return &fs.PathError{Op: "lock", Path: path, Err: fs.ErrNotExist}
	}
	s.lock = held
	return nil
}

// newName returns a random name.
func newName(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }

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

// Add extracts the selection of one archive into the stage. Several may be added
// at the same time. If two have one path, they must have the same there, which
// shows when they are committed. After an error the stage can only be discarded.
func (s *Stage) Add(ctx context.Context, src Source, o Options) (Stats, error) {
	return s.adding(ctx, o, func(o Options) (Stats, error) {
		form, err := recognise(ctx, src)
		if err != nil {
			return Stats{}, err
		}
		o.budget.archive = src.Size()
		return s.addForm(ctx, src, form, o)
	})
}

func (s *Stage) addForm(ctx context.Context, src Source, f *form, o Options) (Stats, error) {
	switch {
	case f == nil:
		return s.zip(ctx, src, o)
	case f.seeks:
		return s.sevenZip(ctx, src, o)
	}
	return s.stream(ctx, src, f, o)
}

// adding adds one archive, or what comes in its place.
func (s *Stage) adding(ctx context.Context, o Options, add func(Options) (Stats, error)) (stats Stats, err error) {
	if err := s.ready(); err != nil {
		return Stats{}, err
	}
	defer func() {
		if err != nil {
			stats = Stats{}
			s.spoil()
			if ctx.Err() != nil {
				err = context.Cause(ctx) // whatever broke because of it
			}
		}
	}()
	o = o.withDefaults()
	if o.Prefix != "" {
		if o.Prefix, err = s.rules.cleanName(o.Prefix, true); err != nil {
			return stats, err
		}
		if reason := s.rules.unfit(o.Prefix); reason != "" {
			return stats, &ConflictError{o.Prefix, "this system can't have such a directory: " + reason}
		}
	}
	if stats, err = add(s.noting(o)); err != nil {
		return stats, err
	}
	return stats, s.checkKept()
}

// reserveSpace holds the bytes of one more archive against the free space of the disk,
// before the first of them is written.
func (s *Stage) reserveSpace(bytes int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reserved == 0 {
		s.free = space.Free(s.dir)
	}
	if s.reserved += bytes; s.reserved > s.free {
		return &space.Error{Dir: s.dir, Need: s.reserved, Free: s.free}
	}
	return nil
}

func (s *Stage) spoil() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoiled = true
}

// errNotReady reports a call that would put half an archive, or none, into
// place.
var errNotReady = errors.New("the stage holds an archive that could not be extracted, or is closed")

func (s *Stage) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spoiled || s.closed {
		return errNotReady
	}
	return nil
}

// Discard removes the stage, and what was made for it if nothing was committed.
// It does nothing after that; it is meant to be deferred.
func (s *Stage) Discard() error {
	if s.closed {
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
	s.closeWays()
	var err error
	if s.name != "" {
		if err = removeLocked(s.out, s.name, s.lock); err != nil {
			s.opts.OnLeftover(s.Path(), err)
			err = fmt.Errorf("removing the staging directory: %w", err)
		}
	}
	_ = s.out.Close() // only a way to files
	s.closed, s.lock = true, nil
	return err
}

// closeWays closes what is open in the stage: ways to files, of which nothing is
// lost.
func (s *Stage) closeWays() {
	if s.tree != nil {
		s.tree.close()
	}
	for _, r := range []root{s.fresh, s.doubles} {
		if r.Root != nil {
			_ = r.Close()
		}
	}
	s.fresh, s.doubles = root{}, root{}
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
