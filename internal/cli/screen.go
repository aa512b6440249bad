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
