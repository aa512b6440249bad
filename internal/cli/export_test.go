package cli

import "time"

// A machine that runs tests can be too busy for a person's patience.
func init() { patience = time.Minute }

// SetPatience changes how long completion waits for names, and returns what it was. No
// command may run meanwhile.
func SetPatience(d time.Duration) (before time.Duration) {
	before, patience = patience, d
	return before
}
