// Package openfiles knows how many files and connections a process may have open.
// Some containers and shells allow 64 or fewer.
package openfiles

import (
	"errors"
	"syscall"
)

// Exhausted reports whether err says that no more files can be opened, by this
// process or by the machine.
func Exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// Share is how many of limit a part of the program may use: one in so many of
// those that are left when the program has what it always needs, within bounds.
func Share(limit, part, least, most int) int {
	return min(max((limit-always)/part, least), most)
}

// always is how many files a run needs for itself: the three of every process,
// those of the runtime, the directories of a stage with their lock, and the
// connection to the API.
const always = 20
