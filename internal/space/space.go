// Package space tells whether a disk has room before anything is written to it.
package space

import (
	"fmt"
	"math"
	"syscall"
)

// Error reports a disk that is too small for what is to come. It is an
// [syscall.ENOSPC].
type Error struct {
	Dir        string
	Need, Free int64 // bytes
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("no space left on the disk of %s: %d bytes are needed, %d are free", e.Dir, e.Need, e.Free)
}

// Unwrap gives the error that writing would have ended with.
func (e *Error) Unwrap() error { return syscall.ENOSPC }

// Hint says what to do next.
func (*Error) Hint() string {
	return "nothing was written; make room, choose another directory, or take fewer files"
}

// Check returns an [*Error] if the disk of dir has less than need bytes that this
// user may take. Where nobody knows, writing will tell.
func Check(dir string, need int64) error {
	if free := Free(dir); need > free {
		return &Error{dir, need, free}
	}
	return nil
}

// Free is how many bytes this user may take of the disk of dir; as many as can be
// where nobody knows.
func Free(dir string) int64 {
	if bytes, known := free(dir); known {
		return bytes
	}
	return math.MaxInt64
}
