package console

import "strings"

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

// Indented folds text for a terminal of so many columns; all lines but the first begin
// with the indent, and the first leaves room for as much. Zero columns fold nothing.
func Indented(text string, columns int, indent string) string {
	if columns <= 2*len(indent) { // there is no terminal, or nothing can be read on it
		return text
	}
	return strings.Join(Fold(text, columns-len(indent)), "\n"+indent)
}
