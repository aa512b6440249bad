package console

import (
	"fmt"
	"io"
	"strings"
)

// Fold breaks text at blanks, into lines of at most so many columns. A word that is wider
// has a line of its own. Without a width the text stays one line.
func Fold(text string, width int) (lines []string) {
	if width <= 0 {
		return []string{text}
	}
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && columnsOf(line)+1+columnsOf(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// Indented folds text for a terminal of so many columns. Every line after the first begins
// with the indent, and the first leaves room for it. With zero columns, it returns the text
// as it is.
func Indented(text string, columns int, indent string) string {
	if columns <= 2*len(indent) { // not a terminal, or too narrow to be readable
		return text
	}
	return strings.Join(Fold(text, columns-len(indent)), "\n"+indent)
}

// TellLabelled prints texts beside their labels, which take at least so many columns. On a
// terminal, the texts are folded.
func (c *Console) TellLabelled(lines [][2]string, columns int) error {
	_, err := io.WriteString(c.Told(), Labelled(lines, columns, c.OutColumns()))
	return err
}

// readable is how many columns a text needs beside its label: with fewer, it goes below.
const readable = 20

// Labelled returns texts beside their labels, which take at least so many columns, for a
// terminal of a width; 0 means that there is none.
func Labelled(lines [][2]string, columns, width int) string {
	for _, line := range lines {
		columns = max(columns, columnsOf(line[0]))
	}
	var b strings.Builder
	for _, line := range lines {
		if width > 0 && width < columns+1+readable {
			b.WriteString(strings.Join(append(Fold(line[0], width), Fold(line[1], width-2)...), "\n  ") + "\n")
			continue
		}
		said := Indented(line[1], width, strings.Repeat(" ", columns+1))
		fmt.Fprintf(&b, "%s%*s %s\n", line[0], columns-columnsOf(line[0]), "", said)
	}
	return b.String()
}

// Say prints one message that starts with a mark in a style, or without one. On a terminal
// that is too narrow, it is folded.
func (c *Console) Say(style Style, mark, text string) error {
	line := strings.TrimPrefix(mark+" "+text, " ")
	if columns := c.Columns(); columnsOf(line) > columns {
		line = Indented(line, columns, "    ")
	}
	_, err := fmt.Fprintln(c.Err, c.Paint(style, mark)+strings.TrimPrefix(line, mark))
	return err
}
