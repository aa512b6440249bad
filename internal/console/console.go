// Package console prints everything that a run prints, and asks its questions. It knows
// neither GitLab nor flags. A command gets one [Console] and prints nowhere else.
//
//	console.go   Console: the three streams of a run
//	screen.go    standard error: one write is one message, without credentials
//	progress.go  what a run waits for, bytes done and to do (rate.go) → lines below the
//	             messages (live.go), or now and then a message (messages.go)
//	section.go   sections of a GitLab job log
//	style.go     colours
//	table.go     rows in columns: tables and pairs of a name and a value
//	columns.go   how wide the columns are
//	json.go      results and messages for programs
//	ansi.go      the log of a job, without the control sequences that can do harm
//	confirm.go   questions, where a person can answer them
//	units.go     sizes, times and spans
//
// Results go to standard output, everything about them to standard error. Callers
// escape the text that they print; tables, pairs, questions and headings do it here
// ([printable.Text]). The screen masks credentials in all that goes through it
// ([redact.Secrets]).
package console

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Console is where a run reads and writes.
type Console struct {
	// In is standard input, where a person answers questions.
	In io.Reader
	// Out is standard output as it is, for the contents of archives and logs. Text from
	// a server may contain a credential, so it goes to [Console.Masked].
	Out io.Writer
	// Err is standard error, with every credential masked. One write is one message.
	Err io.Writer
	// Clock tells the time of what progress shows; nil means the machine's. Its pace of
	// drawing is always the machine's.
	Clock func() time.Time

	screen *screen
}

// New returns a console of three streams.
func New(in io.Reader, out, err io.Writer) *Console {
	s := &screen{to: err}
	return &Console{In: in, Out: out, Err: s, screen: s}
}

// Hide masks the token from now on, and in messages also other secrets. Results only mask
// the token: servers never echo the other secrets in data, and a header's value may be
// any word. A run prints before it has read the token.
func (c *Console) Hide(token string, others ...string) {
	c.screen.token.Store(redact.New(token))
	c.screen.secrets.Store(redact.New(append(others, token)...))
}

// Masked is standard output for results, with the token masked.
func (c *Console) Masked() io.Writer { return c.screen.token.Load().Writer(c.Out) }

// Told is standard output for messages about a run, masked as messages are.
func (c *Console) Told() io.Writer { return c.screen.mask(c.Out) }

// SetJSON says whether programs read the messages.
func (c *Console) SetJSON(on bool) { c.screen.json.Store(on) }

// JSON reports whether programs read the messages.
func (c *Console) JSON() bool { return c.screen.json.Load() }

// Watched reports whether the messages go to a terminal.
func (c *Console) Watched() bool { return isTerminal(c.screen.to) }

// AtTerminal reports whether a person runs the program: the messages go to a terminal, or
// the input comes from one.
func (c *Console) AtTerminal() bool { return c.Watched() || isTerminal(c.In) }

// OutIsTerminal reports whether the results go to a terminal.
func (c *Console) OutIsTerminal() bool { return isTerminal(c.Out) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
