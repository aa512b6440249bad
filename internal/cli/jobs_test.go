package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// What is printed of the example responses of GitLab's own documentation. The
// JSON is what programs rely on.
func TestDocumentedExamplesPrinted(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, answer, args string }{
		{"jobs.json", "jobs.json", "jobs --format json"},
		{"jobs.jsonl", "jobs.json", "jobs --format jsonl"},
		{"jobs.tsv", "jobs.json", "jobs"},
		{"job.json", "job.json", "job show 8 --format json"},
		{"job.txt", "job.json", "job show 8"},
		{"canceled.txt", "canceled.json", "job cancel 1"},
		{"retried.json", "retried.json", "job retry 1 --format json"},
		{"erased.txt", "erased.json", "job erase 1"},
		{"played.txt", "played.json", "job play 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer, err := os.ReadFile(filepath.Join("..", "..", "gitlab", "testdata", tt.answer))
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
			defer s.Close()
			token := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			args := append([]string{"artifetch", "--server-url", s.URL, "--token-file", token}, strings.Fields(tt.args)...)
			if code := command(t, append(args, "-R", "1"), cli.IO{Out: &stdout, Err: &stderr}); code != 0 {
				t.Fatalf("code %d: %s", code, &stderr)
			}
			golden(t, filepath.Join("printed", tt.name), stdout.String())
		})
	}
}
