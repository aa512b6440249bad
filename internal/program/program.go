// Package program is the whole program: the command line with the signals and limits of
// a process around it. The root's main calls it.
package program

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// Main runs the command line with the process's arguments and files, and exits with the
// code that [cli.Run] returns. The first SIGINT, SIGTERM or SIGHUP cancels what is
// running; one that comes a second later, or after that, exits at once.
func Main() {
	checkLimits()
	ignoreLimitSignals()
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // by nohup, or by a shell for what runs in the background
			signal.Notify(signals, s)
		}
	}
	// Writing to a pipe that nothing reads is an error, not the end: what was staged
	// must be removed.
	signal.Ignore(syscall.SIGPIPE)
	// Libraries log past our format and our masking of tokens: net/http prints the
	// bytes that a server sends behind an answer.
	log.SetOutput(io.Discard)
	go watch(signals,
		func(s os.Signal) { cancel(cli.Signal{Signal: s}) },
		func(s os.Signal) { os.Exit(cli.Signal{Signal: s}.ExitCode()) })
	os.Exit(cli.Run(ctx, os.Args, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
