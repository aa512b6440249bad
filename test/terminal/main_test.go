// Package terminal shows the program at work on terminals: pseudo terminals of its own,
// and those of tmux. The time that progress shows is that of a clock that the test moves,
// and the server waits for the test, so each screen is the same whatever the machine has
// to do beside.
package terminal

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/program"
)

func TestMain(m *testing.M) {
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"artifetch": staged})
}

// clockFile is the variable that names the file with the program's time, in
// milliseconds.
const clockFile = "TERMINAL_TEST_CLOCK"

// staged is the program with the clock of the test.
func staged() {
	file := os.Getenv(clockFile)
	if file == "" {
		program.Main()
	}
	os.Exit(cli.Run(context.Background(), os.Args, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Clock: func() time.Time {
		content, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		ms, err := strconv.ParseInt(string(content), 10, 64)
		if err != nil {
			panic(err)
		}
		return time.UnixMilli(ms)
	}}))
}
