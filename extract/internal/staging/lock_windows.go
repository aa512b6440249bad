package staging

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock is a file that is locked until release, or until the process ends.
type lock struct{ file *os.File }

// takeLock opens the file, with flags of [os.OpenFile] if it is to be created,
// and locks it without waiting.
func takeLock(path string, create int) (*lock, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)); err != nil {
		_ = f.Close() // it was not used
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			err = errHeld
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return &lock{f}, nil
}

// holds returns true: an open file can't be removed.
func (*lock) holds(string) bool { return true }

// remove releases the file at path, and removes it unless someone else has opened it.
func (l *lock) remove(path string) {
	l.release()
	_ = os.Remove(path) // the next commit takes it, and tries again
}

func (l *lock) release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}
