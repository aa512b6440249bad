//go:build !linux

package staging

import (
	"io/fs"
	"os"
	"time"
)

// dir is an open directory of the stage; see dir_linux.go.
type dir struct{ root root }

func dirOf(r root) (dir, error) { return dir{r}.open(".") }

func (d dir) open(name string) (dir, error) {
	below, err := d.root.sub(name)
	return dir{below}, err
}

func (d dir) mkdir(name string, perm fs.FileMode) error { return d.root.Mkdir(name, perm) }

func (d dir) isDir(name string) (bool, error) {
	info, err := d.root.Lstat(name)
	return err == nil && info.IsDir(), err
}

func (d dir) create(name string, perm fs.FileMode) (outFile, error) {
	if err := d.root.calls.Before("create", name); err != nil {
		return outFile{}, err
	}
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	return outFile{f}, err
}

func (d dir) symlink(target, name string) error { return d.root.Symlink(target, name) }

func (d dir) chmod(perm fs.FileMode) error { return d.root.Chmod(".", perm) }

func (d dir) chtime(name string, t time.Time) error { return d.root.Chtimes(name, time.Time{}, t) }

func (d dir) close() { _ = d.root.Close() } // opened only to reach files

// outFile is a file that is being written.
type outFile struct{ file *os.File }

func (f outFile) write(p []byte) error {
	_, err := f.file.Write(p)
	return err
}

func (f outFile) chmod(perm fs.FileMode) error { return f.file.Chmod(perm) }

func (f outFile) close() error { return f.file.Close() }
