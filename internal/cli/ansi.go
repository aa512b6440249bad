package cli

import (
	"bytes"
	"io"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// ansi passes the log of a job on without what could do harm or be in the way. A
// log is written by whoever wrote the job, and a terminal obeys what it reads
// (ECMA-48): it can be made to change its title, its contents, its clipboard.
//
// With colours, colours and the erasing of lines stay. Without, only text does:
// of a line that was written over after a carriage return, what was there last,
// so that the markers of GitLab's sections are gone too.
type ansi struct {
	out     io.Writer
	colours bool

	state func(*ansi, byte)
	seq   []byte // the escape sequence so far
	rune  []byte // the bytes so far of a character beyond ASCII
	line  []byte // of text, not passed on yet
	cr    bool   // a carriage return came, and nothing after it
}

// maxLine is how much of a line is held back, in bytes.
const maxLine = 64 << 10

// Write implements [io.Writer].
func (a *ansi) Write(p []byte) (int, error) {
	for _, b := range p {
		if a.state == nil {
			a.text(b)
		} else {
			a.state(a, b)
		}
		if len(a.line) >= maxLine {
			if err := a.flush(); err != nil {
				return 0, err
			}
		}
	}
	if a.colours {
		return len(p), a.flush()
	}
	end := bytes.LastIndexByte(a.line, '\n') + 1 // the rest may be written over yet
	_, err := a.out.Write(a.line[:end])
	a.line = append(a.line[:0], a.line[end:]...)
	return len(p), err
}

// flush passes on a last line that has no end.
func (a *ansi) flush() error {
	_, err := a.out.Write(a.line)
	a.line = a.line[:0]
	return err
}

func (a *ansi) text(b byte) {
	if a.cr && !a.colours && b != '\n' && b != '\r' {
		a.line = a.line[:bytes.LastIndexByte(a.line, '\n')+1]
	}
	a.cr = b == '\r'
	switch {
	case b == 0x1b:
		a.seq, a.state = append(a.seq[:0], b), (*ansi).escape
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
func (a *ansi) beyond(b byte) {
	a.rune = append(a.rune, b)
	a.state = (*ansi).beyond
	if !utf8.FullRune(a.rune) {
		return
	}
	a.state = nil
	switch r, n := utf8.DecodeRune(a.rune); {
	case r == utf8.RuneError && n == 1:
		a.line = append(a.line, "\ufffd"...)
		if len(a.rune) > 1 {
			a.text(b) // it starts another character
		}
	case r == csi:
		a.seq, a.state = append(a.seq[:0], 0x1b, '['), (*ansi).control
	case !printable.Hidden(r):
		a.line = append(a.line, a.rune...)
	}
}

// csi is the single-character form of ESC [, the control sequence introducer.
const csi = 0x9b

func (a *ansi) escape(b byte) {
	a.seq = append(a.seq, b)
	switch {
	case b == '[':
		a.state = (*ansi).control
	case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_': // a string follows
		a.state = (*ansi).text8
	case b >= 0x20 && b <= 0x2f: // intermediate
	default:
		a.state = nil
	}
}

// maxSequence is the longest escape sequence that is passed on.
const maxSequence = 64

// control is a control sequence, which ends in a letter or the like.
func (a *ansi) control(b byte) {
	if b < 0x20 || b > 0x7e { // it is broken off
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

// text8 is a string that a terminal would take for itself, up to BEL or ESC \.
func (a *ansi) text8(b byte) {
	switch b {
	case 0x07:
		a.state = nil
	case 0x1b:
		a.state = (*ansi).escape
	}
}
