package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// Lock is a file that is locked until Release, or until the process ends.
type Lock struct{ file *os.File }

// Take opens the file, with flags of [os.OpenFile] if it should be created,
// and locks it without waiting. The error is [ErrHeld] if
// another one holds it.
func Take(path string, create int) (*Lock, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)); err != nil {
		_ = f.Close() // it was not used
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			err = ErrHeld
		}
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return &Lock{f}, nil
}

// CanHold says whether the system has [Hold]. Windows can't rename an open file.
const CanHold = false

// Hold returns an errors.ErrUnsupported.
func Hold(*os.File) (*Lock, error) { return nil, errors.ErrUnsupported }

// Holds returns true: an open file can't be removed.
func (*Lock) Holds(string) bool { return true }

// Remove releases the file at path, and removes it unless someone else has opened it.
func (l *Lock) Remove(path string) {
	l.Release()
	_ = os.Remove(path) // the next one that takes it tries again
}

// Release unlocks the file. It may be called of nil.
func (l *Lock) Release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}
