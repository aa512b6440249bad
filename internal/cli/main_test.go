package cli_test

import (
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// command runs a command line.
func command(t *testing.T, args []string, out cli.IO) int {
	t.Helper()
	cli.OneAtATime.Lock()
	defer cli.OneAtATime.Unlock()
	return cli.Run(t.Context(), args, out)
}
