package staging

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// Calls is called before each call that a stage makes to the file system, and may make
// it fail. Only tests have one.
type Calls func(op, path string) error

// Before calls c, which may be nil.
func (c Calls) Before(op, path string) error {
	if c == nil {
		return nil
	}
	return c(op, path)
}

// root is an [os.Root] that calls Calls first.
type root struct {
	*os.Root
	calls Calls
}

func (r root) Mkdir(name string, perm fs.FileMode) error {
	if err := r.calls.Before("mkdir", name); err != nil {
		return err
	}
	return r.Root.Mkdir(name, perm)
}

func (r root) MkdirAll(name string, perm fs.FileMode) error {
	if err := r.calls.Before("mkdirall", name); err != nil {
		return err
	}
	return r.Root.MkdirAll(name, perm)
}

func (r root) Lstat(name string) (fs.FileInfo, error) {
	if err := r.calls.Before("lstat", name); err != nil {
		return nil, err
	}
	return r.Root.Lstat(name)
}

func (r root) Link(old, name string) error {
	if err := r.calls.Before("link", name); err != nil {
		return err
	}
	return r.Root.Link(old, name)
}

func (r root) Rename(old, name string) error {
	if err := r.calls.Before("rename", name); err != nil {
		return err
	}
	return r.Root.Rename(old, name)
}

// renameNew is Rename, but fails with an [fs.ErrExist] if the new name exists.
func (r root) renameNew(old, name string) error {
	from, err := r.Open(orDot(names.Parent(old)))
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // opened only to reach a file
	to, err := r.Open(orDot(names.Parent(name)))
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }() // opened only to reach a file
	if err := r.calls.Before("rename", name); err != nil {
		return err
	}
	err = renameNew(from, to, names.Base(old), names.Base(name))
	if errors.Is(err, errors.ErrUnsupported) {
		err = r.renameUnless(old, name)
	}
	return err
}

// renameUnless is renameNew for file systems that can't do it atomically.
func (r root) renameUnless(old, name string) error {
	_, err := r.Lstat(name)
	switch {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return r.Rename(old, name)
}

// isMissing reports whether err says that the file or one of its parent directories
// doesn't exist.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// orDot turns the empty path, which is the root itself, into ".".
func orDot(path string) string {
	if path == "" {
		return "."
	}
	return path
}

func (r root) RemoveAll(name string) error {
	if err := r.calls.Before("removeall", name); err != nil {
		return err
	}
	return r.Root.RemoveAll(name)
}

func (r root) Open(name string) (*os.File, error) {
	if err := r.calls.Before("open", name); err != nil {
		return nil, err
	}
	return r.Root.Open(name)
}

func (r root) Chmod(name string, mode fs.FileMode) error {
	if err := r.calls.Before("chmod", name); err != nil {
		return err
	}
	return r.Root.Chmod(name, mode)
}

// openStaged opens a file of the stage for reading, even if its mode denies that to
// everyone.
func (r root) openStaged(name string) (f *os.File, info fs.FileInfo, err error) {
	if info, err = r.Lstat(name); err != nil {
		return nil, nil, err
	}
	const mayRead = 0o400
	if mode := info.Mode(); mode.IsRegular() && mode&mayRead == 0 {
		if err := r.Chmod(name, mode.Perm()|mayRead); err != nil {
			return nil, nil, err
		}
		defer func() {
			if back := r.Chmod(name, mode.Perm()); err == nil && back != nil {
				err = errors.Join(back, f.Close())
			}
		}()
	}
	f, err = r.Open(name)
	return f, info, err
}

func (r root) sub(name string) (root, error) {
	if err := r.calls.Before("openroot", name); err != nil {
		return root{}, err
	}
	below, err := r.OpenRoot(name)
	return root{below, r.calls}, err
}

// readDir lists a directory, sorted by name.
func (r root) readDir(name string) ([]fs.DirEntry, error) {
	if err := r.calls.Before("readdir", name); err != nil {
		return nil, err
	}
	return fs.ReadDir(r.FS(), name)
}
