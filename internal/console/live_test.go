package console

import (
	"strings"
	"testing"
	"time"
)

// A line has all its fields where there is room for them, and is never wider than the
// terminal.
func TestLines(t *testing.T) {
	t.Parallel()
	now := time.Now()
	moving := rate{since: now.Add(-5 * time.Second), moved: now, done: 15 << 20, marks: []mark{{now.Add(-4 * time.Second), 3 << 20}}}
	stuck := moving
	stuck.moved = now.Add(-4500 * time.Millisecond)
	part := func(name string, r rate) *Part {
		return &Part{name: name, done: r.done, total: 30 << 20, rate: r}
	}
	done := &Part{name: "build", done: 30 << 20, total: 30 << 20, rate: moving}
	tests := []struct {
		name    string
		columns int
		parts   []*Part
		want    string
	}{
		{"wide", 198, []*Part{part("build", moving)}, "build  [====================>                   ]   50 %    15.0/30.0 MiB     3.0 MiB/s  5s left"},
		{"usual", 78, []*Part{part("build", moving)}, "build  [========>        ]   50 %    15.0/30.0 MiB     3.0 MiB/s  5s left"},
		{"narrow", 38, []*Part{part("build", moving)}, "build  50 %  15.0/30.0 MiB  3.0 MiB/s"},
		{"stalled", 78, []*Part{part("build", stuck)}, "build  [==============>              ]   50 %    15.0/30.0 MiB  stalled for 4s"},
		{"stalled and narrow", 38, []*Part{part("build", stuck)}, "build  50 %  stalled for 4s"},
		{"done", 60, []*Part{done}, "build  [===========================]  100 %    30.0/30.0 MiB"},
		{"a long name", 50, []*Part{part("test: [linux, amd64, go1.26, with everything]", moving)}, "test: [linux, amd64, go1.26,…  50 %  15.0/30.0 MiB"},
		{"wide characters", 30, []*Part{part("ビルドとテスト", moving)}, "ビルドと…  50 %  15.0/30.0 MiB"},
		{"hardly any room", 12, []*Part{part("build", moving)}, "…  50 %  15…"},
		{"what is done goes", 78, []*Part{done, part("test", stuck)}, "test  [===============>              ]   50 %    15.0/30.0 MiB  stalled for 4s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &Progress{parts: tt.parts}
			lines := p.draw(now, now, tt.columns)
			if got := strings.Join(lines, "|"); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			for columns := range 200 {
				for _, line := range p.draw(now, now, columns+1) {
					if n := columnsOf(line); n > columns+1 {
						t.Errorf("%d columns on a terminal of %d: %s", n, columns+1, line)
					}
				}
			}
		})
	}
	var many []*Part
	for range 11 {
		many = append(many, part("build", moving))
	}
	if lines := (&Progress{parts: many}).draw(now, now, 80); len(lines) != 9 || lines[8] != "and 3 more" {
		t.Errorf("eleven archives: %q", lines)
	}
}

// A terminal that has become narrower has wrapped what was drawn.
func TestRows(t *testing.T) {
	t.Parallel()
	s := &screen{drawn: []string{strings.Repeat("x", 80), "", strings.Repeat("x", 81), "ビルド"}}
	if got := s.rows(); got != 1+1+2+1 {
		t.Errorf("%d rows", got)
	}
}
