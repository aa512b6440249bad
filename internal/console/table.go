package console

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

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
