package manifest

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// addInBrackets appends a source to a list in brackets: as JSON if the whole text is
// JSON.
func (t *written) addInBrackets(pairs []pair) ([]byte, error) {
	from, to, err := t.span(t.list)
	if err != nil {
		return nil, err
	}
	entry, err := t.entry(pairs)
	if err != nil {
		return nil, err
	}
	n := len(t.list.Content)
	if n == 0 {
		return t.fill(pairs, entry, from, to)
	}
	first, at, err := t.span(t.list.Content[n-1])
	if err != nil {
		return nil, err
	}
	before := t.text[bytes.LastIndexByte(t.text[:first], '\n')+1 : first]
	separator := ", "
	if strings.TrimSpace(string(before)) == "" {
		separator = "," + t.lineBreak() + string(before)
	}
	return concat(t.text[:at], []byte(separator), entry, t.text[at:]), nil
}

// fill puts the first source into an empty list: below its key, unless the whole text is
// in brackets.
func (t *written) fill(pairs []pair, entry []byte, from, to int) ([]byte, error) {
	if t.root.Style&yaml.FlowStyle != 0 {
		return concat(t.text[:from], []byte("["), entry, []byte("]"), t.text[to:]), nil
	}
	lines, err := item(pairs, "  ", t.lineBreak())
	rest, below, _ := bytes.Cut(t.text[to:], []byte("\n"))
	above := concat(bytes.TrimRight(t.text[:from], " "), bytes.TrimRight(rest, "\r"))
	return t.join([]string{string(above), strings.Join(lines, ""), string(below)}), err
}

// entry formats a source in braces.
func (t *written) entry(pairs []pair) ([]byte, error) {
	if !json.Valid(t.text) {
		text, err := encodePairs(pairs, yaml.FlowStyle)
		return bytes.TrimSpace(text), err
	}
	var b bytes.Buffer
	for i, p := range pairs {
		b.WriteString([]string{"{", ", "}[min(i, 1)])
		key, err := json.Marshal(p.key)
		if err != nil {
			return nil, err
		}
		b.Write(append(key, ": "...))
		if err := encode(&b, p.value, "", ""); err != nil {
			return nil, err
		}
	}
	b.WriteString("}")
	return b.Bytes(), nil
}

// removeInBrackets removes a source from a list in brackets.
func (t *written) removeInBrackets(i int) ([]byte, error) {
	from, to, err := t.span(t.list.Content[i])
	if err != nil {
		return nil, err
	}
	switch last := len(t.list.Content) - 1; {
	case i < last:
		to, _, err = t.span(t.list.Content[i+1])
	case i > 0:
		_, from, err = t.span(t.list.Content[i-1])
	default:
		from, to, err = t.span(t.list)
		from, to = from+1, to-1
	}
	return concat(t.text[:from], t.text[to:]), err
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// span returns the start and end of a node in brackets or braces, in bytes.
func (t *written) span(n *yaml.Node) (from, to int, err error) {
	for _, line := range t.lines[:n.Line-1] {
		from += len(line)
	}
	for i, r := 1, []rune(t.lines[n.Line-1]); i < n.Column && i <= len(r); i++ { // columns count characters
		from += len(string(r[i-1]))
	}
	depth := 0
	for at := from; at < len(t.text); {
		switch t.text[at] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		at = t.after(at)
		switch {
		case depth == 0 && at == from+1: // it doesn't begin with a bracket
			return 0, 0, errForm
		case depth == 0:
			return from, at, nil
		}
	}
	return 0, 0, errForm
}

// after returns the position after a character, or after the quoted text or the comment
// that it begins.
func (t *written) after(at int) int {
	rest, before := t.text[at:], t.text[max(at-1, 0)]
	begins := func(marks string) bool { return strings.IndexByte(marks, before) >= 0 }
	switch c := rest[0]; {
	case c == '#' && begins(" \t\r\n"):
		return at + max(bytes.IndexByte(rest, '\n'), 1)
	case c != '"' && c != '\'' || !begins(" \t\r\n,:[{"):
		return at + 1
	}
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && rest[0] == '"':
			i++
		case rest[i] == rest[0]:
			return at + i + 1
		}
	}
	return len(t.text)
}
