package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// target is what a name means.
type target struct {
	path   string // where the links end
	exists bool
	perm   fs.FileMode              // if it does
	open   func() (*os.File, error) // of what is written through; nil for files to be replaced
}

// maxLinks is how many links are followed, as by Linux.
const maxLinks = 40

// beside is the directory of a path, with a separator at its end. It is not cleaned:
// "a/.." is not nothing if a is a link.
func beside(path string) string {
	if dir, _ := filepath.Split(path); dir != "" {
		return dir
	}
	return "." + string(filepath.Separator)
}

// find follows the links of a name, step by step: those below /dev and /proc lead
// to open files that may have no name.
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
		case errors.Is(lstatErr, fs.ErrNotExist) && there == nil:
			return target{path: path}, nil
		case lstatErr != nil && there == nil:
			return target{}, lstatErr
		case lstatErr != nil, info.Mode()&fs.ModeSymlink == 0 && !(info.Mode().IsRegular() && os.SameFile(info, there)):
			return target{open: func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY, 0) }}, nil //nolint:nilerr // it was found by name, and can be opened by it
		case info.Mode().IsRegular():
			return target{path: path, exists: true, perm: info.Mode().Perm()}, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return target{}, err
		}
		if !filepath.IsAbs(link) {
			link = beside(path) + link
		}
		path = link
	}
	return target{}, &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
}
