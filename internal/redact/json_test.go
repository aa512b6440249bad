package redact_test

import (
	"encoding/json"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// JSON is masked within strings alone, and stays JSON: whatever a secret looks like, numbers,
// true, null, quotes and escapes aren't broken.
func TestJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ secret, text, want string }{
		{"true", `{"tag":true,"name":"is true"}`, `{"tag":true,"name":"is [REDACTED]"}`},
		{"1234567", `[1234567,"1234567",-12345670.5e1234567]`, `[1234567,"[REDACTED]",-12345670.5e1234567]`},
		{"null", `[null,"null"]`, `[null,"[REDACTED]"]`},
		{`"id"`, `{"id":1,"x":"a \"id\" b"}`, `{"id":1,"x":"a [REDACTED] b"}`},
		{`,"a":`, `{"x":1,"a":2}`, `{"x":1,"a":2}`},
		{"next", `{"x":"line\next"}`, `{"x":"line\next"}`},
		{"004e", `["\u004e\u004e","004e","\\004e"]`, `["\u004e\u004e","[REDACTED]","\\[REDACTED]"]`},
		{"abcd", `["\u0061bcd","<abcd>"]`, `["[REDACTED]","<[REDACTED]>"]`},
		{`se"cret`, `["se\"cret","\\se\"cret"]`, `["[REDACTED]","\\[REDACTED]"]`},
		{"secret", "{\n  \"a\": \"secret\"\n}\n", "{\n  \"a\": \"[REDACTED]\"\n}\n"},
		{"secret", ``, ``},
	} {
		got := string(redact.New(tt.secret).JSON([]byte(tt.text)))
		if got != tt.want || tt.text != "" && !json.Valid([]byte(got)) {
			t.Errorf("%q in %s: %s, want %s", tt.secret, tt.text, got, tt.want)
		}
	}
	if got := string((*redact.Secrets)(nil).JSON([]byte(`["a?sig=abc"]`))); got != `["a?sig=[REDACTED]"]` {
		t.Error(got)
	}
}
