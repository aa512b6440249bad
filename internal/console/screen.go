package console

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// screen is standard error with every credential masked, and lines of progress below the
// messages.
type screen struct {
	to      io.Writer
	secrets atomic.Pointer[redact.Secrets] // in messages
	token   atomic.Pointer[redact.Secrets] // in results
	json    atomic.Bool                    // programs read the messages
	colours atomic.Bool                    // messages have colours

	mu    sync.Mutex
	drawn []string // the lines below the messages
}

// Write implements [io.Writer]; one call is one message. Progress makes
// room for it.
func (s *screen) Write(p []byte) (int, error) { return s.writeTo(s.mask(s.to), p) }

// writeTo writes a message to w, which is standard error, masked or not.
func (s *screen) writeTo(w io.Writer, p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.wipe(); err != nil {
		return 0, err
	}
	return w.Write(p)
}

// mask masks messages that go to w.
func (s *screen) mask(w io.Writer) io.Writer { return s.secrets.Load().Writer(w) }

// wipe removes what is drawn below the messages.
func (s *screen) wipe() error {
	if len(s.drawn) == 0 {
		return nil
	}
	_, err := io.WriteString(s.to, s.erase())
	s.drawn = nil
	return err
}

// erase returns the sequence that removes what is drawn: it moves up to its first row and
// erases everything from there.
func (s *screen) erase() string {
	if len(s.drawn) == 0 {
		return ""
	}
	if up := s.rows() - 1; up > 0 {
		return fmt.Sprintf("\r\x1b[%dA\x1b[J", up)
	}
	return "\r\x1b[J"
}

// rows returns how many rows of the terminal the lines occupy: a terminal that becomes
// narrower wraps them.
func (s *screen) rows() (n int) {
	columns := s.columns()
	for _, line := range s.drawn {
		n += max((columnsOf(line)+columns-1)/columns, 1)
	}
	return n
}

// columns returns the terminal's width.
func (s *screen) columns() int {
	if f, ok := s.to.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > caret {
			return columns
		}
	}
	return unknown + caret
}

// bottom is the place below all messages, where progress is drawn.
type bottom struct{ *screen }

// draw replaces the lines there.
func (b bottom) draw(lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = b.mask(b.to).Write([]byte(b.erase() + strings.Join(lines, "\n"))) // if the terminal is gone, nothing can be shown
	b.drawn = lines
}

// caret is the width of ^C, which the terminal itself adds.
const caret = 2

// width is the maximum width of a line: a wrapped line couldn't be erased.
func (b bottom) width() int { return b.columns() - caret }

// clear removes the lines for good.
func (b bottom) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.wipe() // if the terminal is gone, nothing can be shown
}
