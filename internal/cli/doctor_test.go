package cli_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// doctor names the authority that signed the server's certificate, its expiry, and the
// difference between the clocks. It prints no secret, even if the server repeats it.
func TestDoctorOverTLS(t *testing.T) {
	const token = "glpat-secretSecret0123456"
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"message":"401 Unauthorized: ` + r.Header.Get("PRIVATE-TOKEN") + `"}`))
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"GITLAB_CI": "", "CI_API_V4_URL": server.URL + "/api/v4", "GITLAB_TOKEN": token, "CI_SERVER_TLS_CA_FILE": ca, "CI_PROJECT_DIR": t.TempDir()} {
		t.Setenv(name, value)
	}
	for _, format := range []string{"text", "json"} {
		var out, errs bytes.Buffer
		if code := command(t, []string{"artifetch", "doctor", "--format", format}, cli.IO{Out: &out, Err: &errs}); code != 5 {
			t.Errorf("code %d: %s%s", code, out.String(), errs.String())
		}
		if bytes.Contains(out.Bytes(), []byte(token)) || bytes.Contains(errs.Bytes(), []byte(token)) {
			t.Errorf("the token is printed: %s%s", out.String(), errs.String())
		}
		if format == "json" {
			continue
		}
		for _, want := range []string{
			`(?m)^✓ tls +TLS 1\.3; certificate of example\.com.* until 2084-01-29 \(\d+ days\), by .*; trusted: .*, from ` + regexp.QuoteMeta(ca) + `$`,
			`(?m)^! clock +1h0m\d?s away from the server's → `,
			`(?m)^✗ token +private token from GITLAB_TOKEN: GitLab answers 401 .*\[REDACTED\]`,
		} {
			if !regexp.MustCompile(want).Match(out.Bytes()) {
				t.Errorf("no %s in:\n%s", want, out.String())
			}
		}
	}
	t.Setenv("CI_SERVER_TLS_CA_FILE", "")
	var out bytes.Buffer
	if code := command(t, []string{"artifetch", "doctor"}, cli.IO{Out: &out}); code != 6 || !regexp.MustCompile(`(?m)^✗ server .*unknown authority`).Match(out.Bytes()) {
		t.Errorf("without the CA: code %d: %s", code, out.String())
	}
}

// What Go says about connections is in plain words everywhere: in doctor's lines, in
// errors and in warnings.
func TestConnectionsInWords(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	s := gitlabtest.Start(world, gitlabtest.Options{Mode: gitlabtest.ModeRedirect, StorageDown: "refused"})
	defer s.Close()
	token := cli.TokenFile(t, gitlabtest.PrivateToken)
	refused := `GET http://[^ "?]+: cannot connect to 127\.0\.0\.1:\d+: connection refused`
	nowhere := "http://127.0.0.1:1"
	for _, tt := range []struct{ server, args, out, said string }{
		{nowhere, "doctor", `(?m)^✗ server +` + refused + ` → is --server-url right`, ""},
		{nowhere, "doctor --format json", `"text": "` + refused + `"`, ""},
		{nowhere, "jobs", "", `(?m)^artifetch: ` + refused + `$`},
		{s.URL, "doctor", `(?m)^✗ storage +127\.0\.0\.1:\d+ cannot be reached: ` + refused + ` → let this machine reach it`, ""},
		{s.URL, "fetch --ref main --job build", "", `(?m)^warning: cannot reach GitLab's storage 127\.0\.0\.1:\d+ \(` + refused + `\): downloading through GitLab$`},
		{s.URL, "fetch --ref main --job build --log-format json", "", `"error":"` + refused + `"`},
	} {
		var out, said bytes.Buffer
		args := append([]string{"artifetch", "--server-url", tt.server, "--token-file", token, "--retries", "0"}, strings.Fields(tt.args)...)
		command(t, append(args, "-R", "1"), cli.IO{Out: &out, Err: &said})
		if !regexp.MustCompile(tt.out).MatchString(out.String()) || !regexp.MustCompile(tt.said).MatchString(said.String()) {
			t.Errorf("%s:\n%s\n%s", tt.args, out.String(), said.String())
		}
		if strings.Contains(out.String()+said.String(), "dial tcp") {
			t.Errorf("%s: Go's words:\n%s\n%s", tt.args, out.String(), said.String())
		}
	}
}

// A failure shows no secret of an address.
func TestDoctorRedacts(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := command(t, []string{"artifetch", "doctor", "--server-url", "http://127.0.0.1:1/?private_token=secret", "--retries", "0"}, cli.IO{Out: &out})
	if code == 0 || out.Len() == 0 || strings.Contains(out.String(), "secret") {
		t.Errorf("code %d: %s", code, out.String())
	}
}
