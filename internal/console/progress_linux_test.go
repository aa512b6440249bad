package console

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Progress is drawn on a terminal, less wide than it, by a ^C; not in a job log, though a runner
// may give it a terminal.
func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	terminal := New(nil, nil, newTerminal(t, 40))
	b, ok := terminal.Progress(false, nil).view.(*live)
	if !ok || b.lines.width() != 38 {
		t.Errorf("nothing that fits a terminal: %+v", b)
	}
	if view := terminal.Progress(true, nil).view; !isMessages(view) {
		t.Errorf("%T in a job log", view)
	}
	terminal.SetJSON(true)
	if view := terminal.Progress(false, nil).view; !isMessages(view) {
		t.Errorf("%T where programs read the messages", view)
	}
	if got := (bottom{&screen{to: newTerminal(t, 0)}}).width(); got != unknown {
		t.Errorf("%d characters on a terminal of unknown width", got)
	}
}

func isMessages(v view) bool {
	_, ok := v.(*messages)
	return ok
}

// newTerminal is the near end of a new pseudo-terminal.
func newTerminal(t *testing.T, columns uint16) *os.File {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() }) // it is never read
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
