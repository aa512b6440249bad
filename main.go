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
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		caught := <-signals
		signal.Stop(signals) // a second one ends the program at once
		cancel(cli.Signal{Signal: caught})
	}()
	os.Exit(cli.Run(ctx, os.Args, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
