package cli

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// A terminal has a bar that is less wide than it, by a ^C; a job log has none, though a runner
// may give it a terminal.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	w := &screen{to: newTerminal(t, 40)}
	c := cli.NewContext(&cli.App{ErrWriter: w}, flag.NewFlagSet("", flag.ContinueOnError), nil)
	s := &session{}
	b, ok := newProgress(c, s).view.(*bar)
	if !ok || b.line.width() != 38 {
		t.Errorf("no bar that fits a terminal: %+v", b)
	}
	s.cfg.InCI = true
	view := newProgress(c, s).view
	if _, ok := view.(*messages); !ok {
		t.Errorf("%T in a job log", view)
	}
	w.to = newTerminal(t, 0)
	if got := (bottom{w}).width(); got != barWidth {
		t.Errorf("%d characters where nobody knows how many there are", got)
	}
}

// newTerminal is the near end of a new pseudo-terminal.
func newTerminal(t *testing.T, columns uint16) *os.File {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() }) // nobody reads it
	fd := int(far.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	near, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() }) // idem
	if err := unix.IoctlSetWinsize(int(near.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return near
}
