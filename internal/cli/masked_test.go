package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// A token that a server repeats in a job's data isn't printed.
func TestResultsAreMasked(t *testing.T) {
	t.Parallel()
	const token = "glpat-secretSecret0123456"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		job := `{"id":5,"name":"job of ` + r.Header.Get("PRIVATE-TOKEN") + `","status":"success","pipeline":{"id":9},"artifacts_file":{"filename":"a.zip","size":10}}`
		if strings.Contains(r.URL.Path, "/pipelines/8/") {
			job = strings.NewReplacer("success", "failed", `{"id":9}`, `{"id":8}`).Replace(job)
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/jobs"):
			job = "[" + job + "]"
		case strings.HasSuffix(r.URL.Path, "_jobs"), strings.HasSuffix(r.URL.Path, "/pipelines"):
			job = "[]"
		}
		_, _ = w.Write([]byte(job))
	}))
	defer server.Close()
	file := cli.TokenFile(t, token)
	for _, args := range []string{
		"job show 5", "job show 5 --format json", "jobs", "jobs --format json", "jobs --format jsonl", "resolve --pipeline 9 --job job*", "resolve --pipeline 9 --job job* --format json", "explain --pipeline 9 --job job*", "explain --pipeline 8 --job job*", "explain --pipeline 8 --job job* --format json",
	} {
		var out, errs bytes.Buffer
		command(t, append(append([]string{"artifetch"}, strings.Fields(args)...), "--server-url", server.URL, "--token-file", file, "-R", "1"), cli.IO{Out: &out, Err: &errs})
		if said := out.String() + errs.String(); strings.Contains(said, token) || !strings.Contains(said, "[REDACTED]") {
			t.Errorf("%s: %s", args, said)
		}
	}
}

// The values of a gateway's headers may be any words. Results stay unchanged; messages and
// reports about a run mask the values that are secrets, and remain valid JSON.
func TestHeadersInResults(t *testing.T) {
	t.Parallel()
	const secret, job = "production-eu-7", `{"id":1234567,"name":"production-eu-7","status":"success","ref":"main","tag":true,"coverage":null,"new":{"production-eu-7":"https"},"pipeline":{"id":9,"project_id":1}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "/jobs/1234567") {
			_, _ = w.Write([]byte(job))
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"message":"401 for %s"}`, secret)
	}))
	defer server.Close()
	headers, token := filepath.Join(t.TempDir(), "headers"), cli.TokenFile(t, "glpat-secretSecret0123456")
	if err := os.WriteFile(headers, []byte("X-Secret: "+secret+"\nX-A: true\nX-B: 1234567\nX-C: null\nX-D: \"id\"\nX-E: main\nX-F: status\nX-G: https\nX-H: info\nX-I: error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args string) (out, errs string) {
		var stdout, stderr bytes.Buffer
		command(t, append(append([]string{"artifetch"}, strings.Fields(args)...), "--server-url", server.URL, "--header-file", headers, "--token-file", token, "-R", "1", "--log-format", "json", "-v"), cli.IO{Out: &stdout, Err: &stderr})
		return stdout.String(), stderr.String()
	}
	out, _ := run("job show 1234567 --format json")
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(out)); err != nil || !strings.HasPrefix(compact.String(), job[:len(job)-1]+",") {
		t.Errorf("%v: %s", err, out)
	}
	if out, _ = run("job show 1234567"); !strings.Contains(out, secret) || strings.Contains(out, "[REDACTED]") {
		t.Error(out)
	}
	for _, args := range []string{"jobs", "job show 8", "doctor", "doctor --format json"} {
		out, errs := run(args)
		if strings.Contains(out+errs, secret) || !strings.Contains(out+errs, " for [REDACTED]") {
			t.Errorf("%s: %s %s", args, out, errs)
		}
		for line := range strings.Lines(errs) {
			var message struct{ Level, Message string }
			if err := json.Unmarshal([]byte(line), &message); err != nil || message.Level == "[REDACTED]" {
				t.Errorf("%s: %v: %s", args, err, line)
			}
		}
	}
}
