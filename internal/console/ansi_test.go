package console

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestANSI(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, colours, plain string }{
		{"text", "a\tb\nc", "a\tb\nc", "a\tb\nc"},
		{"colours", "\x1b[1;31mred\x1b[0m\n", "\x1b[1;31mred\x1b[0m\n", "red\n"},
		{"a section", "section_start:1:x[collapsed=true]\r\x1b[0Khead\nsection_end:2:x\r\x1b[0K\n", "section_start:1:x[collapsed=true]\r\x1b[0Khead\nsection_end:2:x\r\x1b[0K\n", "head\n\n"},
		{"a section that ends a line", "section_end:2:x\r\x1b[0Kafter\n", "section_end:2:x\r\x1b[0Kafter\n", "after\n"},
		{"progress", "10 %\r20 %\rdone\n", "10 %\r20 %\rdone\n", "done\n"},
		{"line ends of Windows", "a\r\nb\r\n", "a\r\nb\r\n", "a\nb\n"},
		{"title", "a\x1b]0;evil\x07b", "ab", "ab"},
		{"title, ended otherwise", "a\x1b]0;evil\x1b\\b", "ab", "ab"},
		{"clipboard", "\x1b]52;c;ZXZpbA==\x07x", "x", "x"},
		{"device control string", "\x1bPq#0\x1b\\x", "x", "x"},
		{"cursor", "\x1b[2J\x1b[1;1Hx\x1b[10Ay", "xy", "xy"},
		{"reset and character sets", "\x1bcx\x1b(0y", "xy", "xy"},
		{"bell, backspace, delete", "a\a\b\x7fb", "ab", "ab"},
		{"8-bit controls in UTF-8", "a\u009b2Jb\u0085c\u009b1md", "abc\x1b[1md", "abcd"},
		{"letters beyond ASCII", "测试 é £ ¢ \u00a0x", "测试 é £ ¢ \u00a0x", "测试 é £ ¢ \u00a0x"},
		{"directions and separators", "a\u202eb\u2066c\u061cd\u2028e\u200ff שלום\n", "abcdef שלום\n", "abcdef שלום\n"},
		{"8-bit controls that are no UTF-8", "a\x9b31mb\x85c\xc2", "a\ufffd31mb\ufffdc", "a\ufffd31mb\ufffdc"},
		{"a character broken off", "\xe6\xb5\x1b[31m\xe6é\xf0\x9f\n", "\ufffd\x1b[31m\ufffdé\ufffd\n", "\ufffd\ufffdé\ufffd\n"},
		{"a sequence broken off", "a\x1b[31\nb", "a\nb", "a\nb"},
		{"a sequence that does not end", "\x1b[" + strings.Repeat("1;", 99) + "mx", "x", "x"},
	}
	for _, tt := range tests {
		for _, step := range []int{1, 3, 1 << 20} {
			for colours, want := range map[bool]string{true: tt.colours, false: tt.plain} {
				var out bytes.Buffer
				a := NewLogFilter(&out, colours)
				for in := tt.in; in != ""; {
					n := min(step, len(in))
					if _, err := io.WriteString(a, in[:n]); err != nil {
						t.Fatal(err)
					}
					in = in[n:]
				}
				if err := a.Flush(); err != nil {
					t.Fatal(err)
				}
				if got := out.String(); got != want {
					t.Errorf("%s, colours %v, %d bytes at a time: %q, want %q", tt.name, colours, step, got, want)
				}
			}
		}
	}
}

// What cannot be written is said.
func TestANSIReportsErrors(t *testing.T) {
	t.Parallel()
	a := NewLogFilter(brokenWriter{}, false)
	if _, err := io.WriteString(a, strings.Repeat("x", maxLine)); !errors.Is(err, errBroken) {
		t.Errorf("Write: %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }
