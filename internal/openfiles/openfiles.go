// Package openfiles returns how many files and connections the process may have open.
// Some containers and shells allow only 64.
package openfiles

import (
	"errors"
	"syscall"
)

// Exhausted reports whether err says that too many files are open, in this process or
// on the whole machine.
func Exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// Share returns how many files a part of the program may have open: of limit, less
// those that every run needs, a fraction of 1/part, but at least least and at most
// most.
func Share(limit, part, least, most int) int {
	return min(max((limit-always)/part, least), most)
}

// always is how many files every run needs: standard input and output, those of the
// Go runtime, the stage's directories and lock, and the connection to the API.
const always = 20
