package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
)

// A server that repeats the token in what it says of jobs does not get it printed.
func TestResultsAreMasked(t *testing.T) {
	t.Parallel()
	const token = "glpat-secretSecret0123456"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		job := `{"id":5,"name":"job of ` + r.Header.Get("PRIVATE-TOKEN") + `","status":"success","pipeline":{"id":9},"artifacts_file":{"filename":"a.zip","size":10}}`
		if strings.Contains(r.URL.Path, "/pipelines/8/") {
			job = strings.ReplaceAll(job, "success", "failed")
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
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
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
