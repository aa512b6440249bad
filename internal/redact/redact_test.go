package redact_test

import (
	"net/http"
	"net/url"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

func TestURL(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "https://gitlab.example.com/api/v4/job", "https://gitlab.example.com/api/v4/job"},
		{"userinfo", "https://oauth2:glpat-x@h/a.git", "https://h/a.git"},
		{"harmless", "https://h/a?job=build%3A+%5Ba%5D&ref=a%2Fb&scope[]=failed", "https://h/a?job=build%3A+%5Ba%5D&ref=a%2Fb&scope[]=failed"},
		{
			"signed by S3", "https://s3.example.com/b/k?X-Amz-Expires=600&X-Amz-Credential=AK%2F1&X-Amz-Signature=abc",
			"https://s3.example.com/b/k?X-Amz-Expires=REDACTED&X-Amz-Credential=REDACTED&X-Amz-Signature=REDACTED",
		},
		{"signed by Azure", "https://a.blob/x?sv=1&sig=a%3D", "https://a.blob/x?sv=REDACTED&sig=REDACTED"},
		{"token", "https://h/a?job=x&private_token=t&PAGE=2", "https://h/a?job=x&private_token=REDACTED&PAGE=2"},
		{"of commits", "https://h/a?stats=false&statistics=x", "https://h/a?stats=false&statistics=REDACTED"},
		{"escaped name", "https://h/a?%6aob=x&t%6Fken=y", "https://h/a?%6aob=x&t%6Fken=REDACTED"},
		{"name alone", "https://h/a?c2VjcmV0", "https://h/a?REDACTED"},
		{"semicolon", "https://h/a?job=x;sig=abc", "https://h/a?job=REDACTED"},
		{"bad escape", "https://h/a?%zz=secret", "https://h/a?%zz=REDACTED"},
		{"fragment", "https://h/a#access_token=x", "https://h/a#REDACTED"},
		{"escaped path is kept", "https://h/a%2Fb%20c", "https://h/a%2Fb%20c"},
		{"relative", "/a?sig=x", "/a?sig=REDACTED"},
		{"opaque", "data:secret", "data:REDACTED"},
		{"malformed", "https://u:p%zz@h/%zz?sig=x", "https://h/%zz?REDACTED"},
		{"malformed, @ in path", "https://h/%zz/@b#x", "https://h/%zz/@b#REDACTED"},
		{"malformed, no scheme", "p@h%zz", "h%zz"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, redact.URL, tt.in, tt.want)
		})
	}
}

// check redacts a text, twice.
func check(t *testing.T, redacted func(string) string, in, want string) {
	t.Helper()
	got := redacted(in)
	if got != want {
		t.Errorf("%q\n got %q\nwant %q", in, got, want)
	}
	if again := redacted(got); again != got {
		t.Errorf("not idempotent: %q became %q", got, again)
	}
}

func TestURLOfNil(t *testing.T) {
	t.Parallel()
	if got := redact.URLOf(nil); got != "" {
		t.Errorf("URLOf(nil) = %q", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"no address", "3 = 3 files", "3 = 3 files"},
		{"address", `go to "https://u:p@h/x?a=b", now`, `go to "https://h/x?a=REDACTED", now`},
		{"several", "http://a/?k=1 HTTPS://b/?k=2", "http://a/?k=REDACTED https://b/?k=REDACTED"},
		{"parameter alone", "X-Amz-Signature=abc&x=1 sig=abc", "X-Amz-Signature=[REDACTED]&x=1 sig=[REDACTED]"},
		{"word that ends like a parameter", "design=abc", "design=abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			check(t, redact.Text, tt.in, tt.want)
		})
	}
}

// The punctuation of a sentence stays behind an address, and what it hides stays hidden.
func TestPunctuationStays(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"at http://h/a?X-Sig=secret&: denied": "at http://h/a?X-Sig=REDACTED&: denied",
		"at http://h/a?X-Sig=secret: denied":  "at http://h/a?X-Sig=REDACTED: denied",
		"see http://h/a?secret, or":           "see http://h/a?REDACTED, or",
		"see http://h/a.":                     "see http://h/a.",
	} {
		if got := redact.Text(in); got != want || redact.Text(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Storage may repeat the signature of its address in what it says, or that of an address
// that redirected to it.
func TestSaid(t *testing.T) {
	t.Parallel()
	first := &http.Request{URL: parsed(t, "https://gitlab/x?ref=feature-branch&t=first%2Bsecret")}
	signed := &http.Request{URL: parsed(t, "https://s3/b?X-Amz-Expires=600&X-Sig=abc%2Bdefgh%3D&c2VjcmV0c2VjcmV0&bad=%zzlongenough"), Response: &http.Response{Request: first}}
	resp := &http.Response{Request: signed}
	for said, want := range map[string]string{
		"":                                "",
		"expired after 600 s":             "expired after 600 s",
		"abc+defgh= isn't valid":          "[REDACTED] isn't valid",
		"abc%2Bdefgh%3D isn't valid":      "[REDACTED] isn't valid",
		"c2VjcmV0c2VjcmV0, %zzlongenough": "[REDACTED], [REDACTED]",
		"first+secret of feature-branch":  "[REDACTED] of feature-branch",
	} {
		if got := redact.Said(resp, said); got != want {
			t.Errorf("%q: %q", said, got)
		}
	}
	if got := redact.Said(&http.Response{}, "first+secret"); got != "first+secret" {
		t.Errorf("without a request: %q", got)
	}
}

// A gateway may repeat what it was given, and words of its own may be shortened or split
// before the rest is masked.
func TestSaidOfHeaders(t *testing.T) {
	t.Parallel()
	first := &http.Request{URL: parsed(t, "https://gitlab/x"), Header: http.Header{
		"X-Gate": {"two  spaces\tand a tab"}, "Cookie": {"id=cookie-one; b=cookie-two; c=short"}, "Authorization": {"Bearer eyJhbGciOi"},
		"X-Umlaut": {"gehe\u00fcmes"}, "X-Env": {"main"}, "X-Forwarded-Proto": {"https-or-http"}, "User-Agent": {"artifetch/v1"}, "Range": {"bytes=0-16777215"},
		"Private-Token": {"glpat-0123456789"}, "X-Host": {"gitlab/x"},
	}}
	resp := &http.Response{Request: &http.Request{URL: parsed(t, "https://s3/b"), Header: http.Header{"X-Late": {"only-for-s3"}}, Response: &http.Response{Request: first}}}
	for said, want := range map[string]string{
		"no two  spaces\tand a tab here":           "no [REDACTED] here",
		"id=cookie-one; b=cookie-two; c=short":     "[REDACTED]",
		"cookie-two, short":                        "[REDACTED], short",
		"Bearer eyJhbGciOi, eyJhbGciOi":            "[REDACTED], [REDACTED]",
		"gehe\u00fcmes, gehe\u00c3\u00bcmes":       "[REDACTED], [REDACTED]",
		"main https-or-http artifetch/v1 gitlab/x": "main https-or-http artifetch/v1 gitlab/x",
		"bytes=0-16777215 glpat-0123456789 to s3":  "bytes=0-16777215 [REDACTED] to s3",
		"only-for-s3": "[REDACTED]",
	} {
		if got := redact.Said(resp, said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
