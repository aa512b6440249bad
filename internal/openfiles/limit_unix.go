//go:build unix

package openfiles

import (
	"math"

	"golang.org/x/sys/unix"
)

// Limit returns how many files the process may have open. Package os raises the soft
// limit to the hard one at start.
func Limit() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return math.MaxInt
	}
	return int(min(uint64(r.Cur), math.MaxInt)) //nolint:gosec,unconvert // signed on some systems
}
