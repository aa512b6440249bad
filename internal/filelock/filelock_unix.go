//go:build unix

package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Lock is a file that is locked until Release, or until the process ends.
type Lock struct{ file *os.File }

// Take opens the file, with flags of [os.OpenFile] if it should be created,
// and locks it without waiting. The error is an errors.ErrUnsupported if the file
// system has no locks.
func Take(path string, create int) (*Lock, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // it was not used
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			err = ErrHeld
		case errors.Is(err, unix.ENOLCK): // NFS without a lock daemon
			err = errors.Join(errors.ErrUnsupported, err)
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return &Lock{f}, nil
}

// CanHold says whether the system has [Hold].
const CanHold = true

// Hold locks an open file without waiting. It stays locked until Release, even if the
// file is closed before. The error is [ErrHeld] if another one holds it, and an
// errors.ErrUnsupported if the file system has no locks.
func Hold(f *os.File) (*Lock, error) {
	// The lock belongs to the open file, which ends with its last descriptor: flock(2).
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = unix.Close(fd) // it was not used
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrHeld
		}
		return nil, errors.Join(errors.ErrUnsupported, err)
	}
	return &Lock{os.NewFile(uintptr(fd), f.Name())}, nil
}

// Holds reports whether the file at path is still the one that is locked.
func (l *Lock) Holds(path string) bool {
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

// Remove removes the file at path, and releases it. Runs that wait for it notice.
func (l *Lock) Remove(path string) {
	_ = os.Remove(path) // the next one that takes it tries again
	l.Release()
}

// Release unlocks the file. It may be called of nil.
func (l *Lock) Release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}
