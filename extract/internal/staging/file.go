package staging

import (
	"errors"
	"io/fs"
	"strconv"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// NewFile describes a file to create.
type NewFile struct {
	Path    string // relative to the output directory
	Mode    fs.FileMode
	ModTime time.Time // zero means now
	Entry   string    // its name in the archive, for errors
	By      string    // the label of its archive
}

// File is a file that is being written.
type File struct {
	tree *tree
	dir  *openDir
	name string // in dir
	NewFile
	file outFile
}

// create creates a file. If something with that path is staged already, the file is
// a duplicate: nothing is ever written through a link or over another entry.
func (t *tree) create(n NewFile) (File, error) {
	dir, err := t.dir(names.Parent(n.Path))
	if err != nil {
		return File{}, err
	}
	name := names.Base(n.Path)
	f, err := t.createIn(dir, name, t.permissions(n.Mode))
	if errors.Is(err, fs.ErrExist) {
		t.release(dir)
		dir, name = t.addDuplicate(n.Path, n.By)
		f, err = t.createIn(dir, name, t.permissions(n.Mode))
	}
	if err != nil {
		t.release(dir)
		return File{}, unfitHere(n.Entry, pathError("create", n.Path, err))
	}
	return File{t, dir, name, n, f}, nil
}

// Adopt takes a file below [Dir.Path] into the stage, under the path of n, with the
// permissions that it has.
func (s *Dir) Adopt(name string, n NewFile) error {
	f, err := s.Create(n) // to take its place
	if err != nil {
		return err
	}
	to := "new/" + n.Path
	if f.dir == s.tree.extra {
		to = "twice/" + f.name
	}
	if err := f.Close(nil); err != nil {
		return err
	}
	return s.out.Rename(s.name+"/"+name, s.name+"/"+to)
}

func (t *tree) addDuplicate(path, by string) (dir *openDir, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name = strconv.Itoa(len(t.twice))
	t.twice = append(t.twice, duplicate{path, name, by})
	t.keeps += int64(len(path)) + LenNote
	t.extra.refs++
	return t.extra, name
}

// kept returns how many bytes the names of duplicates take.
func (t *tree) kept() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keeps
}

// Twice reports whether another file with that path was staged before.
func (f *File) Twice() bool { return f.dir == f.tree.extra }

// Permissions are those that the file gets.
func (f *File) Permissions() fs.FileMode { return f.tree.permissions(f.Mode) }

// Write implements [io.Writer].
func (f *File) Write(p []byte) (int, error) {
	if err := f.file.write(p); err != nil {
		return 0, pathError("write", f.Path, err)
	}
	return len(p), nil
}

// Close closes the file. If err is nil, it also sets its mode and time.
func (f *File) Close(err error) error {
	defer f.tree.release(f.dir)
	if closeErr := f.finish(err == nil); err == nil && closeErr != nil {
		err = pathError("close", f.Path, closeErr) // a full disk may show only here
	}
	return err
}

func (f *File) finish(whole bool) error {
	var err error
	if perm := f.tree.permissions(f.Mode); whole && perm&f.tree.umask != 0 {
		err = f.file.chmod(perm)
	}
	if closeErr := f.file.close(); err == nil {
		err = closeErr
	}
	if err == nil && whole && !f.ModTime.IsZero() {
		err = f.dir.chtime(f.name, f.ModTime)
	}
	return err
}

// permissions are those of a mode, without the denied ones.
func (t *tree) permissions(mode fs.FileMode) fs.FileMode { return mode.Perm() &^ t.denied }
