package cli_test

import (
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// oneAtATime is held while a command runs: the library keeps the state of --help
// in a variable of the whole program, which runs one command.
var oneAtATime sync.Mutex

// command runs a command line.
func command(t *testing.T, args []string, out cli.IO) int {
	t.Helper()
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	return cli.Run(t.Context(), args, out)
}
