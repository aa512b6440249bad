package env_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/env"
)

// Headers come from a file and from a variable, one a line.
func TestHeaders(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(file, []byte("# of Cloudflare\r\ncf-access-client-id: an id.access\r\n\r\nCF-Access-Client-Secret:a:secret\n"), 0o600); err != nil {
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
	if s := strings.Join(got, " | "); s != "Cf-Access-Client-Id=an id.access | Cf-Access-Client-Secret=a:secret | Cookie=a=b; c=d | Proxy-Authorization=Bearer gateway | Authorization=Basic other" {
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
		"X-Ok:":                                 "has no header in line 1",
		": hidden-value":                        "has no header in line 1",
		"X Y: hidden-value":                     "has no header in line 1",
		"X-Ok: hidden-value\x01":                "has control characters in line 1",
		"X-Ok: hidden-value\rHost: x":           "has control characters in line 1",
		"X-Ok: $GATEWAY_SECRET":                 "has the literal text $GATEWAY_SECRET in line 1",
		"private-token: hidden-value":           "has Private-Token, which artifetch sets itself, in line 1",
		"JOB-TOKEN: hidden-value":               "has Job-Token, which artifetch sets itself, in line 1",
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
	if _, err := load(t, job("ARTIFETCH_HEADER_FILE", "/dev/zero")); !errors.Is(err, env.ErrUsage) {
		t.Errorf("an endless file: %v", err)
	}
	if _, err := load(t, map[string]string{"ARTIFETCH_HEADERS": "X-Ok: hidden-value", "ARTIFETCH_SECRETS_DIR": "/nonexistent"}); err == nil || !strings.Contains(err.Error(), "nothing says in front of which server") {
		t.Errorf("no server: %v", err)
	}
}
