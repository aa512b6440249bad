package complete

import (
	"strconv"
	"strings"
)

// line is a command line of bash up to the cursor. bash also splits words at colons and
// equals signs, and expects only the last part of such a word, in the open quotes.
type line struct {
	words  []string // without the program's name; the last may be empty
	quote  byte     // the open quote at the cursor, or 0
	breaks int      // colons and equals signs outside quotes in the last word

	word  []byte // the current word
	begun bool   // it may be an empty word in quotes
}

// parseLine reads COMP_LINE and COMP_POINT.
func parseLine(args []string) line {
	text := args[0]
	if len(args) > 1 {
		if point, err := strconv.Atoi(args[1]); err == nil && point >= 0 && point < len(text) {
			text = text[:point]
		}
	}
	l := line{}
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && l.quote != '\'' && i+1 < len(text) {
			i++
			l.add(text[i])
			continue
		}
		l.read(text[i])
	}
	l.words = append(l.words, string(l.word))
	if len(l.words) > 1 {
		l.words = l.words[1:]
	}
	return l
}

// read processes the next character.
func (l *line) read(b byte) {
	quote := b == '\'' || b == '"'
	switch {
	case quote && b == l.quote:
		l.quote = 0
	case quote && l.quote == 0:
		l.quote, l.begun = b, true
	case l.quote == 0 && (b == ' ' || b == '\t'):
		l.endWord()
	default:
		if l.quote == 0 && (b == ':' || b == '=') {
			l.breaks++
		}
		l.add(b)
	}
}

func (l *line) endWord() {
	if l.begun {
		l.words = append(l.words, string(l.word))
	}
	l.word, l.begun, l.breaks = nil, false, 0
}

func (l *line) add(b byte) { l.word, l.begun = append(l.word, b), true }

// reply formats a word for bash.
func (l line) reply(w Word) string {
	text := w.Text
	if l.quote == 0 {
		text = escape(text)
	}
	for range l.breaks {
		if _, rest, ok := cutAny(text, ":="); ok {
			text = rest
		}
	}
	return text
}

func cutAny(text, any string) (before, after string, found bool) {
	if i := strings.IndexAny(text, any); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

// escape escapes the special characters of bash.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(" \t|&;()<>$`\\\"'*?[]#~!{},", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
