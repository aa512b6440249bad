package console

import (
	"slices"
	"unicode"

	"golang.org/x/text/width"
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
