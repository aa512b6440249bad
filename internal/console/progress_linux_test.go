package console

import (
	"os"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/console/consoletest"
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
	_, near := consoletest.Terminal(t, 24, columns)
	t.Cleanup(func() { _ = near.Close() }) // nobody reads what it shows
	return near
}
