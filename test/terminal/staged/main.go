// Command staged is the program with a clock that a test moves: progress shows the time in
// a file.
package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Clock: clock}))
}

// clock reads the time, in milliseconds.
func clock() time.Time {
	content, err := os.ReadFile(os.Getenv("TERMINAL_TEST_CLOCK"))
	if err != nil {
		panic(err)
	}
	ms, err := strconv.ParseInt(string(content), 10, 64)
	if err != nil {
		panic(err)
	}
	return time.UnixMilli(ms)
}
