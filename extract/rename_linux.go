package extract

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew moves name from one directory to another, and fails if anything has
// that name there. The error is an errors.ErrUnsupported where the file system
// cannot do so in one step: renameat2(2).
func renameNew(from, to *os.File, name string) error {
	err := uninterrupted(func() error {
		return unix.Renameat2(int(from.Fd()), name, int(to.Fd()), name, unix.RENAME_NOREPLACE)
	})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err
}
