package printable_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"gitlab.com/artifetch/artifetch/internal/printable"
)

// Hidden characters are exactly the control characters, the separators, and those with
// the property Bidi_Control (Unicode's PropList.txt).
func TestHidden(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		want := unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
		if got := printable.Hidden(r); got != want {
			t.Errorf("U+%04X: hidden = %v, want %v", r, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                     "",
		"plain":                "plain",
		"测试 é שלום":            "测试 é שלום",
		"a\x1b[31mb\nc\x7f":    `a\u001b[31mb\u000ac\u007f`,
		"a\u009b2Jb\u0085":     `a\u009b2Jb\u0085`,
		"a\u2028b\u2029":       `a\u2028b\u2029`,
		"cod\u202egpj.exe":     `cod\u202egpj.exe`,
		"\u2066x\u2069\u061c":  `\u2066x\u2069\u061c`,
		"a\u200eb\u200f":       `a\u200eb\u200f`,
		"\x9b31m\xff":          `\x9b31m\xff`, // C1 to a terminal of eight bits
		"\ufffd is no mistake": "\ufffd is no mistake",
	} {
		if got := printable.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

// Escaped JSON decodes to the same values.
func FuzzJSON(f *testing.F) {
	f.Add("a\u009b\u202e\u2028\x1b\x7f测\u061c", "\t")
	f.Add("\xff\xe2\x80", "")
	f.Fuzz(func(t *testing.T, text, indent string) {
		if strings.Trim(indent, " \t\r\n") != "" {
			return
		}
		plain, err := json.MarshalIndent(map[string]string{"key" + text: text}, "", indent)
		if err != nil {
			t.Fatal(err)
		}
		escaped := printable.JSON(plain)
		if rest := strings.NewReplacer("\n", "", "\t", "", "\r", "").Replace(string(escaped)); printable.HasHidden(rest) {
			t.Errorf("%q is printed raw: %s", text, escaped)
		}
		var was, is map[string]string
		if err := json.Unmarshal(plain, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(escaped, &is); err != nil || fmt.Sprint(was) != fmt.Sprint(is) {
			t.Errorf("%q became %q, %v", was, is, err)
		}
	})
}
