//go:build unix

package program

import (
	"os/signal"
	"syscall"
)

// ignoreLimitSignals makes a write beyond the file size limit (ulimit -f) fail with
// EFBIG. Otherwise SIGXFSZ would kill the program, with a stack trace, and it would
// leave its staging directory behind.
func ignoreLimitSignals() { signal.Ignore(syscall.SIGXFSZ) }
