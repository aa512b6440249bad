package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// target is the file that a name leads to.
type target struct {
	path   string // without links
	exists bool
	perm   fs.FileMode              // if it exists
	open   func() (*os.File, error) // opens what can't be replaced; nil for regular files
}

// maxLinks is how many links are followed, as by Linux.
const maxLinks = 40

// beside returns the directory of a path, with a separator at its end. Unlike
// [filepath.Dir], it doesn't clean the path: if a is a link, "a/.." isn't ".".
func beside(path string) string {
	if dir, _ := filepath.Split(path); dir != "" {
		return dir
	}
	return "." + string(filepath.Separator)
}

// find follows the links of a name one by one: those in /dev and /proc lead to open
// files, which may not have a name.
func find(name string) (target, error) {
	there, err := os.Stat(name)
	if err == nil && there.IsDir() {
		return target{}, &fs.PathError{Op: "write", Path: name, Err: syscall.EISDIR}
	}
	path := name
	for range maxLinks {
		if own := descriptor(path); own != nil {
			return target{open: own}, nil
		}
		info, lstatErr := os.Lstat(path)
		switch {
		case lstatErr != nil && there == nil:
			return missing(name, path, lstatErr)
		case lstatErr != nil, info.Mode()&fs.ModeSymlink == 0 && !(info.Mode().IsRegular() && os.SameFile(info, there)):
			return target{open: func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY, 0) }}, nil //nolint:nilerr // Stat found it, so it can be opened
		case info.Mode().IsRegular():
			return target{path: path, exists: true, perm: info.Mode().Perm()}, nil
		}
		if path, err = follow(path); err != nil {
			return target{}, err
		}
	}
	return target{}, &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
}

// follow returns the path that a link leads to.
func follow(link string) (path string, err error) {
	path, err = os.Readlink(link)
	if err == nil && !filepath.IsAbs(path) {
		path = beside(link) + path
	}
	return path, err
}

// missing is the target of a name whose links end at a path that can't be looked at, because
// of err. Only a path without links gets directories.
func missing(name, path string, err error) (target, error) {
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return target{}, err
	case path != "" && os.IsPathSeparator(path[len(path)-1]):
		return target{}, &fs.PathError{Op: "write", Path: name, Err: syscall.EISDIR}
	case path != name && !isDir(beside(path)):
		return target{}, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
	}
	return target{path: path}, nil
}

// Target returns the path of the file that [Write] would replace, without links. It is
// empty if there is nothing to replace, because the name is that of a device, a pipe or an
// open descriptor, which Write writes to. For a directory, the error is that of Write.
func Target(name string) (string, error) {
	t, err := find(name)
	return t.path, err
}
