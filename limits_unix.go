//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreLimitSignals makes a write beyond the limit of file sizes (ulimit -f) fail
// with EFBIG, like one to a full disk. SIGXFSZ would end the program with a dump of
// its stacks, and leave a staging directory behind.
func ignoreLimitSignals() { signal.Ignore(syscall.SIGXFSZ) }
