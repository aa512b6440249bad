//go:build unix

package openfiles

import (
	"math"

	"golang.org/x/sys/unix"
)

// Limit is how many files this process may have open. Package os has raised it as
// far as it may be raised.
func Limit() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return math.MaxInt
	}
	return int(min(uint64(r.Cur), math.MaxInt)) //nolint:gosec,unconvert // signed on some systems
}
