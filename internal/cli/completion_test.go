package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// completed returns the words that a shell gets.
func completed(t *testing.T, words ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if code := command(t, append([]string{"artifetch", "__complete"}, words...), cli.IO{Out: &out, Err: &said}); code != 0 || said.Len() > 0 {
		t.Errorf("code %d, said %q", code, &said)
	}
	return out.String()
}

func TestComplete(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "inputs.yml")
	if err := os.WriteFile(file, []byte("version: 1\ndefaults: {project: p, ref: '${REF}'}\nsources: [{name: app, job: a}, {name: lib, job: b}, {name: tool, job: c}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		words []string
		want  string // the words, without what they mean
	}{
		{"commands", []string{"c"}, "cat completion"},
		{"a command behind a global flag", []string{"-v", "--retries", "3", "expl"}, "explain"},
		{"subcommands", []string{"job", ""}, "show log cancel retry erase play keep"},
		{"subcommands behind a flag", []string{"job", "-R", "x", "re"}, "retry"},
		{"subcommands of a command that has flags", []string{"sync", "-f", "x", ""}, "init add remove"},
		{"flags of such a command", []string{"sync", "--of"}, "--offline"},
		{"flags of its subcommand", []string{"sync", "add", "lib", "--so"}, "--source"},
		{"not those of the command above it", []string{"sync", "init", "--of"}, ""},
		{"sources to remove", []string{"sync", "-f", file, "remove", "lib", ""}, "app tool"},
		{"sources to update", []string{"sync", "--manifest=" + file, "--update", "t"}, "tool"},
		{"no sources without a manifest", []string{"sync", "remove", ""}, ""},
		{"nothing behind a subcommand", []string{"job", "show", ""}, ""},
		{"topics and commands of help", []string{"help", "e"}, "environment exit-codes explain extract"},
		{"subcommands of help", []string{"help", "job", "re"}, "retry"},
		{"nothing behind them", []string{"help", "job", "retry", ""}, ""},
		{"nothing behind what help doesn't know", []string{"help", "fecth", ""}, ""},
		{"archives to extract", []string{"extract", ""}, ":files"},
		{"a file with headers", []string{"fetch", "--header-file", ""}, ":files"},
		{"a file for the archive", []string{"fetch", "--archive="}, ":files"},
		{"flags of a command", []string{"jobs", "--li"}, "--limit"},
		{"flags of a subcommand", []string{"job", "play", "--va"}, "--variable"},
		{"flags that every command has", []string{"jobs", "--retri"}, "--retries"},
		{"values", []string{"jobs", "--format", "j"}, "json jsonl"},
		{"values of another command's flag of that name", []string{"ls", "--format", ""}, "text json"},
		{"values behind an equals sign", []string{"jobs", "--scope=s"}, "--scope=success --scope=skipped --scope=scheduled"},
		{"values by a short name", []string{"fetch", "-o", ""}, ":files"},
		{"files behind an equals sign", []string{"fetch", "--output="}, ":files"},
		{"sources", []string{"fetch", "--source", "s"}, "schedule security_orchestration_policy"},
		{"sources of jobs", []string{"jobs", "--source=sch"}, "--source=schedule"},
		{"pipelines that have a word", []string{"fetch", "--pipeline", ""}, "current upstream root latest"},
		{"a manifest", []string{"sync", "-f", ""}, ":files"},
		{"not behind a switch", []string{"jobs", "--with-artifacts", ""}, ""},
		{"not behind two dashes", []string{"fetch", "--", "-"}, ""},
		{"shells", []string{"completion", "p"}, "powershell"},
		{"an unknown flag", []string{"fetch", "--nothing="}, ""},
		{"an unknown command", []string{"fecth", "--jo"}, ""},
		{"names without a token", []string{"--token-type", "none", "-R", "1", "fetch", "--job", ""}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for line := range strings.Lines(completed(t, append([]string{"fish"}, tt.words...)...)) {
				text, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
				got = append(got, text)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// bash splits at colons and equals signs, and needs quotes handled.
func TestCompleteBash(t *testing.T) {
	t.Parallel()
	token, s := serverFor(t, gitlabtest.PrivateToken)
	line := "artifetch fetch --server-url " + s.URL + " --token-file " + token + " -R 1 --pipeline 100 "
	tests := []struct{ line, want string }{
		{"--job test", "test:unit\ntest\\ 3/3\ntest\\ 2/3\ntest\\ 1/3\n"},
		{"--job test:u", "unit\n"},
		{"--job=test:u", "unit\n"},
		{"--job 'test ", "test 3/3\ntest 2/3\ntest 1/3\n"},
		{`--job "build: [`, "build: [linux, arm64]\nbuild: [linux, amd64]\n"},
		{`--job build:\ `, "\\ \\[linux\\,\\ arm64\\]\n\\ \\[linux\\,\\ amd64\\]\n"},
		{"--job c", "c++\n"},
		{"--job is", "issue\\ \\#1\n"},
		{"--jo", "--job\n--job-id\n"},
		{"-o ", ":files\n"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, completed(t, "bash", line+tt.line)); diff != "" {
			t.Errorf("%s: %s", tt.line, diff)
		}
	}
	if got := completed(t, "bash", "artifetch jo --nothing", "12"); got != "jobs\njob\n" {
		t.Errorf("with the cursor within: %q", got)
	}
}

// serverFor starts a server and writes a token that is valid for it.
func serverFor(t *testing.T, token string) (file string, s *gitlabtest.Running) {
	t.Helper()
	s = gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	file = cli.TokenFile(t, token)
	return file, s
}

func TestCompleteNames(t *testing.T) {
	t.Parallel()
	token, s := serverFor(t, gitlabtest.PrivateToken)
	who := []string{"zsh", "fetch", "--server-url", s.URL, "--token-file", token, "-R", "1"}
	tests := []struct {
		words    []string
		want     string
		requests int
	}{
		{[]string{"--job", "bu"}, "build\ttest\nbuild: [linux, arm64]\ttest\nbuild: [linux, amd64]\ttest\n", 1},
		{[]string{"--pipeline", "101", "-j", ""}, "child-only\ttest\nbuild\ttest\n", 1},
		{[]string{"--ref", ""}, "main\trunning\nrefs/merge-requests/7/head\tsuccess\nrelease/2.x\tsuccess\nv1.0\tsuccess\n@default\tthe default branch\n", 1},
		{[]string{"--ref=re"}, "--ref=refs/merge-requests/7/head\tsuccess\n--ref=release/2.x\tsuccess\n", 1},
		{[]string{"--ref", "release/2.x", "--job", ""}, "build\ttest\n", 2},
		{[]string{"--job-id", "100"}, "1009\tlint, main, success\n1008\tflaky, main, failed\n1007\tbuild: [linux, arm64], main, success\n1006\tbuild: [linux, amd64], main, success\n1005\ttest 3/3, main, success\n1004\ttest 2/3, main, success\n1003\ttest 1/3, main, success\n1002\treport, main, success\n1001\tbuild, main, success\n", 1},
		{[]string{"--pipeline", "10"}, "105\trefs/merge-requests/7/head, success\n104\trelease/2.x, success\n103\tv1.0, success\n100\tmain, success\n", 1},
		{[]string{"--job-id", "1001", "dist/a"}, "dist/app\t19 B\n", 1},
		{[]string{"--job-id", "1001", "dist/app", "dist/l"}, "dist/logs/build.log\t19.5 KiB\n", 0}, // kept from before
		{[]string{"--job-id", "1002", "none"}, "", 1},
	}
	for _, tt := range tests {
		before := len(s.Requests())
		if diff := cmp.Diff(tt.want, completed(t, append(who, tt.words...)...)); diff != "" {
			t.Errorf("%s: %s", tt.words, diff)
		}
		if n := len(s.Requests()) - before; n != tt.requests {
			t.Errorf("%s: %d requests, want %d", tt.words, n, tt.requests)
		}
	}
}

// The job commands take the job's ID as an argument, not as a flag.
func TestCompleteJobIDs(t *testing.T) {
	t.Parallel()
	token, s := serverFor(t, gitlabtest.PrivateToken)
	who := []string{"fish", "job", "show", "--server-url", s.URL, "--token-file", token, "-R", "1"}
	if diff := cmp.Diff("1009\tlint, main, success\n", completed(t, append(who, "1009")...)); diff != "" {
		t.Error(diff)
	}
	if got := completed(t, append(who, "1009", "10")...); got != "" {
		t.Errorf("a second job: %q", got)
	}
}

// Completion doesn't wait for a server that doesn't answer, or answers something else, and
// prints nothing about it.
func TestCompleteGivesUp(t *testing.T) {
	t.Parallel()
	requests := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		<-r.Context().Done() // until the client gives up
	}))
	defer s.Close()
	token, _ := serverFor(t, gitlabtest.PrivateToken)
	cli.OneAtATime.Lock()
	defer cli.OneAtATime.Unlock()
	defer cli.SetPatience(cli.SetPatience(time.Second))
	for range 2 {
		var out, said bytes.Buffer
		args := []string{"artifetch", "__complete", "zsh", "fetch", "--server-url", s.URL, "--token-file", token, "-R", "1", "--ref", ""}
		if code := cli.Run(t.Context(), args, cli.IO{Out: &out, Err: &said}); code != 0 || out.Len()+said.Len() > 0 {
			t.Errorf("code %d, %q, %q", code, &out, &said)
		}
	}
}
