// Package space checks whether a disk has room before anything is written to it.
package space

import (
	"fmt"
	"math"
	"syscall"
)

// Error reports a disk with too little space. It is an [syscall.ENOSPC].
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

// Check returns an [*Error] if the disk of dir has less than need bytes for this user. If
// that is unknown, it returns nil.
func Check(dir string, need int64) error {
	if free := Free(dir); need > free {
		return &Error{dir, need, free}
	}
	return nil
}

// Unknown is what [Free] and [FreeFiles] return if the disk doesn't tell.
const Unknown = math.MaxInt64

// FreeFiles returns how many files can be created on the disk of dir, or Unknown. Some
// file systems have no limit.
func FreeFiles(dir string) int64 { return freeFiles(dir) }

// Free returns how many bytes this user may write to the disk of dir, or Unknown.
func Free(dir string) int64 {
	if bytes, known := free(dir); known {
		return bytes
	}
	return Unknown
}
