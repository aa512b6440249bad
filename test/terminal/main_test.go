// Package terminal shows the program at work on terminals: pseudo terminals of its own,
// and those of tmux. The time that progress shows is that of a clock that the test moves,
// and the server waits for the test, so each screen is the same however busy the machine
// is.
package terminal

import (
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) { harness.MainOf(m, "./staged") }
