package staging

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A commit moves files by their base names in open directories: an [os.Root] would
// open all parent directories for each call.

// identity identifies a file. No file has the zero value.
type identity struct{ dev, ino uint64 }

func (i identity) isThatOf(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && i == identity{uint64(st.Dev), st.Ino} //nolint:unconvert // smaller on some machines
}

// identify returns the identity of a staged file.
func (j *journal) identify(name string) (identity, error) {
	if err := j.before("lstat", name); err != nil {
		return identity{}, err
	}
	var st unix.Stat_t
	err := uninterrupted(func() error {
		return unix.Fstatat(int(j.from.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	return identity{uint64(st.Dev), st.Ino}, err //nolint:unconvert // smaller on some machines
}

// link gives the existing file a second name, in old/.
func (j *journal) link(name, second string) error {
	if j.old == nil {
		old, err := j.stage.out.Open(j.stage.name + "/" + secondDir)
		if err != nil {
			return err
		}
		j.old = old
	}
	if err := j.before("link", name); err != nil {
		return err
	}
	return uninterrupted(func() error {
		return unix.Linkat(int(j.to.Fd()), name, int(j.old.Fd()), second, 0)
	})
}

// place moves the staged file into place, and replaces an existing one.
func (j *journal) place(name string) error {
	if err := j.before("rename", name); err != nil {
		return err
	}
	return uninterrupted(func() error {
		return unix.Renameat(int(j.from.Fd()), name, int(j.to.Fd()), name)
	})
}

// exchange exchanges the staged file and the existing one atomically. The error is
// an errors.ErrUnsupported if the file system can't do that.
func (j *journal) exchange(name string) error {
	if err := j.before("exchange", name); err != nil {
		return err
	}
	return renameat2(j.from, j.to, name, name, unix.RENAME_EXCHANGE)
}

// renameNew moves a file from one directory to another, unless the new name exists.
// The error is an errors.ErrUnsupported if the file system can't do that atomically.
func renameNew(from, to *os.File, old, name string) error {
	return renameat2(from, to, old, name, unix.RENAME_NOREPLACE)
}

func renameat2(from, to *os.File, old, name string, flags uint) error {
	err := uninterrupted(func() error {
		return unix.Renameat2(int(from.Fd()), old, int(to.Fd()), name, flags)
	})
	// Sandboxes refuse unknown calls with EPERM. If EPERM is about the file, the
	// plain rename that follows fails with it too.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
		return errors.ErrUnsupported
	}
	return err
}
