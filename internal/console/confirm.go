package console

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/ctxio"
	"gitlab.com/artifetch/artifetch/internal/printable"
)

// Confirm asks the person at the terminal a question and reports whether the answer is
// yes. It returns false without a terminal: see [Console.Attended].
func (c *Console) Confirm(ctx context.Context, question string) (yes bool, err error) {
	tty, done := c.terminal()
	if tty == nil {
		return false, nil
	}
	defer done()
	if _, err := fmt.Fprintf(tty, "%s [y/N] ", printable.Text(question)); err != nil {
		return false, err
	}
	answer, err := bufio.NewReader(ctxio.Abandon(ctx, c.In)).ReadString('\n')
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(tty) // start a new line
		return false, context.Cause(ctx)
	}
	if err != nil && answer == "" {
		return false, nil // the terminal was closed
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// Attended reports whether a person can read a question and answer it.
func (c *Console) Attended() bool {
	tty, done := c.terminal()
	done()
	return tty != nil
}

// terminal returns where to print a question: the terminal itself, because standard error
// may be a file. It returns nil without a terminal.
func (c *Console) terminal() (tty io.Writer, done func()) {
	if !isTerminal(c.In) {
		return nil, func() {}
	}
	if f, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return f, func() { _ = f.Close() }
	}
	if c.Watched() { // Windows
		return c.Err, func() {}
	}
	return nil, func() {}
}
