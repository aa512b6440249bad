package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/redact"
	"gitlab.com/artifetch/artifetch/resolve"
)

// failure is an error of the command line's own.
type failure struct {
	code       code
	what, hint string // what is wrong, and what to do next
}

// usage is a failure of whoever wrote the command line.
func usage(what, hint string) error { return &failure{codeUsage, what, hint} }

// Error implements error.
func (e *failure) Error() string { return e.what }

// Hint says what to do next.
func (e *failure) Hint() string { return e.hint }

// hinter is an error that knows what to do next.
type hinter interface{ Hint() string }

// report says what happened in at most four lines: what, what to do next, the
// server's request id. It returns the exit code. File names and the server's
// words may hold control characters, which must not reach a terminal.
func report(con *console.Console, err error) int {
	exit := exitCode(err)
	if con.JSON() {
		reportJSON(con.Messages(), err)
		return int(exit)
	}
	lines := []string{"artifetch: " + firstLine(redact.Error(err).Error())}
	if hint := hintOf(err); hint != "" {
		lines = append(lines, "  "+firstLine(hint))
	}
	if id := requestID(err); id != "" && !strings.Contains(lines[0], id) {
		lines = append(lines, "  request id: "+id)
	}
	_, _ = fmt.Fprintln(con.Err, strings.Join(lines, "\n"))
	return int(exit)
}

// reportJSON says the same to programs, as a message of the log.
func reportJSON(w io.Writer, err error) {
	log := zerolog.New(w).With().Timestamp().Logger()
	event := log.Error().Int("code", int(exitCode(err)))
	if r, ok := errors.AsType[interface {
		error
		Reason() resolve.Reason
	}](err); ok {
		event = event.Str("reason", string(r.Reason()))
	}
	if hint := hintOf(err); hint != "" {
		event = event.Str("hint", hint)
	}
	if id := requestID(err); id != "" {
		event = event.Str("request_id", id)
	}
	event.Msg(firstLine(redact.Error(err).Error()))
}

// hintOf is what to do about an error, or "".
func hintOf(err error) string {
	return cmp.Or(ownHint(err), localHint(err))
}

func asHinter(err error) (hinter, bool) {
	var h hinter
	ok := errors.As(err, &h)
	return h, ok
}

func requestID(err error) string {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		return printable.Text(refusal.RequestID)
	}
	return ""
}

// firstLine keeps a message to one line of printable text. Joined errors that say the
// same say it once.
func firstLine(text string) string {
	var lines []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return printable.Text(strings.Join(lines, "; "))
}
