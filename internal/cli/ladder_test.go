package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

var update = flag.Bool("update", false, "rewrite the tables that results are compared with")

// ladderQueries are queries in project 1 of the fixture and, where it works without a
// token, in the public project 4.
var ladderQueries = []struct{ name, private, public string }{
	{"a job by its id", "--job-id 1001", "--job-id 4001"},
	{"a job of the ref's newest successful pipeline", "--ref main --job build", "--ref main --job build"},
	{"a job of its child pipeline", "--ref main --job child-only", ""},
	{"several of its jobs", "--ref main --job test* -o {job_slug}", "--ref main --job b* -o {job_slug}"},
	{"a job that only an older pipeline has", "--ref main --job old-only --recent", ""},
	{"a job of a pipeline", "--pipeline 100 --job build", "--pipeline 400 --job build"},
	{"a job of its grandchild", "--pipeline 100 --job grandchild-only", ""},
	{"a job of the newest pipeline, which is running", "--pipeline latest --ref main --job build", "--pipeline latest --ref main --job build"},
	{"a job of a commit", "--sha " + fmt.Sprintf("%040x", 100) + " --job build", "--sha " + fmt.Sprintf("%040x", 400) + " --job build"},
	{"a job of a merge request", "--mr 7 --job build", ""},
	{"a merge request that doesn't exist", "--mr 99 --job build", ""},
	{"a job of the second of two refs", "--ref mian --ref main --job build", "--ref mian --ref main --job build"},
	{"a job of the default branch", "--ref @default --job build", "--ref @default --job build"},
	{"a job itself, by its name", "job show --ref main --job build", "job show --ref main --job build"},
	{"a job's log, by its name", "job log --pipeline 100 --job build", "job log --pipeline 400 --job build"},
	{"a job of any pipeline", "--ref main --job main-only-newer --any-pipeline", "--ref main --job build --any-pipeline"},
	{"a job of a pipeline from a push", "--ref main --job build --source push", "--ref main --job build --source push"},
	{"a job of a pipeline that isn't scheduled", "--ref main --job build --source !schedule", "--ref main --job build --source !schedule"},
	{"a job of a scheduled pipeline, when there is none", "--ref main --job build --source schedule", "--ref main --job build --source schedule"},
	{"a job that was allowed to fail, and did", "--ref main --job flaky", ""},
	{"the same with --require-success", "--ref main --job flaky --require-success", ""},
	{"a job whose archive was erased", "--ref main --job erased", ""},
	{"a job id that doesn't exist", "--job-id 999999", "--job-id 999999"},
	{"a job that doesn't exist", "--ref main --job biuld", "--ref main --job biuld"},
	{"a ref that doesn't exist", "--ref mian --job build", "--ref mian --job build"},
}

// TestLadder checks what each token finds on each server, in how many requests, or how it
// fails. testdata/ladder.txt has the table in readable form.
func TestLadder(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	for _, q := range ladderQueries {
		fmt.Fprintf(&table, "%s\n", q.name)
		for _, token := range []string{"job", "private", "none"} {
			for _, licence := range []bool{true, false} {
				args := q.private
				if token == "none" {
					args = q.public
				}
				if args == "" || token != "job" && !licence { // only job tokens need the licence
					continue
				}
				var cells []string
				for _, version := range []string{"17.0", "18.5", "18.10", "19.2"} {
					cells = append(cells, version+": "+climb(t, args, token, gitlabtest.Options{Version: version, Unlicensed: !licence}))
				}
				who := map[bool]string{true: token, false: token + ", no licence"}[licence]
				fmt.Fprintf(&table, "  %-16s %s\n", who, strings.Join(cells, "  "))
			}
		}
	}
	golden(t, "ladder.txt", table.String())
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "resolution.md"))
	if err != nil || !strings.Contains(string(doc), strings.TrimSpace(table.String())) {
		t.Errorf("docs/resolution.md shows another table than testdata/ladder.txt: %v", err)
	}
}

// climb runs one query and returns which jobs were fetched, in how many requests, or the
// exit code and reason.
func climb(t *testing.T, query, token string, o gitlabtest.Options) string {
	t.Helper()
	s := gitlabtest.Start(gitlabtest.Fixture(), o)
	defer s.Close()
	dir := t.TempDir()
	project, kind, file := "1", token, filepath.Join(dir, "token")
	value := map[string]string{"job": gitlabtest.JobToken, "private": gitlabtest.PrivateToken}[token]
	args := []string{"--server-url", s.URL, "--token-type", kind}
	if token == "none" {
		project = "4"
	} else {
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--token-file", file)
	}
	args = append(args, "-R", project)
	words := strings.Fields(query)
	if words[0] == "job" {
		return climbVerb(t, s, slices.Concat([]string{"artifetch"}, words, args, []string{"--log-format", "json"}))
	}
	out := filepath.Join(dir, "out")
	if i := slices.Index(words, "-o"); i >= 0 {
		words[i+1] = filepath.Join(out, words[i+1])
	} else {
		words = append(words, "-o", out)
	}
	var said, result bytes.Buffer
	code := command(t, slices.Concat([]string{"artifetch", "fetch"}, args, words), cli.IO{Out: &said, Err: &said})
	if code == 0 {
		return fmt.Sprintf("%s in %d", jobsIn(t, out), len(s.Requests()))
	}
	words = words[:slices.Index(words, "-o")]
	explained := command(t, slices.Concat([]string{"artifetch", "explain", "--format", "json"}, args, words), cli.IO{Out: &result, Err: &said})
	var why struct{ Reason string }
	if err := json.Unmarshal(result.Bytes(), &why); err != nil || explained != code {
		t.Errorf("explain %s: %v, code %d and not %d: %s", query, err, explained, code, said.String())
	}
	return fmt.Sprintf("code %d %s", code, why.Reason)
}

// climbVerb runs a command about one job and returns what it got, in how many requests, or
// the exit code, and the reason if there is one.
func climbVerb(t *testing.T, s *gitlabtest.Running, args []string) string {
	t.Helper()
	var said, result bytes.Buffer
	code := command(t, args, cli.IO{Out: &result, Err: &said})
	if code != 0 {
		var why struct{ Reason string }
		if err := json.Unmarshal(said.Bytes(), &why); err != nil {
			t.Errorf("%s: %v: %s", args, err, said.String())
		}
		return strings.TrimSpace(fmt.Sprintf("code %d %s", code, why.Reason))
	}
	what := "the log"
	if id, found := strings.CutPrefix(result.String(), "job_id "); found {
		what, _, _ = strings.Cut(strings.TrimSpace(id), "\n")
	}
	return fmt.Sprintf("%s in %d", what, len(s.Requests()))
}

// jobsIn returns which jobs the files are from: each archive of the fixture contains that
// in job.txt.
func jobsIn(t *testing.T, dir string) string {
	t.Helper()
	var ids []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "job.txt" {
			return err
		}
		content, err := os.ReadFile(path)
		if fields := strings.Fields(string(content)); len(fields) > 0 {
			ids = append(ids, fields[len(fields)-1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return strings.Join(ids, "+")
}

// If a list is refused, the hint is about lists, not about artifacts.
func TestListsAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"fetch --pipeline 100 -j build -o " + t.TempDir(), "fetch -r main -j build --any-pipeline -o " + t.TempDir(), "explain --pipeline 100 -j build", "resolve --pipeline 100 -j build", "jobs --pipeline 100", "jobs -r main", "jobs", "keep --pipeline 100 -j build"} {
		faults := []gitlabtest.Fault{{Kind: "403", On: "/projects/1/jobs"}, {Kind: "403", On: "/pipelines"}}
		code, out, said := run(t, gitlabtest.Fixture(), gitlabtest.Options{Faults: faults}, strings.Fields(args)...)
		if said += out; code != 5 || !strings.Contains(said, "read_api") || !strings.Contains(said, "Reporter") || strings.Contains(said, "artifacts:access") {
			t.Errorf("%s: code %d: %s", args, code, said)
		}
	}
}

// If only the storage fails, explain says so in the same form as all else.
func TestExplainStorage(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{"404": "answers 404", "403": "answers 403", "500": "answers 500", "reset": "connection reset"} {
		o := gitlabtest.Options{Mode: gitlabtest.ModeRedirect, Faults: []gitlabtest.Fault{{Kind: kind, On: "storage"}}}
		code, out, said := run(t, gitlabtest.Fixture(), o, "explain", "-r", "main", "-j", "build", "--format", "json", "--retries", "0", "--download-mode", "direct")
		var x struct {
			Found                 bool
			Reason, Cause, Remedy string
			Evidence              []string
		}
		if err := json.Unmarshal([]byte(out), &x); err != nil || code != 6 || x.Found || x.Reason != "storage_failed" || !strings.Contains(x.Cause, want) || len(x.Evidence) != 1 || kind != "500" && x.Remedy == "" {
			t.Errorf("%s: code %d, %v: %s\n%s", kind, code, err, out, said)
		}
	}
	if code, out, _ := run(t, gitlabtest.Fixture(), gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "500"}}}, "explain", "-r", "main", "-j", "build", "--format", "json", "--retries", "0"); code != 6 || out != "" {
		t.Errorf("GitLab itself fails: code %d: %s", code, out)
	}
}
