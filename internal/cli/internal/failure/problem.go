package failure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Error is the command line's own error.
type Error struct {
	Code       Code
	What, Next string // what is wrong, and what to do about it
}

// Usage returns an error about the command line: what is wrong, and what to do about it.
func Usage(what, hint string) error { return &Error{CodeUsage, what, hint} }

// Error implements error.
func (e *Error) Error() string { return e.What }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Next }

// hinter is an error with a hint.
type hinter interface{ Hint() string }

// Report prints what happened, then why, the refused request, and what to do next, each
// on its own line. It returns the exit code. File names and the server's words may
// contain control characters, which must not reach a terminal. Hints only name flags that
// the command has.
func Report(con *console.Console, err error, has Flags) int {
	exit, hint := Of(err), hintOf(err, has)
	if con.JSON() {
		reportJSON(con.Messages(), err, hint)
		return int(exit)
	}
	what, request := evidence(Text(err), err)
	lines := []string{what}
	if !is[Signal](err) && !is[*Error](err) { // their text is a single statement
		lines = clauses(what)
	}
	lines = append(lines, request...)
	if hint != "" {
		lines = append(lines, FirstLine(hint))
	}
	const name = "artifetch:"
	lines[0] = name + " " + lines[0]
	for i, line := range lines {
		lines[i] = console.Indented(line, con.Columns(), "    ")
	}
	said := strings.TrimPrefix(strings.Join(lines, "\n  "), name)
	_, _ = fmt.Fprintln(con.Err, con.Paint(console.Bad, name)+said) // this can't be reported anywhere
	return int(exit)
}

// reportJSON prints the same for programs, as a log message.
func reportJSON(w io.Writer, err error, hint string) {
	log := zerolog.New(w).With().Timestamp().Logger()
	event := log.Error().Int("code", int(Of(err)))
	if r, ok := errors.AsType[interface {
		error
		Reason() resolve.Reason
	}](err); ok {
		event = event.Str("reason", string(r.Reason()))
	}
	if hint != "" {
		event = event.Str("hint", hint)
	}
	if id := RequestID(err); id != "" {
		event = event.Str("request_id", id)
	}
	event.Msg(Text(err))
}

// hintOf returns what to do about an error, or "".
func hintOf(err error, has Flags) string {
	own := ""
	if h, ok := asHinter(err); ok {
		own = h.Hint()
	}
	if is[*arrange.Error](err) { // it repeats what the user typed
		return own
	}
	return cmp.Or(has.fit(Hint(err)), has.fit(own), localHint(err))
}

func asHinter(err error) (hinter, bool) {
	var h hinter
	ok := errors.As(err, &h)
	return h, ok
}

// RequestID returns the ID of the request that GitLab refused, or "".
func RequestID(err error) string {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		return printable.Text(refusal.RequestID)
	}
	return ""
}

// FirstLine reduces a message to one line of printable text. If joined errors have the
// same text, it appears once.
func FirstLine(text string) string {
	var lines []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return printable.Text(strings.Join(lines, "; "))
}

// Signal is the cancellation cause of a context that a signal ended.
type Signal struct{ Signal os.Signal }

// Error implements error.
func (s Signal) Error() string {
	switch s.Signal {
	case os.Interrupt:
		return "interrupted"
	case syscall.SIGHUP:
		return "the terminal was closed"
	}
	return s.Signal.String()
}

// ExitCode is 128 plus the signal's number, as in shells.
func (s Signal) ExitCode() int { return int(s.code()) }

func (s Signal) code() Code {
	switch s.Signal {
	case os.Interrupt:
		return CodeInterrupted
	case syscall.SIGHUP:
		return CodeHungUp
	}
	return CodeTerminated
}

// Stopped returns the error of a command that ctx ended. A signal explains all errors
// that follow from it, except those that matter afterwards: a request that GitLab may
// have carried out, and the file system.
func Stopped(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil:
		return err
	case is[Signal](cause) && !hasActed(err) && localCode(err) == CodeDone && !is[*extract.RescueError](err):
		if is[*unchangedError](err) {
			return &stoppedError{cause, errUnchanged}
		}
		return cause
	case errors.Is(err, cause):
		return err
	}
	return &stoppedError{cause, err}
}

// Unchanged marks the error of something that does all of its work or none: after a
// failure, files are as before.
func Unchanged(err error) error {
	if err == nil {
		return nil
	}
	return &unchangedError{err}
}

type unchangedError struct{ error }

var errUnchanged = errors.New("nothing was changed")

// Unwrap returns the error.
func (e *unchangedError) Unwrap() error { return e.error }

// hasActed reports whether an error says what happened to a request that changes
// something.
func hasActed(err error) bool {
	several, ok := errors.AsType[*jobs.SeveralError](err)
	return ok && len(several.Done) > 0 || is[*jobs.UnsureError](err) || is[*jobs.RefusedError](err)
}

// stoppedError is an error that came after a run was stopped.
type stoppedError struct{ cause, err error }

// Error implements error.
func (e *stoppedError) Error() string { return e.cause.Error() + "; " + e.err.Error() }

// Unwrap returns both.
func (e *stoppedError) Unwrap() []error { return []error{e.cause, e.err} }

// Hint returns the error's hint. If the error follows from a signal, the hint would
// mislead.
func (e *stoppedError) Hint() string {
	if hasActed(e.err) || !is[Signal](e.cause) {
		return Hint(e.err)
	}
	return ""
}

// ReaderLeft reports whether err means that nothing reads standard output any more, as in
// artifetch ls | head -1. That isn't an error.
func ReaderLeft(out io.Writer, err error) bool {
	f, isFile := out.(*os.File)
	failed, ok := errors.AsType[*fs.PathError](err)
	return isFile && ok && failed.Path == f.Name() && errors.Is(failed, syscall.EPIPE)
}
