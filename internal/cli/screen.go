package cli

import (
	"io"
	"os"
	"sync/atomic"

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
}

// Write implements [io.Writer]; one call is one message.
func (s *screen) Write(p []byte) (int, error) {
	return s.secrets.Load().Writer(s.to).Write(p)
}

// hide masks the secret from now on.
func (s *screen) hide(secret env.Secret) { s.secrets.Store(redact.New(secret.Reveal())) }

// isTerminal reports whether a person watches.
func (s *screen) isTerminal() bool {
	f, ok := s.to.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
