package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/console/consoletest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// terminal is a new pseudo-terminal. shown closes it, and returns the output.
func terminal(t *testing.T, columns uint16) (near *os.File, shown func() string) {
	t.Helper()
	far, near := consoletest.Terminal(t, 24, columns)
	var text bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&text, far) // ends with EIO when the other end is closed
	}()
	return near, func() string {
		_ = near.Close()
		<-read
		return strings.ReplaceAll(text.String(), "\r\n", "\n")
	}
}

// Results and errors are colored if the terminal supports it and the user hasn't turned it
// off; the cursor only moves where it can.
func TestColoursOfMessages(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.zip"), gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "1"}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name               string
		vars               string
		onTerminal, inFile bool
	}{
		{"a usual terminal", "TERM=xterm", true, false},
		{"no colours wanted", "TERM=xterm NO_COLOR=1", false, false},
		{"forced", "TERM=xterm CLICOLOR_FORCE=1", true, true},
		{"forced, and not wanted", "CLICOLOR_FORCE=1 NO_COLOR=1", false, false},
		{"a terminal that can do nothing", "TERM=dumb", false, false},
		{"a job log", "GITLAB_CI=true", true, true},
		{"a job log without colours", "GITLAB_CI=true NO_COLOR=1", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"TERM", "NO_COLOR", "CLICOLOR_FORCE", "GITLAB_CI"} {
				t.Setenv(name, "")
			}
			for setting := range strings.FieldsSeq(tt.vars) {
				name, value, _ := strings.Cut(setting, "=")
				t.Setenv(name, value)
			}
			run := func(out cli.IO) {
				command(t, []string{"artifetch", "extract", filepath.Join(dir, "a.zip"), "-o", dir, "--no-sections"}, out)
				command(t, []string{"artifetch", "extract"}, out)
			}
			var file bytes.Buffer
			run(cli.IO{Err: &file})
			near, shown := terminal(t, 200)
			run(cli.IO{Err: near})
			for where, got := range map[string]string{"terminal": shown(), "file": file.String()} {
				want := map[string]bool{"terminal": tt.onTerminal, "file": tt.inFile}[where]
				good, bad := "✓ "+filepath.Join(dir, "a.zip")+" · 1 file, 1 B → ", "artifetch: no archive given\n  name a file"
				if want {
					good, bad = strings.Replace(good, "✓", "\x1b[32m✓\x1b[0m", 1), strings.Replace(bad, "artifetch:", "\x1b[31martifetch:\x1b[0m", 1)
				}
				if !strings.Contains(got, good) || !strings.Contains(got, bad) || !want && strings.Contains(got, "\x1b") {
					t.Errorf("%s: %q", where, got)
				}
			}
		})
	}
}

// A table of jobs fits a terminal of 80 columns, with IDs as on GitLab.com and long names.
func TestJobsFitTheTerminal(t *testing.T) {
	t.Parallel()
	finished := time.Now().Add(-3 * time.Hour).UTC().Format(time.RFC3339)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("ref") == "none" || strings.HasSuffix(r.URL.Path, "/pipelines") {
			_, _ = io.WriteString(w, "[]")
			return
		}
		_, _ = fmt.Fprintf(w, `[{"id":12345678901,"name":"build: [linux, amd64, release]","stage":"build and test","status":"waiting_for_resource","ref":"feature/a-long-name","duration":62.5,"finished_at":%q,"pipeline":{"id":2345678901},"artifacts_file":{"filename":"a.zip","size":30515}}]`, finished)
	}))
	defer server.Close()
	token := cli.TokenFile(t, "glpat-x")
	for columns, want := range map[uint16]string{
		200: "ID           STATUS                STAGE           NAME                            REF                  PIPELINE    TOOK  FINISHED  ARCHIVE\n12345678901  waiting_for_resource  build and test  build: [linux, amd64, release]  feature/a-long-name  2345678901  1m3s  3h ago    29.8 KiB\n",
		80:  "ID           STATUS                NAME                       REF       FINISHED\n12345678901  waiting_for_resource  build: [linux, amd64, re…  feature…  3h ago\n",
		40:  "ID           STATUS    NAME\n12345678901  waiting…  build: [linux, a…\n",
		20:  "ID           …  NAME\n12345678901  …  bui…\n",
	} {
		near, shown := terminal(t, columns)
		code := command(t, []string{"artifetch", "jobs", "-R", "1", "--server-url", server.URL, "--token-file", token}, cli.IO{Out: near, Err: io.Discard})
		got := shown()
		if code != 0 || got != want {
			t.Errorf("code %d:\n%swant\n%s", code, got, want)
		}
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(line) - 1; n > int(columns) {
				t.Errorf("%d columns: %q", n, line)
			}
		}
	}
	var out, said bytes.Buffer
	code := command(t, []string{"artifetch", "jobs", "-R", "1", "--ref", "none", "--server-url", server.URL, "--token-file", token}, cli.IO{Out: &out, Err: &said})
	if code != 0 || out.Len() > 0 || said.String() != "no such job\n" {
		t.Errorf("nothing found: code %d, %q, %q", code, out.String(), said.String())
	}
}

// On a terminal, messages and results are folded between words, and sync prints one line
// for each source; programs also get what has moved.
func TestResultsFitTheTerminal(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	defer s.Close()
	dir := t.TempDir()
	manifest := "version: 1\ndefaults: {project: '1', ref: main, job: build}\nsources:\n  - {name: first-source, output: out/first}\n  - {name: second-source, output: out/second}\n"
	if err := os.WriteFile(filepath.Join(dir, "artifetch.yml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	token := cli.TokenFile(t, gitlabtest.PrivateToken)
	args := []string{"artifetch", "sync", "--server-url", s.URL, "--token-file", token, "-f", filepath.Join(dir, "artifetch.yml"), "--no-progress"}
	near, shown := terminal(t, 40)
	code := command(t, args, cli.IO{Out: near, Err: near})
	text := regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(shown(), "")
	if code != 0 || strings.Count(text, "first-source") != 1 || strings.Count(text, "✓") != 3 {
		t.Errorf("%d: %s", code, text)
	}
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 40 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("too wide: %q", line)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "artifetch.lock")); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	if code := command(t, args, cli.IO{Out: &out, Err: &said}); code != 0 || strings.Count(out.String(), "first-source") != 1 || strings.Count(said.String(), "first-source") != 1 {
		t.Errorf("%d: %s%s", code, out.String(), said.String())
	}
}

// doctor's lines are folded below their texts.
func TestDoctorFitsTheTerminal(t *testing.T) {
	t.Parallel()
	near, shown := terminal(t, 60)
	code := command(t, []string{"artifetch", "doctor", "--server-url", "http://127.0.0.1:1", "--retries", "0"}, cli.IO{Out: near, Err: io.Discard})
	got := shown()
	if code != 6 || !strings.Contains(got, "\n               cannot connect to 127.0.0.1:1: connection\n               refused → is --server-url right,") || !strings.Contains(got, "\nartifetch cannot work here until this is fixed: server.\n") {
		t.Errorf("code %d:\n%s", code, got)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(line) - 1; n > 60 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// A command that waits for the server says at a terminal what for, until it prints
// something or asks.
func TestWaitingIsShown(t *testing.T) {
	t.Setenv("TERM", "xterm")
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	defer s.Close()
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	token, file := filepath.Join(dir, "token"), filepath.Join(dir, "file")
	if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][2]string{
		"jobs":                                 {"listing jobs", "success"},
		"jobs --format jsonl":                  {"listing jobs", `"success"`},
		"ls --job-id 1001":                     {"looking for the job", "job.txt"},
		"cat --job-id 1001 job.txt":            {"looking for the job", "build 1001"},
		"cat --job-id 1001 job.txt -o " + file: {"looking for the job", " job.txt · 11 B"},
		"resolve --ref main --job build":       {"looking for the job", "job_id"},
		"explain --ref main --job build":       {"looking for the job", "nothing is wrong"},
		"explain --ref main --job biuld":       {"looking for the job", "cause:"},
		"job show --ref main --job build":      {"looking for the job", "job_id"},
		"job erase --ref main --job build":     {"looking for the job", "[y/N]"},
		"delete --ref main --job build":        {"looking for the job", "[y/N]"},
		"doctor":                               {"checking", "✓ environment"},
	} {
		t.Run(args, func(t *testing.T) {
			gate := make(chan struct{})
			proxy := httputil.NewSingleHostReverseProxy(to)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				<-gate
				proxy.ServeHTTP(w, r)
			}))
			defer server.Close()
			far, near := consoletest.Terminal(t, 24, 120)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				line := append([]string{"artifetch", "--server-url", server.URL, "--token-file", token}, strings.Fields(args)...)
				command(t, append(line, "-R", "1"), cli.IO{In: near, Out: near, Err: near})
				_ = near.Close() // nothing else is printed
			}()
			consoletest.ReadUntil(t, far, want[0])
			close(gate)
			shown := consoletest.ReadUntil(t, far, want[1])
			if strings.Contains(want[1], "y/N") {
				if _, err := far.WriteString("n\n"); err != nil {
					t.Fatal(err)
				}
			}
			if at := strings.LastIndex(shown, want[0]); at >= 0 && !strings.Contains(shown[at:], "\x1b[J") {
				t.Errorf("it stays: %q", shown[at:])
			}
			rest, _ := io.ReadAll(far) // ends with EIO
			<-ended
			if bytes.Contains(rest, []byte(want[0])) {
				t.Errorf("it comes again: %q", rest)
			}
		})
	}
}
