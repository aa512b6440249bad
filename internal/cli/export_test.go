package cli

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
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

// TokenFile writes a token to a file, and returns its path.
func TokenFile(t *testing.T, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
