package manifest

import (
	"bytes"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errForm reports a list of sources that can't be edited as text.
var errForm = errors.New("the form of the list isn't known")

// written is the text of a manifest with the place of its list of sources.
type written struct {
	text  []byte
	lines []string // with their line breaks
	root  *yaml.Node
	key   *yaml.Node // sources
	list  *yaml.Node
	next  *yaml.Node // the key after the list; may be nil
}

// parse finds the list of sources in a text that [Read] has accepted. It must be editable.
func parse(text []byte) (*written, error) {
	t, err := locate(text)
	if err == nil && (t.list == nil || t.list.Kind != yaml.SequenceNode || t.list.Anchor != "") {
		err = errForm
	}
	return t, err
}

// locate finds the list of sources in a text that [Read] has accepted.
func locate(text []byte) (*written, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	t := &written{text: text, lines: strings.SplitAfter(string(text), "\n"), root: doc.Content[0]}
	if last := len(t.lines) - 1; t.lines[last] == "" {
		t.lines = t.lines[:last]
	}
	root := t.root.Content
	for i := 0; i < len(root); i += 2 {
		if root[i].Value == "sources" {
			t.key, t.list = root[i], root[i+1]
			if i+2 < len(root) {
				t.next = root[i+2]
			}
		}
	}
	return t, nil
}

// inBrackets reports whether the list is written in brackets, as in JSON.
func (t *written) inBrackets() bool { return t.list.Style&yaml.FlowStyle != 0 }

// lineBreak returns the text's line break.
func (t *written) lineBreak() string {
	if bytes.Contains(t.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// add appends a source to the list.
func (t *written) add(pairs []pair) ([]byte, error) {
	if t.inBrackets() {
		return t.addInBrackets(pairs)
	}
	dash, end := t.list.Column-1, t.end()
	lines, err := item(pairs, strings.Repeat(" ", dash), t.lineBreak())
	if err != nil {
		return nil, err
	}
	if n := len(t.list.Content); n > 1 && blank(t.lines[t.begin(n-1)-1]) { // as between the others
		lines = append([]string{t.lineBreak()}, lines...)
	}
	return t.join(t.lines[:end], lines, t.lines[end:]), nil
}

// item returns the lines of a source after a dash.
func item(pairs []pair, indent, lineBreak string) (lines []string, err error) {
	text, err := encodePairs(pairs, 0)
	lead := indent + "- "
	for line := range strings.Lines(string(text)) {
		lines = append(lines, lead+strings.TrimRight(line, "\n")+lineBreak)
		lead = indent + "  "
	}
	return lines, err
}

// remove removes the source with that index from the list.
func (t *written) remove(i int) ([]byte, error) {
	if t.inBrackets() {
		return t.removeInBrackets(i)
	}
	from, to := t.begin(i), t.end()
	if i+1 < len(t.list.Content) {
		to = t.contentEnd(t.begin(i + 1))
	}
	last := len(t.list.Content) - 1
	before, after := trimBlank(t.lines[:from], t.lines[to:], i, last)
	if last > 0 {
		return t.join(before, after), nil
	}
	return t.join(before[:t.key.Line-1], []string{t.emptied()}, before[t.key.Line:], after), nil
}

// trimBlank removes the blank lines that would be left over between the lines before and
// after source i.
func trimBlank(before, after []string, i, last int) (_, _ []string) {
	for i < last && len(after) > 0 && blank(after[0]) && (i == 0 || blank(before[len(before)-1])) {
		after = after[1:]
	}
	for i == last && blank(before[len(before)-1]) && (last > 0 || len(after) == 0 || blank(after[0])) {
		before = before[:len(before)-1]
	}
	return before, after
}

// emptied returns the line of the list's key, followed by an empty list.
func (t *written) emptied() string {
	line := t.lines[t.key.Line-1]
	before, after, _ := strings.Cut(line, ":")
	return before + ": []" + after
}

// begin returns the first line of a source: that of the comment directly above it, unless
// that belongs to another source.
func (t *written) begin(i int) int {
	dash := t.list.Column - 1
	at := t.list.Content[i].Line - 1
	for at > t.key.Line && !strings.HasPrefix(t.lines[at][min(dash, len(t.lines[at])):], "-") {
		at--
	}
	above := at
	for above > t.key.Line && comment(t.lines[above-1]) && indent(t.lines[above-1]) == dash {
		above--
		if strings.HasPrefix(strings.TrimLeft(t.lines[above], "# "), "- ") {
			return at
		}
	}
	return above
}

// end returns the line after the last source. Comments that are indented like the sources
// belong to the list.
func (t *written) end() int {
	end, dash := len(t.lines), t.list.Column-1
	if t.next != nil {
		end = t.next.Line - 1
	}
	outside := func(line string) bool {
		return blank(line) || comment(line) && (indent(line) < dash || dash == 0 && t.next != nil) || strings.HasPrefix(line, "...") || strings.HasPrefix(line, "---")
	}
	for end > t.key.Line && outside(t.lines[end-1]) {
		end--
	}
	return end
}

// contentEnd returns the line after the last source's content, before end.
func (t *written) contentEnd(end int) int {
	for end > 0 && (blank(t.lines[end-1]) || comment(t.lines[end-1]) && indent(t.lines[end-1]) < t.list.Column) {
		end--
	}
	return end
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

func comment(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), "#") }

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// join joins lines, each followed by a line break.
func (t *written) join(parts ...[]string) []byte {
	var b strings.Builder
	for _, lines := range parts {
		for _, line := range lines {
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
				b.WriteString(t.lineBreak())
			}
			b.WriteString(line)
		}
	}
	return []byte(b.String())
}
