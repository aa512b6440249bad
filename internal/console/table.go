package console

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// Table prints rows: for people aligned, with titles, no wider than the terminal; for
// programs separated by tabs, without titles, each row immediately.
type Table struct {
	out     io.Writer
	columns []Column
	width   int // of the terminal; 0 if a program reads the table
	rows    [][]string
}

// Column is a column of a table.
type Column struct {
	Title   string // either all columns of a table have one, or none
	Shrinks bool   // may be truncated if the terminal is too narrow
	Last    bool   // is truncated only after all others
	Leaves  int    // left out where cutting isn't enough: 1 first; 0 stays
}

// Cell is a value for programs, and for people if that differs.
type Cell struct{ Plain, Shown string }

// Text returns cells with the same text for programs and people.
func Text(values ...string) []Cell {
	cells := make([]Cell, len(values))
	for i, v := range values {
		cells[i].Plain = v
	}
	return cells
}

// Table returns a table on standard output. masked is for text from a server; names in an
// archive aren't masked.
func (c *Console) Table(masked bool, columns ...Column) *Table {
	t := &Table{out: c.Out, columns: columns, width: c.OutColumns()}
	if masked {
		t.out = c.Masked()
	}
	return t
}

// OutColumns returns the width of the terminal that shows the results, or 0 without a
// terminal.
func (c *Console) OutColumns() int {
	f, ok := c.Out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// Add adds a row.
func (t *Table) Add(cells ...Cell) error {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = printable.Text(c.Plain)
		if t.width > 0 && c.Shown != "" {
			row[i] = printable.Text(c.Shown)
		}
	}
	if t.width > 0 {
		t.rows = append(t.rows, row)
		return nil
	}
	_, err := fmt.Fprintln(t.out, strings.Join(row, "\t"))
	return err
}

// Flush prints the rows of an aligned table.
func (t *Table) Flush() error {
	if len(t.rows) == 0 {
		return nil
	}
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.Title
	}
	rows := t.rows
	if strings.Join(titles, "") != "" {
		rows = append([][]string{titles}, rows...)
	}
	widths := t.fit(rows)
	for n, row := range rows {
		kept := row[:0:0]
		for i := range row {
			if widths[i] != left {
				kept = append(kept, cut(row[i], widths[i]))
			}
		}
		rows[n] = kept
	}
	_, err := io.WriteString(t.out, Align(rows))
	return err
}

// Pairs prints one name and value per line, with the values aligned. It omits pairs
// without a value.
func Pairs(out io.Writer, pairs [][2]string) error {
	var rows [][]string
	for _, p := range pairs {
		if p[1] != "" {
			rows = append(rows, []string{p[0], printable.Text(p[1])})
		}
	}
	_, err := io.WriteString(out, Align(rows))
	return err
}

// Align formats rows of the same length as aligned columns, without trailing spaces.
func Align(rows [][]string) string {
	widths := widest(rows)
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, text := range row {
			line += text + strings.Repeat(" ", widths[i]-columnsOf(text)+len(gap))
		}
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	return b.String()
}

const (
	gap         = "  " // between columns
	narrowest   = 8    // minimum width of a column, until nothing else helps
	comfortable = 24   // of the last column: before it gets narrower, others are left out
)

// widest returns the width of each column's widest value.
func widest(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columnsOf(text))
		}
	}
	return widths
}

// left is the width of a column that is left out.
const left = -1

// fit gives each column the width of its widest value, then narrows the widest of those
// that may shrink until the row fits. It leaves out columns if that isn't enough, and in
// the end it narrows all but the first, the last column last. If no column is the last to
// be cut, those that may not shrink stay whole.
func (t *Table) fit(rows [][]string) []int {
	others := func(i int) bool { return t.columns[i].Shrinks && !t.columns[i].Last }
	last := func(i int) bool { return t.columns[i].Shrinks && t.columns[i].Last }
	natural, leave := widest(rows), 0
	for _, c := range t.columns {
		leave = max(leave, c.Leaves)
	}
	widths := natural
	for without := range leave + 1 {
		widths = slices.Clone(natural)
		for i, c := range t.columns {
			if c.Leaves > 0 && c.Leaves <= without {
				widths[i] = left
			}
		}
		t.shrink(widths, others, narrowest)
		if t.shrink(widths, last, comfortable) <= 0 {
			return widths
		}
	}
	if !slices.ContainsFunc(t.columns, func(c Column) bool { return c.Last }) {
		return widths
	}
	behind := func(i int) bool { return i > 0 && !t.columns[i].Last }
	for _, least := range []int{narrowest, 1} {
		t.shrink(widths, behind, least)
		t.shrink(widths, last, least)
	}
	return widths
}

// shrink narrows the widest of some columns until the rows fit, and returns by how many
// characters they are still too wide. No column gets narrower than least.
func (t *Table) shrink(widths []int, which func(i int) bool, least int) (over int) {
	for over = total(widths) - t.width; over > 0; over-- {
		at := -1
		for i := range t.columns {
			if which(i) && widths[i] > least && (at < 0 || widths[i] > widths[at]) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		widths[at]--
	}
	return over
}

// total is how wide a row is.
func total(widths []int) int {
	sum := -len(gap)
	for _, w := range widths {
		if w != left {
			sum += w + len(gap)
		}
	}
	return sum
}

// cut shortens text to that many columns.
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
