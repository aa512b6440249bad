package extract

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

const (
	copyBuffer = 128 << 10 // bytes; a file that fits is written by one call
	keepRoots  = 64        // open directories of a worker
)

// tree writes files below new/ of a stage. Each worker has its own. It keeps
// the directories it used last open: creating a file by its base name in an
// open directory is as cheap as a plain path, and several times cheaper than a
// path through one root.
type tree struct {
	stage *Stage
	root  *os.Root // new/
	open  []openDir
}

type openDir struct {
	path string
	root *os.Root
}

func (s *Stage) newTree() *tree { return &tree{stage: s, root: s.fresh} }

func (t *tree) close() {
	for _, d := range t.open {
		_ = d.root.Close() // it was only used to reach files
	}
	t.open = nil
}

// dir opens a directory below new/, and makes it and its parents.
func (t *tree) dir(path string) (*os.Root, error) {
	if path == "" {
		return t.root, nil
	}
	if i := slices.IndexFunc(t.open, func(d openDir) bool { return d.path == path }); i >= 0 {
		d := t.open[i]
		if i < len(t.open)-1 {
			t.open = append(slices.Delete(t.open, i, i+1), d)
		}
		return d.root, nil
	}
	above, err := t.dir(parent(path))
	if err != nil {
		return nil, err
	}
	name := base(path)
	// 0755 before the umask: what the archive says of it comes at the end.
	err = above.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		err = t.isDir(above, path)
	}
	if err != nil {
		return nil, err
	}
	root, err := above.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	t.keep(openDir{path, root})
	return root, nil
}

// isDir makes sure that what is there already is a directory: another archive in
// the stage may have put a link there, which opening would follow.
func (t *tree) isDir(above *os.Root, path string) error {
	info, err := above.Lstat(base(path))
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return &ConflictError{path, "it would have to be a directory and something else"}
	}
	return nil
}

// writtenTwice makes a conflict of the refusal to create what is there.
func writtenTwice(path string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &ConflictError{path, "it would be written twice"}
	}
	return err
}

func (t *tree) keep(d openDir) {
	if len(t.open) == keepRoots {
		_ = t.open[0].root.Close() // it was only used to reach files
		t.open = slices.Delete(t.open, 0, 1)
	}
	t.open = append(t.open, d)
}

// newFile is a file that is being written.
type newFile struct {
	entry *entry
	dir   *os.Root
	file  *os.File
}

// create creates the file of an entry. It fails if anything is there already, so
// that nothing is ever written through a link or over another entry.
func (t *tree) create(e *entry) (*newFile, error) {
	dir, err := t.dir(parent(e.dest))
	if err != nil {
		return nil, err
	}
	f, err := dir.OpenFile(base(e.dest), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, writtenTwice(e.dest, err)
	}
	return &newFile{e, dir, f}, nil
}

func (f *newFile) write(p []byte) error {
	_, err := f.file.Write(p)
	return err
}

// close closes the file, and gives it its mode and time if err is nil.
func (f *newFile) close(err error) error {
	if err == nil {
		err = f.file.Chmod(permissions(f.entry))
	}
	if closeErr := f.file.Close(); err == nil {
		err = closeErr // a full disk may show only here
	}
	if err == nil && !f.entry.modTime.IsZero() {
		err = f.dir.Chtimes(base(f.entry.dest), time.Time{}, f.entry.modTime)
	}
	return err
}

// pump passes on what a reader gives. It fills the buffer first, so that a small
// file is written by one call.
func pump(content io.Reader, buf []byte, emit func([]byte) error) error {
	for {
		n, err := io.ReadFull(content, buf)
		if n > 0 && (err == nil || isEnd(err)) {
			if err := emit(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case isEnd(err):
			return nil
		default:
			return err
		}
	}
}

// isEnd reports whether ReadFull met the end of the content, and not an error
// that only wraps such a word.
func isEnd(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // ReadFull returns these two as they are
}

// permissions are those of the entry. Archives by tools without Unix modes have
// none, which would make files that nobody can read.
func permissions(e *entry) fs.FileMode {
	if perm := e.mode.Perm(); perm != 0 {
		return perm
	}
	return 0o644
}
