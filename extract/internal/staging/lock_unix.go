//go:build unix

package staging

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock is a file that is locked until release, or until the process ends.
type lock struct{ file *os.File }

// takeLock opens the file, with flags of [os.OpenFile] if it is to be created,
// and locks it without waiting. The error is an errors.ErrUnsupported if the file
// system has no locks.
func takeLock(path string, create int) (*lock, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // it was not used
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			err = errHeld
		case errors.Is(err, unix.ENOLCK): // NFS without a lock daemon
			err = errors.Join(errors.ErrUnsupported, err)
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return &lock{f}, nil
}

// holds reports whether the file at path is still the one that is locked.
func (l *lock) holds(path string) bool {
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

// remove removes the file at path, and releases it. Runs that wait for it notice.
func (l *lock) remove(path string) {
	_ = os.Remove(path) // the next commit takes it, and tries again
	l.release()
}

func (l *lock) release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}
