package console_test

import (
	"bytes"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/console"
)

func TestIndented(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{"no terminal, so  nothing is folded", 0, "no terminal, so  nothing is folded"},
		{"too narrow to be read", 4, "too narrow to be read"},
		{"as wide", 9, "as wide"},
		{"a bit wider", 10, "a bit\n  wider"},
		{"one two three four", 11, "one two\n  three\n  four"},
		{"a word-that-is-too-wide b", 10, "a\n  word-that-is-too-wide\n  b"},
		{"作業 作業 x", 11, "作業 作業\n  x"},
		{"", 40, ""},
	} {
		if got := console.Indented(tt.text, tt.columns, "  "); got != tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.text, tt.columns, got, tt.want)
		}
	}
}

func TestTellLabelled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lines   [][2]string
		columns int
		want    string
	}{
		{[][2]string{{"a:", "one"}, {"作業:", "two"}}, 0, "a:    one\n作業: two\n"},
		{[][2]string{{"a:", "one"}}, 4, "a:   one\n"},
		{nil, 4, ""},
	} {
		var out bytes.Buffer
		con := console.New(strings.NewReader(""), &out, &out)
		if err := con.TellLabelled(tt.lines, tt.columns); err != nil || out.String() != tt.want {
			t.Errorf("%q, %v, want %q", out.String(), err, tt.want)
		}
	}
}

// Beside a label, a text has room to be read; otherwise it goes below.
func TestLabelled(t *testing.T) {
	t.Parallel()
	lines := [][2]string{{"cause:", "no job is called biuld"}, {"evidence:", "there is build"}}
	for width, want := range map[int]string{
		0:  "cause:    no job is called biuld\nevidence: there is build\n",
		31: "cause:    no job is called\n          biuld\nevidence: there is build\n",
		30: "cause:    no job is called\n          biuld\nevidence: there is build\n",
		29: "cause:\n  no job is called biuld\nevidence:\n  there is build\n",
		20: "cause:\n  no job is called\n  biuld\nevidence:\n  there is build\n",
		10: "cause:\n  no job\n  is\n  called\n  biuld\nevidence:\n  there is\n  build\n",
	} {
		if got := console.Labelled(lines, 0, width); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
}
