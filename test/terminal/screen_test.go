package terminal

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// machines are what the machine decides on, and what is shown instead: how long a run
// took, and ports.
var machines = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\([\d.]+ ?[a-z]+[^,()]*,`), "(1.2 s,"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+/`), "gitlab.example.com/"},
}

// A screen shows what a terminal would, as far as the program goes: text, lines, colours,
// moves upwards, and erasing from there on.
type screen struct {
	columns int

	mu     sync.Mutex
	rows   []row
	x, y   int
	style  string
	begun  []byte // of a rune or a control sequence
	filled bool   // the last column has a rune, and the next one goes to a new row
}

// row is one of the screen. Rows that the terminal wraps are one line.
type row struct {
	cells []cell
	wraps bool
}

type cell struct {
	r     rune
	style string // a class of the picture: "", or letters such as "b" or "g"
}

// line is what the program printed as one.
type line []cell

func newScreen(columns int) *screen { return &screen{columns: columns, rows: make([]row, 1)} }

func (s *screen) write(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, p...)
	for len(s.begun) > 0 {
		n := s.next()
		if n == 0 {
			return // more will come
		}
		s.begun = s.begun[n:]
	}
}

// next takes one rune or control sequence, and returns its length, or 0 if it isn't whole.
func (s *screen) next() int {
	if s.begun[0] == '\x1b' {
		return s.control()
	}
	if !utf8.FullRune(s.begun) {
		return 0
	}
	r, n := utf8.DecodeRune(s.begun)
	switch r {
	case '\r':
		s.x, s.filled = 0, false
	case '\n':
		s.down(false)
	default:
		s.put(r)
	}
	return n
}

func (s *screen) down(wraps bool) {
	s.rows[s.y].wraps = wraps
	if s.y++; s.y == len(s.rows) {
		s.rows = append(s.rows, row{})
	}
	s.filled = false
}

func (s *screen) put(r rune) {
	if s.filled {
		s.down(true)
		s.x = 0
	}
	cells := &s.rows[s.y].cells
	for len(*cells) <= s.x {
		*cells = append(*cells, cell{r: ' '})
	}
	(*cells)[s.x] = cell{r, s.style}
	if s.x++; s.x == s.columns {
		s.x, s.filled = s.columns-1, true
	}
}

// control takes a control sequence (ECMA-48 §5.4).
func (s *screen) control() int {
	end := strings.IndexFunc(string(s.begun), func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
	if end < 0 {
		return 0
	}
	argument := strings.TrimPrefix(string(s.begun[1:end]), "[")
	n, err := strconv.Atoi(argument)
	if err != nil {
		n = 0
	}
	switch s.begun[end] {
	case 'A':
		s.y, s.filled = max(s.y-max(n, 1), 0), false
	case 'J', 'K':
		cells := &s.rows[s.y].cells
		*cells = (*cells)[:min(s.x, len(*cells))]
		if s.begun[end] == 'J' {
			s.rows = s.rows[:s.y+1]
		}
	case 'm':
		s.colour(argument)
	}
	return end + 1
}

// colour sets the style: bold, dim, or one of the colours that the program uses.
func (s *screen) colour(argument string) {
	for _, n := range strings.Split(argument, ";") {
		if n == "" || n == "0" {
			s.style = ""
			continue
		}
		class := map[string]string{"1": "b", "2": "d", "90": "d", "31": "r", "32": "g", "33": "y", "34": "c", "35": "c", "36": "c"}[n]
		s.style = strings.TrimSpace(s.style + " " + class)
	}
}

// lines are the rows, without what the machine decides on, wrapped where the terminal
// would wrap them.
func (s *screen) lines() (all []line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var whole line
	for _, row := range s.rows {
		if whole = append(whole, row.cells...); row.wraps {
			continue
		}
		for whole = whole.plain(); len(whole) > s.columns; whole = whole[s.columns:] {
			all = append(all, whole[:s.columns])
		}
		all, whole = append(all, whole), nil
	}
	return all
}

func (s *screen) text() string {
	var b strings.Builder
	for _, l := range s.lines() {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// String returns the text of a line.
func (l line) String() string {
	var b strings.Builder
	for _, c := range l {
		b.WriteRune(c.r)
	}
	return b.String()
}

// plain replaces what the machine decides on.
func (l line) plain() line {
	text := l.String()
	for _, p := range machines {
		for _, at := range p.pattern.FindAllStringIndex(text, 1) {
			before, after := len([]rune(text[:at[0]])), len([]rune(text[:at[1]]))
			var with line
			for _, r := range p.instead {
				with = append(with, cell{r, l[before].style})
			}
			l = append(append(l[:before:before], with...), l[after:]...)
			text = l.String()
		}
	}
	return l
}

// svg returns a line as spans of one style each.
func (l line) svg() string {
	var b strings.Builder
	for i := 0; i < len(l); {
		end := i
		for end < len(l) && l[end].style == l[i].style {
			end++
		}
		text := html.EscapeString(l[i:end].String())
		if l[i].style != "" {
			text = `<tspan class="` + l[i].style + `">` + text + `</tspan>`
		}
		b.WriteString(text)
		i = end
	}
	return strings.TrimRight(b.String(), " ")
}
