package env_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/env"
)

// Headers come from a file and from a variable, one a line.
func TestHeaders(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(file, []byte("\ufeffX-First: 1\n# of Cloudflare\r\ncf-access-client-id: an id.access\r\n\r\nCF-Access-Client-Secret:a:secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, job("ARTIFETCH_HEADER_FILE", file, "ARTIFETCH_HEADERS", "Cookie: a=b; c=d\nProxy-Authorization: Bearer gateway\nauthorization: Basic other\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range c.Headers {
		got = append(got, h.Name+"="+h.Value.Reveal())
	}
	if s := strings.Join(got, " | "); s != "X-First=1 | Cf-Access-Client-Id=an id.access | Cf-Access-Client-Secret=a:secret | Cookie=a=b; c=d | Proxy-Authorization=Bearer gateway | Authorization=Basic other" {
		t.Error(s)
	}
	if s := fmt.Sprintf("%+v", c); strings.Contains(s, "a:secret") {
		t.Error(s)
	}
}

// What can't be sent, or what artifetch sends itself, is refused, by its line. No error
// has a value.
func TestHeadersAreChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"X-Ok: hidden-value\nhidden-value":      "has no header in line 2",
		"X-Ok: ":                                "has a header without a value in line 1",
		": hidden-value":                        "has no header in line 1",
		"X Y: hidden-value":                     "has no header in line 1",
		"X-Ok: hidden-value\x01":                "has control characters in line 1",
		"X-Ok: hidden-value\rHost: x":           "has control characters in line 1",
		"X-Ok: $GATEWAY_SECRET":                 "has the literal text $GATEWAY_SECRET in line 1",
		"private-token: hidden-value":           "has Private-Token, in which GitLab reads a token, in line 1",
		"JOB-TOKEN: hidden-value":               "has Job-Token, in which GitLab reads a token, in line 1",
		"JOB_TOKEN: hidden-value":               "has Job_token, in which GitLab reads a token, in line 1",
		"Private_Token: hidden-value":           "has Private_token, in which GitLab reads a token, in line 1",
		"Deploy-Token: hidden-value":            "has Deploy-Token, in which GitLab reads a token, in line 1",
		"sudo: hidden-value":                    "has Sudo, which changes what a request means to GitLab, in line 1",
		"X-HTTP_Method-Override: hidden-value":  "has X-Http_method-Override, which changes what a request means to GitLab, in line 1",
		"If_Range: hidden-value":                "has If_range, which artifetch sets itself, in line 1",
		"Host: hidden-value":                    "has Host, which artifetch sets itself, in line 1",
		"range: hidden-value":                   "has Range, which artifetch sets itself, in line 1",
		"X-Ok: hidden-value\nx-ok: other-value": "has X-Ok for the second time",
	} {
		_, err := load(t, job("ARTIFETCH_HEADERS", text))
		if usage, ok := errors.AsType[*env.UsageError](err); !ok || usage.Reason != want || strings.Contains(err.Error()+usage.Fix, "hidden-value") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := load(t, without(job("GITLAB_TOKEN", "oauth", "ARTIFETCH_TOKEN_TYPE", "bearer", "ARTIFETCH_HEADERS", "Authorization: Basic x"), "CI_JOB_TOKEN")); !errors.Is(err, env.ErrUsage) {
		t.Errorf("with a bearer token: %v", err)
	}
	for _, content := range []string{"", "\n\n", "# X-Ok: hidden-value\n", "\ufeff"} {
		file := filepath.Join(t.TempDir(), "headers")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := load(t, job("ARTIFETCH_HEADER_FILE", file)); !errors.Is(err, env.ErrUsage) || !strings.Contains(err.Error(), "has no header") {
			t.Errorf("a file with %q: %v", content, err)
		}
	}
	if _, err := load(t, job("ARTIFETCH_HEADERS", "\n")); err != nil {
		t.Errorf("an empty variable: %v", err)
	}
	if _, err := load(t, job("ARTIFETCH_HEADER_FILE", "/dev/zero")); !errors.Is(err, env.ErrUsage) {
		t.Errorf("an endless file: %v", err)
	}
	if _, err := load(t, map[string]string{"ARTIFETCH_HEADERS": "X-Ok: hidden-value", "ARTIFETCH_SECRETS_DIR": "/nonexistent"}); err == nil || !strings.Contains(err.Error(), "no server is named") {
		t.Errorf("no server: %v", err)
	}
}

// Words aren't secrets, nor are values that say how a request came, nor the server's name.
func TestOtherSecrets(t *testing.T) {
	t.Parallel()
	c, err := load(t, job("ARTIFETCH_SERVER_URL", "https://gitlab.example.com/sub", "https_proxy", "http://user:pa55@proxy:3128", "ARTIFETCH_HEADERS", strings.Join([]string{
		"X-Env: main", "X-Id: 1234567", "X-Forwarded-Proto: https://https", "X-Forwarded-For: 192.0.2.17", "X-Host: gitlab.example.com", "X-Secret: eightchr",
		"Proxy-Authorization: Basic dXNlcjpwYXNz", "X-Short: Bearer main", "X-Forwarded-Access-Token: abcdefgh",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pa55", "eightchr", "eightchr", "Basic dXNlcjpwYXNz", "dXNlcjpwYXNz", "Bearer main", "abcdefgh", "abcdefgh"}
	if got := c.OtherSecrets(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
