package program

import (
	"os"
	"time"
)

// patience is how long a run may take to undo what it did before a second signal ends it.
// timeout(1) signals its child and then the group that the child is in, and a terminal
// signals a wrapper, which passes it on: what arrives at once is one signal.
const patience = time.Second

// watch calls stop with the first signal, and exit with the first one that comes
// [patience] after it, or later.
func watch(signals <-chan os.Signal, stop, exit func(os.Signal)) {
	stop(<-signals)
	first := time.Now()
	for s := range signals {
		if time.Since(first) >= patience {
			exit(s)
			return
		}
	}
}
