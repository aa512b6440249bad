package staging

import (
	"errors"
	"hash/maphash"
	"io/fs"
	"sync"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

const (
	keepDirs  = 128 // directories of a stage that are kept open at most
	keepShare = 4   // they take at most a quarter of the files that may be open
)

// tree creates files below new/ of a stage, for all workers. It keeps the directories
// open that it used last: creating a file by its base name in an open directory costs
// several times less than by its path.
type tree struct {
	umask  fs.FileMode // permissions that the system takes away from new files
	denied fs.FileMode // permissions that no file gets

	mu    sync.Mutex
	open  map[string]*openDir
	keep  int             // of these
	made  map[uint64]bool // directories that exist and aren't links, by a hash with a secret seed: if two ever collide, one can't be opened
	seed  maphash.Seed
	tick  int64
	extra *openDir // holds the duplicates
	twice []duplicate
	keeps int64 // bytes of the names of duplicates
}

// LenNote is how many bytes are kept in memory with the name of a duplicate.
const LenNote = 64

// duplicate is a file that another archive has staged already. They are compared when
// both are complete.
type duplicate struct {
	path string // below new/
	name string // among the duplicates
	by   string // the label of its archive
}

// openDir is a directory that files are created in.
type openDir struct {
	dir
	path string
	refs int   // files and directories that are being made in it
	used int64 // when it was used last
}

// newTree opens the tree of a stage: new/ itself, which stays open until the tree is
// closed, and a directory for duplicates.
func newTree(fresh, extra root, umask, denied fs.FileMode) (*tree, error) {
	first, err := dirOf(fresh)
	if err != nil {
		return nil, err
	}
	second, err := dirOf(extra)
	if err != nil {
		first.close()
		return nil, err
	}
	t := &tree{umask: umask, denied: denied, open: map[string]*openDir{}, keep: openfiles.Share(openfiles.Limit(), keepShare, 2, keepDirs), made: map[uint64]bool{}, seed: maphash.MakeSeed(), extra: &openDir{dir: second}}
	t.open[""] = &openDir{dir: first, refs: 1}
	return t, nil
}

func (t *tree) close() {
	for _, d := range t.open {
		d.close()
	}
	if len(t.open) > 0 {
		t.extra.close()
	}
	clear(t.open)
}

// dir opens a directory below new/, and creates it and its parents if they are missing.
// The caller must release it.
func (t *tree) dir(path string) (*openDir, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reach(path)
}

func (t *tree) release(d *openDir) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.refs--
}

func (t *tree) reach(path string) (*openDir, error) {
	t.tick++
	d, found := t.open[path]
	if !found && path == "" {
		return nil, fs.ErrClosed // new/ stays open until the tree is closed
	}
	if !found {
		above, err := t.reach(names.Parent(path))
		if err != nil {
			return nil, err
		}
		defer func() { above.refs-- }()
		if err := t.mkdir(above, path); err != nil {
			return nil, err
		}
		t.makeRoom(t.keep)
		var opened dir
		err = withRoom(func() error { opened, err = above.open(names.Base(path)); return err }, t.makeRoom)
		if err != nil {
			return nil, pathError("open", path, err)
		}
		d = &openDir{dir: opened, path: path}
		t.open[path] = d
	}
	d.refs++
	d.used = t.tick
	return d, nil
}

// mkdir creates a directory, unless it exists.
func (t *tree) mkdir(above *openDir, path string) error {
	known := maphash.String(t.seed, path)
	if t.made[known] {
		return nil
	}
	// 0755 before the umask: FinishDir sets the archive's mode.
	err := above.mkdir(names.Base(path), 0o755&^t.denied)
	if errors.Is(err, fs.ErrExist) {
		// Another archive in the stage may have created something else there.
		var isDir bool
		if isDir, err = above.isDir(names.Base(path)); err == nil && !isDir {
			return &ConflictError{Path: path, Reason: "it is needed as a directory and as something else", Twice: true}
		}
	}
	if err != nil {
		return unfitHere(path, pathError("mkdir", path, err))
	}
	t.made[known] = true
	return nil
}

// pathError returns err for a path.
func pathError(op, path string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
