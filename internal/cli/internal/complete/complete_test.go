package complete

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// Each shell gets the words in its own format, except words that could control a terminal.
func TestAnswer(t *testing.T) {
	t.Parallel()
	words := []Word{{Text: "test: a b", About: "a\nstage"}, {Text: "plain"}, {Text: "x\x1b[2J"}, File}
	for _, tt := range []struct {
		args   []string
		before string
		word   string
		want   string
	}{
		{[]string{"fish", "fetch", "--job", "te"}, "fetch --job", "te", "test: a b\ta\\u000astage\nplain\n:files\n"},
		{[]string{"powershell", "fetch", `""`}, "fetch", "", "test: a b\ta\\u000astage\nplain\n:files\n"},
		{[]string{"zsh", "fetch", `""`}, "fetch", `""`, "test: a b\ta\\u000astage\nplain\n:files\n"},
		{[]string{"bash", "artifetch fetch --job te"}, "fetch --job", "te", "test:\\ a\\ b\nplain\n:files\n"},
		{[]string{"bash", "artifetch fetch --job 'te"}, "fetch --job", "te", "test: a b\nplain\n:files\n"},
		{[]string{"bash", "artifetch fetch --job=te"}, "fetch", "--job=te", "\\ a\\ b\nplain\n:files\n"},
		{[]string{"bash", "artifetch fetch --job te", "12"}, "", "fe", "test:\\ a\\ b\nplain\n:files\n"},
		{[]string{"bash", `artifetch fetch "a b" c\ d "" `}, "fetch|a b|c d|", "", "test:\\ a\\ b\nplain\n:files\n"},
		{[]string{"fish"}, "", "", ""},
		{nil, "", "", ""},
	} {
		var out bytes.Buffer
		err := Answer(tt.args, &out, func(before []string, word string) []Word {
			want := strings.Split(tt.before, " ")
			if strings.Contains(tt.before, "|") {
				want = strings.Split(tt.before, "|")
			}
			if tt.before == "" {
				want = nil
			}
			if word != tt.word || !slices.Equal(before, want) {
				t.Errorf("%q: %q behind %q, want %q behind %q", tt.args, word, before, tt.word, want)
			}
			return words
		})
		if err != nil || out.String() != tt.want {
			t.Errorf("%q: %v: %q, want %q", tt.args, err, out.String(), tt.want)
		}
	}
}

// A failed write ends the answer.
func TestAnswerReportsErrors(t *testing.T) {
	t.Parallel()
	for _, w := range []Word{File, {Text: "x"}} {
		if err := Answer([]string{"fish", ""}, brokenWriter{}, func([]string, string) []Word { return []Word{w} }); !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

// Write implements [io.Writer].
func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestStarting(t *testing.T) {
	t.Parallel()
	got := Starting([]Word{{Text: "success"}, {Text: "failed"}, File, {Text: "skipped", About: "x"}}, "s", "--scope=")
	want := []Word{{Text: "--scope=success"}, File, {Text: "--scope=skipped", About: "x"}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, shell := range Shells() {
		if script := Script(shell); !strings.Contains(script, Command+" "+shell) {
			t.Errorf("the script of %s doesn't ask: %s", shell, script)
		}
	}
	if Script("csh") != "" {
		t.Error("a script for a shell that isn't known")
	}
}
