package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

func TestSecretsString(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		secrets []string
		in      string
		want    string
	}{
		{"none", nil, "token glpat-1", "token glpat-1"},
		{"raw", []string{"glpat-1"}, "token glpat-1, glpat-1!", "token [REDACTED], [REDACTED]!"},
		{"empty and short ones", []string{"", " ", "abc", "1"}, "abc 1", "abc 1"},
		{"white space around", []string{"glpat-1\r\n"}, "glpat-1.", "[REDACTED]."},
		{"longer one first", []string{"abcd", "abcdef"}, "abcdef abcd", "[REDACTED] [REDACTED]"},
		{"JSON", []string{`a"b\c<d`}, `{"x":"a\"b\\c\u003cd","y":"a\"b\\c<d"}`, `{"x":"[REDACTED]","y":"[REDACTED]"}`},
		{"ends in a quote", []string{`abc"`}, `{"x":"abc\""}`, `{"x":"[REDACTED]"}`},
		{"query", []string{"a b+c/d"}, "?x=a+b%2Bc%2Fd&y=1", "?x=[REDACTED]&y=1"},
		{"path", []string{"a b+c/d"}, "/a%20b+c%2Fd/x", "/[REDACTED]/x"},
		{"URL parameters without a known secret", nil, "u?X-Amz-Signature=1f&Signature=2&sig=3&X-Goog-Signature=4&private_token=5&job_token=6",
			"u?X-Amz-Signature=[REDACTED]&Signature=[REDACTED]&sig=[REDACTED]&X-Goog-Signature=[REDACTED]&private_token=[REDACTED]&job_token=[REDACTED]"},
		{"URL parameter in JSON", nil, `{"u":"a?sig=abc\u0026job=x"}`, `{"u":"a?sig=[REDACTED]\u0026job=x"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := redact.New(tt.secrets...).String(tt.in); got != tt.want {
				t.Errorf("String(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestZeroSecrets(t *testing.T) {
	t.Parallel()
	for _, s := range []*redact.Secrets{nil, {}} {
		if got := s.String("a sig=b"); got != "a sig=[REDACTED]" {
			t.Errorf("String() = %q", got)
		}
	}
}

func TestBasicAuthentication(t *testing.T) {
	t.Parallel()
	const secret = "glpat-Zm9vYmFyYmF6"
	for _, user := range []string{"", "a", "ab", "abc", "oauth2", "gitlab-ci-token"} {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			text := "Authorization: Basic " + enc.EncodeToString([]byte(user+":"+secret))
			got := redact.New(secret).String(text)
			if !strings.Contains(got, "[REDACTED]") || len(got) > len("Authorization: Basic ")+28+len("[REDACTED]") {
				t.Errorf("user %q: %q", user, got)
			}
		}
	}
}

// FuzzSecrets holds that no spelling of a secret survives.
func FuzzSecrets(f *testing.F) {
	f.Add("glcbt-64_abcdef")
	f.Add(`a"b\c`)
	f.Add("REDACTED-")
	f.Add("a+b c/d%")
	f.Add("日本語のトークン")
	f.Fuzz(func(t *testing.T, secret string) {
		const masked = "[REDACTED]"
		secret = strings.TrimSpace(secret)
		if len(secret) < 4 || strings.Contains(masked, secret) {
			t.Skip("not masked, or a part of the mask")
		}
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		secrets := redact.New(secret)
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), string(quoted[1 : len(quoted)-1])} {
			if got := secrets.String("\n" + form + "\n"); strings.Contains(got, form) || !strings.Contains(got, "[REDACTED]") {
				t.Errorf("%q is still in %q", form, got)
			}
		}
	})
}

// events counts the calls of Write.
type events struct {
	lines []string
	err   error
	limit int
}

func (e *events) Write(p []byte) (int, error) {
	e.lines = append(e.lines, string(p))
	if e.limit > 0 && len(p) > e.limit {
		return e.limit, e.err
	}
	return len(p), e.err
}

func TestWriter(t *testing.T) {
	t.Parallel()
	out := &events{}
	w := redact.New("glpat-1").Writer(out)
	for _, line := range []string{"token glpat-1\n", "", "no secret\n"} {
		if n, err := io.WriteString(w, line); n != len(line) || err != nil {
			t.Errorf("Write(%q) = %d, %v", line, n, err)
		}
	}
	if len(out.lines) != 3 || out.lines[0] != "token [REDACTED]\n" || out.lines[2] != "no secret\n" {
		t.Errorf("wrote %q", out.lines)
	}
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := io.WriteString(redact.New().Writer(&events{err: broken}), "x"); !errors.Is(err, broken) {
		t.Errorf("error = %v, want the writer's own", err)
	}
	n, err := io.WriteString(redact.New("secret").Writer(&events{limit: 9}), "a secret")
	if !errors.Is(err, io.ErrShortWrite) || n > len("a secret") {
		t.Errorf("Write() = %d, %v; want a short write", n, err)
	}
}

func BenchmarkWriter(b *testing.B) {
	w := redact.New("glcbt-64_abcdefghijklmnop").Writer(io.Discard)
	line := []byte(`{"level":"debug","url":"https://gitlab.example.com/api/v4/jobs/1/artifacts?direct_download=true","status":206}` + "\n")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = w.Write(line)
	}
}
