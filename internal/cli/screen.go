package cli

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/redact"
)

// screen is standard error with every credential masked. The token is not
// known yet when the first words are said, so that it is told later.
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

// masked is standard output for what a server says: it may repeat a token. Archives and
// logs go there as they are.
func masked(c *cli.Context) io.Writer {
	if s, ok := c.App.ErrWriter.(*screen); ok {
		return s.mask(c.App.Writer)
	}
	return c.App.Writer
}

// wipe takes the bar away.
func (s *screen) wipe() error {
	if !s.drawn {
		return nil
	}
	s.drawn = false
	_, err := io.WriteString(s.to, "\r\x1b[K")
	return err
}

// hide masks the secrets from now on.
func (s *screen) hide(secrets ...env.Secret) {
	values := make([]string, len(secrets))
	for i, secret := range secrets {
		values[i] = secret.Reveal()
	}
	s.secrets.Store(redact.New(values...))
}

// isTerminal reports whether a person watches.
func (s *screen) isTerminal() bool {
	f, ok := s.to.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bottom is the line below all messages, where a bar is drawn.
type bottom struct{ *screen }

// Write implements [io.Writer]; what it writes takes the place of what it wrote before.
func (b bottom) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn = true
	if _, err := io.WriteString(b.to, "\r"+string(p)+"\x1b[K"); err != nil {
		return 0, err
	}
	return len(p), nil
}

// width is how many characters there may be: a line that is broken cannot be taken
// back. A terminal puts ^C behind it.
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
