package cli

import (
	"sync"
	"time"
)

// A machine that runs tests can be too busy for a person's patience.
func init() { patience = time.Minute }

// SetPatience changes how long completion waits for names, and returns what it was. No
// command may run meanwhile.
func SetPatience(d time.Duration) (before time.Duration) {
	before, patience = patience, d
	return before
}

// OneAtATime is held while a command line is parsed and run: the library keeps the state
// of --help in a variable of the whole program, which runs one command.
var OneAtATime sync.Mutex
