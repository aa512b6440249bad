// Package cli is the command line: each command reads its flags into options, and runs
// with those. What it does is in packages below, which know no flags and print nothing.
//
//	app.go        the program: its commands, and what happens to their errors
//	flags.go      the flags of every command, and the ARTIFETCH_ variables of all flags;
//	              flags_query.go, flags_extract.go, flags_output.go: groups of flags that
//	              commands share. Each file has the flags, the options, and how the ones
//	              become the others
//	mistakes.go   unknown commands and flags, and what was meant
//	query.go      which project and job an argument means
//	connect.go    options and environment → a session: clients, resolver, logger
//	log.go        messages during a run, and its result
//	fetch.go …    a command each: flags → options → run(ctx, options, console)
//
// What errors mean is in internal/failure, and proposals in internal/meant;
// internal/arrange, internal/help and internal/complete do what the library for flags
// can't.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
	"github.com/sethvargo/go-envconfig"
	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/complete"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/help"
	"gitlab.com/artifetch/artifetch/internal/console"
)

// Version is set by the build. Empty means a build without it.
var Version string

// version returns Version, or the module's version that go install records.
func version() string {
	if Version != "" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// IO is where output goes: results to Out, everything else to Err. Answers to
// questions come from In.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Clock    func() time.Time // of what progress shows; nil means the machine's
}

// Run runs the command in args and returns its exit code.
func Run(ctx context.Context, args []string, out IO) int {
	limitMemory()
	if len(args) > 1 && args[1] == complete.Command {
		if complete.Answer(args[2:], out.Out, func(before []string, current string) []complete.Word { return completions(ctx, before, current) }) != nil {
			return int(failure.CodeLocal)
		}
		return int(failure.CodeDone)
	}
	con := console.New(out.In, out.Out, out.Err)
	con.Clock = out.Clock
	con.SetColours(env.ReadDisplay(envconfig.OsLookuper()).Coloured(con.Watched()))
	app, page := newApp(con), &keptError{w: con.Out}
	app.Writer = page
	args, page.all = help.TakeAll(args)
	app.Metadata = map[string]any{typedArgs: args[min(1, len(args)):]}
	arranged, err := arrange.Args(app, args)
	if err == nil {
		err = cmp.Or(app.RunContext(ctx, arranged), page.err)
	}
	switch err = failure.Stopped(ctx, err); {
	case failure.ReaderLeft(out.Out, err):
		return int(failure.CodePipe)
	case err == nil, errors.Is(err, errShown):
		return int(failure.CodeDone)
	case is[*explainedError](err):
		return int(failure.Of(err))
	}
	return failure.Report(con, err, flagsOf(app, args))
}

// flagsOf returns the flags of the command in args, including the global ones.
func flagsOf(app *cli.App, args []string) failure.Flags {
	path := arrange.Read(app, args[min(1, len(args)):]).Path
	names := flagNames(app.Flags)
	if c := commandAt(app, path); c != nil {
		names = append(names, flagNames(c.Flags)...)
	}
	return failure.Flags{Names: append(names, "help"), Manifest: len(path) == 1 && path[0] == "sync"}
}

// keptError keeps the first error of writing help, which the library ignores.
type keptError struct {
	w   io.Writer
	err error
	all bool // help shows every flag
}

// Whole implements [help.Whole].
func (k *keptError) Whole() bool { return k.all }

// Write implements [io.Writer].
func (k *keptError) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	k.err = cmp.Or(k.err, err)
	return n, err
}

// The libraries have one of each for all apps.
func init() {
	cli.HelpPrinter = help.Print
	zerolog.ErrorMarshalFunc = func(err error) any { return failure.Text(err) }
}

func newApp(con *console.Console) *cli.App {
	app := &cli.App{
		Name:      "artifetch",
		Usage:     "fetch the artifacts of GitLab CI jobs",
		UsageText: "artifetch [global flags] COMMAND [flags] [PATH…]",
		Description: `Every flag --some-flag can be given as the variable ARTIFETCH_SOME_FLAG.

  artifetch fetch --ref main --job build
  artifetch ls --ref main --job build
  artifetch explain --ref main --job biuld`,
		HideVersion: true, // the library's flag would take -v
		Before:      func(c *cli.Context) error { return showVersion(c, con) },
		Reader:      con.In,
		Writer:      con.Out,
		ErrWriter:   con.Err,
		Flags:       append(globalFlags(), cli.HelpFlag), // the library only adds it if there is no command help
		Commands:    []*cli.Command{fetchCommand(con), lsCommand(con), catCommand(con), resolveCommand(con), explainCommand(con), extractCommand(con), keepCommand(con), deleteCommand(con), jobsCommand(con), jobCommand(con), syncCommand(con), verifyCommand(con), doctorCommand(con), completionCommand(con), help.Command(printHelp), help.Version(printVersion)},
		// A comma is part of a glob such as {a,b}/**.
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true,
		Suggest:                   true,
		OnUsageError:              onUsageError,
		// Only main ends the process.
		ExitErrHandler: func(*cli.Context, error) {},
		Action:         noCommand,
	}
	for _, c := range app.Commands {
		for _, c := range append(c.Subcommands, c) {
			c.OnUsageError = onUsageError
			c.HideHelpCommand = true
			keepSpaces(c.Flags)
			switch {
			case c.Name == "help", c.Name == "version": // mistakes in the environment don't concern them
			case len(c.Subcommands) == 0:
				c.Before = func(c *cli.Context) error { return readFlags(c, con) }
			case len(c.Flags) > 0: // for a group, Before would also run before its subcommands
				c.Action = withFlags(con, c.Action)
			}
		}
	}
	return app
}

// keepSpaces keeps the library from changing values of flags that may be repeated, such as
// a file name that ends with a space.
func keepSpaces(flags []cli.Flag) {
	for _, f := range flags {
		if f, repeats := f.(*cli.StringSliceFlag); repeats {
			f.KeepSpace = true
		}
	}
}

// withFlags sets flags from the environment before an action.
func withFlags(con *console.Console, do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if err := readFlags(c, con); err != nil {
			return err
		}
		return do(c)
	}
}

// memoryLimit is the garbage collector's soft limit, in bytes. Live memory is limited
// below that (see extract and fetch); without a limit, the collector would let garbage
// grow to the same size again.
const memoryLimit = 48 << 20

func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// errShown ends a run that has shown what the user asked for.
var errShown = errors.New("shown")

func showVersion(c *cli.Context, con *console.Console) error {
	if !readGlobal(c).version {
		return nil
	}
	if _, err := fmt.Fprintln(con.Out, versionLine()); err != nil {
		return err
	}
	return errShown
}

// printVersion is the action of the command version.
func printVersion(c *cli.Context) error {
	if c.Args().Present() {
		return usage("version takes no argument", "artifetch help COMMAND shows the help of a command")
	}
	_, err := fmt.Fprintln(c.App.Writer, versionLine())
	return err
}

func versionLine() string {
	return fmt.Sprintf("artifetch %s (%s, %s/%s)", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// action returns a command's action: it reads its flags into options, and runs with
// those. run gets neither flags nor standard streams, so tests can call it without [Run].
func action[O any](con *console.Console, read func(*cli.Context) (O, error), run func(context.Context, O, *console.Console) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		o, err := read(c)
		if err != nil {
			return err
		}
		return run(c.Context, o, con)
	}
}

// usage returns an error about the command line: what is wrong, and what to do about it.
func usage(what, next string) error { return failure.Usage(what, next) }

// Signal is the cancellation cause of a context that a signal ended.
type Signal = failure.Signal

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
