package cli

import (
	"sync"
	"time"
)

// A machine that runs tests can be too slow for completion's timeout.
func init() { patience = time.Minute }

// SetPatience changes how long completion waits for names, and returns the old value. No
// command may run meanwhile.
func SetPatience(d time.Duration) (before time.Duration) {
	before, patience = patience, d
	return before
}

// OneAtATime is held while a command line is parsed and run: the library keeps the state
// of --help in a global variable, because it expects one command per program.
var OneAtATime sync.Mutex
