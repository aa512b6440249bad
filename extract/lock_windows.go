package extract

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock is a file that is locked until release, or until the process ends.
type lock struct{ file *os.File }

// takeLock creates the file if need be and locks it, without waiting.
func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)); err != nil {
		_ = f.Close() // it was not used
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return &lock{f}, nil
}

func (l *lock) release() {
	if l != nil {
		_ = l.file.Close() // which unlocks it
	}
}
