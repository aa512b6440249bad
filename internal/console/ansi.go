package console

import (
	"bytes"
	"io"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// LogFilter passes on the log of a job without harmful control sequences. The author of a
// job chooses what its log contains, and a terminal executes what it reads (ECMA-48): a
// log could change its title, its contents, its clipboard.
//
// With colours, the sequences for colours and for erasing a line stay. Without, only text
// does. If a carriage return overwrites a line, it passes on only the last text, which
// also removes the markers of GitLab's sections.
type LogFilter struct {
	out     io.Writer
	colours bool

	state func(*LogFilter, byte)
	seq   []byte // the escape sequence so far
	rune  []byte // the bytes so far of a character beyond ASCII
	line  []byte // text that isn't passed on yet
	cr    bool   // the last character was a carriage return
}

// NewLogFilter returns a filter that writes to out. Call Flush at the end of the log.
func NewLogFilter(out io.Writer, colours bool) *LogFilter {
	return &LogFilter{out: out, colours: colours}
}

// maxLine is how much of a line is buffered, in bytes.
const maxLine = 64 << 10

// Write implements [io.Writer].
func (a *LogFilter) Write(p []byte) (int, error) {
	for _, b := range p {
		if a.state == nil {
			a.text(b)
		} else {
			a.state(a, b)
		}
		if len(a.line) >= maxLine {
			if err := a.Flush(); err != nil {
				return 0, err
			}
		}
	}
	if a.colours {
		return len(p), a.Flush()
	}
	end := bytes.LastIndexByte(a.line, '\n') + 1 // the rest may still be overwritten
	_, err := a.out.Write(a.line[:end])
	a.line = append(a.line[:0], a.line[end:]...)
	return len(p), err
}

// Flush passes on a last line without an end.
func (a *LogFilter) Flush() error {
	_, err := a.out.Write(a.line)
	a.line = a.line[:0]
	return err
}

func (a *LogFilter) text(b byte) {
	if a.cr && !a.colours && b != '\n' && b != '\r' {
		a.line = a.line[:bytes.LastIndexByte(a.line, '\n')+1]
	}
	a.cr = b == '\r'
	switch {
	case b == 0x1b:
		a.seq, a.state = append(a.seq[:0], b), (*LogFilter).escape
	case b >= utf8.RuneSelf:
		a.rune = a.rune[:0]
		a.beyond(b)
	case b == '\r' && !a.colours:
	case !printable.Hidden(rune(b)), b == '\n', b == '\t', b == '\r':
		a.line = append(a.line, b)
	}
}

// beyond collects the bytes of a character beyond ASCII. It replaces bytes that
// aren't UTF-8: an 8-bit terminal might take them for control characters.
func (a *LogFilter) beyond(b byte) {
	a.rune = append(a.rune, b)
	a.state = (*LogFilter).beyond
	if !utf8.FullRune(a.rune) {
		return
	}
	a.state = nil
	switch r, n := utf8.DecodeRune(a.rune); {
	case r == utf8.RuneError && n == 1:
		a.line = append(a.line, "\ufffd"...)
		if len(a.rune) > 1 {
			a.text(b) // it starts the next character
		}
	case r == csi:
		a.seq, a.state = append(a.seq[:0], 0x1b, '['), (*LogFilter).control
	case !printable.Hidden(r):
		a.line = append(a.line, a.rune...)
	}
}

// csi is the single-character form of ESC [, the control sequence introducer.
const csi = 0x9b

func (a *LogFilter) escape(b byte) {
	a.seq = append(a.seq, b)
	switch {
	case b == '[':
		a.state = (*LogFilter).control
	case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_': // a string begins
		a.state = (*LogFilter).ignored
	case b >= 0x20 && b <= 0x2f: // intermediate
	default:
		a.state = nil
	}
}

// maxSequence is the longest escape sequence that is passed on.
const maxSequence = 64

// control collects a control sequence, up to its final byte.
func (a *LogFilter) control(b byte) {
	if b < 0x20 || b > 0x7e { // it is incomplete
		a.state = nil
		a.text(b)
		return
	}
	if len(a.seq) < maxSequence {
		a.seq = append(a.seq, b)
	}
	if b < 0x40 {
		return
	}
	a.state = nil
	if a.colours && (b == 'm' || b == 'K') && len(a.seq) < maxSequence {
		a.line = append(a.line, a.seq...)
	}
}

// ignored skips a string for the terminal itself, up to BEL or ESC \.
func (a *LogFilter) ignored(b byte) {
	switch b {
	case 0x07:
		a.state = nil
	case 0x1b:
		a.state = (*LogFilter).escape
	}
}
