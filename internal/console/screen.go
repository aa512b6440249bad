package console

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// screen is standard error with every credential masked, and a bar below the
// messages.
type screen struct {
	to      io.Writer
	secrets atomic.Pointer[redact.Secrets]
	json    atomic.Bool // messages are for programs

	mu    sync.Mutex
	drawn bool // the last line is a bar
}

// Write implements [io.Writer]; one call is one message. A bar makes room for it.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.wipe(); err != nil {
		return 0, err
	}
	return s.mask(s.to).Write(p)
}

// mask masks what goes to w.
func (s *screen) mask(w io.Writer) io.Writer { return s.secrets.Load().Writer(w) }

// wipe takes the bar away.
func (s *screen) wipe() error {
	if !s.drawn {
		return nil
	}
	s.drawn = false
	_, err := io.WriteString(s.to, "\r\x1b[K")
	return err
}

// bottom is the line below all messages, where a bar is drawn.
type bottom struct{ *screen }

// Write implements [io.Writer]; what it writes replaces what it wrote before.
func (b bottom) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn = true
	if _, err := io.WriteString(b.to, "\r"+string(p)+"\x1b[K"); err != nil {
		return 0, err
	}
	return len(p), nil
}

// width is the number of characters that fit: a line that the terminal wraps can't be
// erased. The terminal itself adds the two characters of ^C.
func (b bottom) width() int {
	if f, ok := b.to.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 2 {
			return columns - 2
		}
	}
	return barWidth
}

// clear takes the bar away for good.
func (b bottom) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.wipe() // a terminal that is gone has no bar either
}
