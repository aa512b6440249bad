// Artifetch fetches the artifacts of GitLab CI jobs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

func main() {
	ignoreLimitSignals()
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // by nohup, or by a shell for what runs in the background
			signal.Notify(signals, s)
		}
	}
	// Writing to a pipe that nothing reads is an error, not the end: what was staged
	// has to be removed.
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		cancel(cli.Signal{Signal: <-signals})
		again := cli.Signal{Signal: <-signals} // a second one ends the program at once
		os.Exit(again.ExitCode())
	}()
	os.Exit(cli.Run(ctx, os.Args, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
