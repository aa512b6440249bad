package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/redact"
	"gitlab.com/artifetch/artifetch/resolve"
)

// hinter is an error that knows what to do next.
type hinter interface{ Hint() string }

// report says what happened in at most four lines: what, what to do next, the
// server's request id. It returns the exit code. File names and the server's
// words may hold control characters, which must not reach a terminal.
func report(w io.Writer, err error) int {
	exit := exitCode(err)
	if s, ok := w.(*screen); ok && s.json.Load() {
		reportJSON(w, err)
		return int(exit)
	}
	lines := []string{"artifetch: " + firstLine(redact.Error(err).Error())}
	if h, ok := asHinter(err); ok && h.Hint() != "" {
		lines = append(lines, "  "+firstLine(h.Hint()))
	}
	if id := requestID(err); id != "" && !strings.Contains(lines[0], id) {
		lines = append(lines, "  request id: "+id)
	}
	_, _ = fmt.Fprintln(w, strings.Join(lines, "\n"))
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
	if h, ok := asHinter(err); ok && h.Hint() != "" {
		event = event.Str("hint", h.Hint())
	}
	if id := requestID(err); id != "" {
		event = event.Str("request_id", id)
	}
	event.Msg(firstLine(redact.Error(err).Error()))
}

func asHinter(err error) (hinter, bool) {
	var h hinter
	ok := errors.As(err, &h)
	return h, ok
}

func requestID(err error) string {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		return printable(refusal.RequestID)
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
	return printable(strings.Join(lines, "; "))
}

// printable replaces control characters, escape sequences and the characters
// that turn the direction of writing around by their escapes.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			_, _ = fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
