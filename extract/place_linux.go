package extract

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a commit does with one file is done by its base name in directories that
// are open: an [os.Root] would open all directories above it for each call.

// identity tells files apart. The zero value is no file's.
type identity struct{ dev, ino uint64 }

func (i identity) isThatOf(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && i == identity{uint64(st.Dev), st.Ino} //nolint:unconvert // smaller on some machines
}

// identify finds the staged file.
func (j *journal) identify(name string) (identity, error) {
	if err := j.before("lstat", name); err != nil {
		return identity{}, err
	}
	var st unix.Stat_t
	err := uninterrupted(func() error {
		return unix.Fstatat(int(j.from.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	return identity{uint64(st.Dev), st.Ino}, err //nolint:unconvert // idem
}

// link gives what is there a second name, in old/.
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

// place puts the staged file into its place, and replaces what is there.
func (j *journal) place(name string) error {
	if err := j.before("rename", name); err != nil {
		return err
	}
	return uninterrupted(func() error {
		return unix.Renameat(int(j.from.Fd()), name, int(j.to.Fd()), name)
	})
}

// exchange exchanges the staged file and what is there. The error is an
// errors.ErrUnsupported where the file system cannot do so in one step.
func (j *journal) exchange(name string) error {
	if err := j.before("exchange", name); err != nil {
		return err
	}
	return renameat2(j.from, j.to, name, name, unix.RENAME_EXCHANGE)
}

// renameNew moves a file from one directory to another, and fails if anything has
// the new name there. The error is an errors.ErrUnsupported where the file system
// cannot do so in one step.
func renameNew(from, to *os.File, old, name string) error {
	return renameat2(from, to, old, name, unix.RENAME_NOREPLACE)
}

func renameat2(from, to *os.File, old, name string, flags uint) error {
	err := uninterrupted(func() error {
		return unix.Renameat2(int(from.Fd()), old, int(to.Fd()), name, flags)
	})
	// Sandboxes forbid what they do not know with EPERM. If it is the file that may
	// not be moved, the plain call says so, too.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
		return errors.ErrUnsupported
	}
	return err
}
