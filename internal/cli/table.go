package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// table prints rows: for a person aligned, with titles, no wider than the
// terminal; for a program with tabs and nothing else, each row at once.
type table struct {
	out     io.Writer
	columns []column
	width   int // of the terminal; 0 means that there is none
	rows    [][]string
}

// column is one of a table.
type column struct {
	title   string
	shrinks bool // may be cut where the terminal is too narrow
}

// cell is a value: as a program reads it, and as a person does, if that differs.
type cell struct{ plain, shown string }

func newTable(out io.Writer, columns ...column) *table {
	t := &table{out: out, columns: columns}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.width = 80
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			t.width = columns
		}
	}
	return t
}

func (t *table) add(cells ...cell) error {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = printable.Text(c.plain)
		if t.width > 0 && c.shown != "" {
			row[i] = printable.Text(c.shown)
		}
	}
	if t.width > 0 {
		t.rows = append(t.rows, row)
		return nil
	}
	_, err := fmt.Fprintln(t.out, strings.Join(row, "\t"))
	return err
}

// flush prints what was kept to be aligned.
func (t *table) flush() error {
	if len(t.rows) == 0 {
		return nil
	}
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	rows := t.rows
	if strings.Join(titles, "") != "" {
		rows = append([][]string{titles}, rows...)
	}
	widths := t.fit(rows)
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			text = cut(text, widths[i])
			line.WriteString(text)
			line.WriteString(strings.Repeat(" ", widths[i]-columnsOf(text)+len(gap)))
		}
		if _, err := fmt.Fprintln(t.out, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

const (
	gap       = "  " // between columns
	narrowest = 8    // that a column is made
)

// fit gives each column the width of its widest value, then takes from the widest
// of those that may shrink until the row fits.
func (t *table) fit(rows [][]string) []int {
	widths := make([]int, len(t.columns))
	total := len(gap) * (len(widths) - 1)
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], columnsOf(row[i]))
		}
		total += widths[i]
	}
	for ; total > t.width; total-- {
		widest := -1
		for i, c := range t.columns {
			if c.shrinks && widths[i] > narrowest && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// cut shortens text to so many columns of a terminal.
func cut(text string, columns int) string {
	if columnsOf(text) <= columns {
		return text
	}
	used, end := 1, 0 // the dots take one
	for i, r := range text {
		if used += columnsOfRune(r); used > columns {
			break
		}
		end = i + len(string(r))
	}
	return text[:end] + "…"
}

func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOfRune(r)
	}
	return n
}

// columnsOfRune follows Unicode Standard Annex #11, East Asian Width.
func columnsOfRune(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
		return 2
	}
	return 1
}
