package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/internal/ctxio"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask", DisableDefaultText: true}
}

// errDeclined ends a run that the user did not want.
var errDeclined = &usageError{"not confirmed: nothing was deleted", "answer y, or give --yes"}

// confirm asks whoever sits at the terminal. Where nobody does, it goes ahead: a
// job has no one to ask.
func confirm(ctx context.Context, c *cli.Context, question string) error {
	if c.Bool("yes") {
		return nil
	}
	tty, done := terminal(c)
	if tty == nil {
		return nil
	}
	defer done()
	if _, err := fmt.Fprintf(tty, "%s [y/N] ", printable.Text(question)); err != nil {
		return err
	}
	answer, err := bufio.NewReader(ctxio.Abandon(ctx, c.App.Reader)).ReadString('\n')
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(tty) // what follows gets a line of its own
		return context.Cause(ctx)
	}
	if err != nil && answer == "" {
		return errDeclined
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errDeclined
	}
	return nil
}

// attended reports whether somebody can read a question and answer it.
func attended(c *cli.Context) bool {
	tty, done := terminal(c)
	done()
	return tty != nil
}

// terminal is where a question is read if the answer is typed: the terminal
// itself, since standard error may go to a file. It is nil if nobody is there.
func terminal(c *cli.Context) (tty io.Writer, done func()) {
	in, ok := c.App.Reader.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, func() {}
	}
	if f, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return f, func() { _ = f.Close() }
	}
	if s, ok := c.App.ErrWriter.(*screen); ok && s.isTerminal() { // Windows
		return s, func() {}
	}
	return nil, func() {}
}
