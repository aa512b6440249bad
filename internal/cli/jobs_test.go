package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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

// golden compares with a file, or updates it.
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

// The output for the example responses in GitLab's own documentation. Programs rely on the
// JSON.
func TestDocumentedExamplesPrinted(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, answer, args string }{
		{"jobs.json", "jobs.json", "jobs --format json"},
		{"jobs.jsonl", "jobs.json", "jobs --format jsonl"},
		{"jobs.tsv", "jobs.json", "jobs"},
		{"job.json", "job.json", "job show 8 --format json"},
		{"job.txt", "job.json", "job show 8"},
		{"canceled.txt", "canceled.json", "job cancel 1 -y"},
		{"retried.json", "retried.json", "job retry 1 --format json"},
		{"erased.txt", "erased.json", "job erase 1 -y"},
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
			token := cli.TokenFile(t, gitlabtest.PrivateToken)
			var stdout, stderr bytes.Buffer
			args := append([]string{"artifetch", "--server-url", s.URL, "--token-file", token}, strings.Fields(tt.args)...)
			if code := command(t, append(args, "-R", "1"), cli.IO{Out: &stdout, Err: &stderr}); code != 0 {
				t.Fatalf("code %d: %s", code, &stderr)
			}
			golden(t, filepath.Join("printed", tt.name), stdout.String())
		})
	}
}

// Every field that the server sends is in the JSON of every command that prints a job,
// under the server's name. Numbers are exact, secrets are masked however they are spelled,
// and control characters are escaped.
func TestWholeJobPrinted(t *testing.T) {
	t.Parallel()
	secret := gitlabtest.PrivateToken
	job := `{"id": 8, "name": "build", "status": "success", "brand_new": {"big": 9007199254740993, "none": null}, "runner": {"id": 3, "note": "` + "\u009b\u202e" + `"},
		"user": {"id": 1, "username": "root", "bio": "` + secret + `"}, "pipeline": {"id": 6, "status": "pending", "project_id": 1, "source": "push"},
		"commit": {"title": "\u00` + fmt.Sprintf("%02x", secret[0]) + secret[1:] + `"}, "artifacts_file": {"filename": "artifacts.zip", "size": 7},
		"artifacts": [{"file_type": "junit", "size": 750, "filename": "junit.xml.gz", "file_format": "gzip"}]}`
	s := oneJob(job)
	defer s.Close()
	token := cli.TokenFile(t, secret)
	for _, args := range []string{
		"jobs", "jobs --format jsonl", "job show 8", "job show --ref main --job build", "keep --job-id 8", "job keep 8", "job retry 8", "job cancel 8 -y", "job play 8", "job erase 8 --yes",
	} {
		var stdout, stderr bytes.Buffer
		if !strings.Contains(args, "--format") {
			args += " --format json"
		}
		all := append([]string{"artifetch", "--server-url", s.URL, "--token-file", token}, strings.Fields(args)...)
		if code := command(t, append(all, "-R", "1"), cli.IO{Out: &stdout, Err: &stderr}); code != 0 {
			t.Errorf("%s: code %d: %s", args, code, &stderr)
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, stdout.Bytes()); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		for _, want := range []string{
			`"brand_new":{"big":9007199254740993,"none":null}`, `"runner":{"id":3,"note":"\u009b\u202e"}`, `"user":{"id":1,"username":"root","bio":"[REDACTED]"}`,
			`"pipeline":{"id":6,"status":"pending","project_id":1,"source":"push"}`, `"commit":{"title":"[REDACTED]"}`, `"artifacts_file":{"filename":"artifacts.zip","size":7}`,
			`"artifacts":[{"file_type":"junit","size":750,"filename":"junit.xml.gz","file_format":"gzip"}]`, `"pipeline_id":6`, `"archive_size":7`, `"tags":[]`, `"failure_reason":null`,
		} {
			if !strings.Contains(compact.String(), want) {
				t.Errorf("%s: no %s in %s", args, want, &compact)
			}
		}
	}
}

// oneJob is a server with one job, in one pipeline.
func oneJob(job string) *httptest.Server {
	const pipeline = `{"id": 6, "ref": "main", "status": "success", "source": "push"}`
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := job
		switch {
		case strings.HasSuffix(r.URL.Path, "/cancel"):
			answer = strings.Replace(job, `"success"`, `"canceled"`, 1)
		case strings.HasSuffix(r.URL.Path, "/jobs"):
			answer = "[" + job + "]"
		case strings.HasSuffix(r.URL.Path, "/pipelines"):
			answer = "[" + pipeline + "]"
		case strings.HasSuffix(r.URL.Path, "/pipelines/6"), strings.HasSuffix(r.URL.Path, "/pipelines/latest"):
			answer = pipeline
		case strings.HasSuffix(r.URL.Path, "_jobs"):
			answer = "[]"
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, answer)
	}))
}
