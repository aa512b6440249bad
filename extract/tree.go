package extract

import (
	"errors"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

const (
	keepDirs  = 128 // directories of a stage that are kept open at most
	keepShare = 4   // they take at most a quarter of the files that may be open
)

// tree writes files below new/ of a stage, for all workers. It keeps the
// directories it used last open: creating a file by its base name in an open
// directory costs several times less than by a path through one root.
type tree struct {
	umask  fs.FileMode // what the system takes away from the mode of a new file
	denied fs.FileMode // what nobody is to get

	mu      sync.Mutex
	open    map[string]*openDir
	keep    int   // of these
	made    kinds // directories that are known to be there, and no links
	tick    int64
	doubles *openDir // holds what would be written twice
	twice   []double
	keeps   int64 // bytes of their names
}

// double is a file that another archive has, too. Whether they are the same shows
// when both are there.
type double struct {
	path string // below new/
	name string // among the doubles
	by   string // the label of its archive
}

// openDir is a directory that files are made in.
type openDir struct {
	dir
	path string
	refs int   // files and directories that are being made in it
	used int64 // when it was used last
}

// newTree opens the tree of a stage, with new/ itself, which is never closed
// before the rest, and a directory for doubles.
func newTree(fresh, doubles root, umask, denied fs.FileMode) (*tree, error) {
	first, err := dirOf(fresh)
	if err != nil {
		return nil, err
	}
	second, err := dirOf(doubles)
	if err != nil {
		first.close()
		return nil, err
	}
	t := &tree{umask: umask, denied: denied, open: map[string]*openDir{}, keep: openfiles.Share(openfiles.Limit(), keepShare, 2, keepDirs), made: newKinds(0), doubles: &openDir{dir: second}}
	t.open[""] = &openDir{dir: first, refs: 1}
	return t, nil
}

func (t *tree) close() {
	for _, d := range t.open {
		d.close()
	}
	if len(t.open) > 0 {
		t.doubles.close()
	}
	clear(t.open)
}

// dir opens a directory below new/, and makes it and its parents. It must be
// released.
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
		above, err := t.reach(parent(path))
		if err != nil {
			return nil, err
		}
		defer func() { above.refs-- }()
		if err := t.mkdir(above, path); err != nil {
			return nil, err
		}
		t.makeRoom(t.keep)
		var opened dir
		err = withRoom(func() error { opened, err = above.open(base(path)); return err }, t.makeRoom)
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

// mkdir makes a directory, unless it is there.
func (t *tree) mkdir(above *openDir, path string) error {
	if t.made.of(path) == dirKind {
		return nil
	}
	// 0755 before the umask: what the archive says of it comes at the end.
	err := above.mkdir(base(path), 0o755&^t.denied)
	if errors.Is(err, fs.ErrExist) {
		// Another archive in the stage may have put a link there.
		var isDir bool
		if isDir, err = above.isDir(base(path)); err == nil && !isDir {
			return &ConflictError{path, "it would have to be a directory and something else"}
		}
	}
	if err != nil {
		return unfitHere(path, pathError("mkdir", path, err))
	}
	t.made.set(path, dirKind)
	return nil
}

// pathError says which path a call was about.
func pathError(op, path string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// newFile is a file that is being written.
type newFile struct {
	tree    *tree
	dir     *openDir
	name    string // in dir
	dest    string // below new/
	mode    fs.FileMode
	modTime time.Time
	file    outFile
}

// create creates the file of an entry. If anything is there already, it goes among
// the doubles, so that nothing is ever written through a link or over another
// entry.
func (t *tree) create(e *entry, by string) (newFile, error) {
	dir, err := t.dir(parent(e.dest))
	if err != nil {
		return newFile{}, err
	}
	name := base(e.dest)
	f, err := t.createIn(dir, name, t.permissions(e.Mode))
	if errors.Is(err, fs.ErrExist) {
		t.release(dir)
		dir, name = t.addDouble(e.dest, by)
		f, err = t.createIn(dir, name, t.permissions(e.Mode))
	}
	if err != nil {
		t.release(dir)
		return newFile{}, unfitHere(e.Name, pathError("create", e.dest, err))
	}
	return newFile{t, dir, name, e.dest, e.Mode, e.ModTime, f}, nil
}

func (t *tree) addDouble(path, by string) (dir *openDir, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name = strconv.Itoa(len(t.twice))
	t.twice = append(t.twice, double{path, name, by})
	t.keeps += int64(len(path)) + lenNote
	t.doubles.refs++
	return t.doubles, name
}

// kept is how many bytes the names of doubles take.
func (t *tree) kept() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keeps
}

// Write implements [io.Writer].
func (f *newFile) Write(p []byte) (int, error) {
	if err := f.file.write(p); err != nil {
		return 0, pathError("write", f.dest, err)
	}
	return len(p), nil
}

// Close closes the file. If err is nil, it also sets its mode and time.
func (f *newFile) Close(err error) error {
	defer f.tree.release(f.dir)
	if closeErr := f.finish(err == nil); err == nil && closeErr != nil {
		err = pathError("close", f.dest, closeErr) // a full disk may show only here
	}
	return err
}

func (f *newFile) finish(whole bool) error {
	var err error
	if perm := f.tree.permissions(f.mode); whole && perm&f.tree.umask != 0 {
		err = f.file.chmod(perm)
	}
	if closeErr := f.file.close(); err == nil {
		err = closeErr
	}
	if err == nil && whole && !f.modTime.IsZero() {
		err = f.dir.chtime(f.name, f.modTime)
	}
	return err
}

// permissions are those of a mode, without the denied ones.
func (t *tree) permissions(mode fs.FileMode) fs.FileMode { return mode.Perm() &^ t.denied }
