package cli_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// evil has characters that a terminal obeys, or that make it look like another name. A
// ref can contain all except ESC and BEL (git-check-ref-format), a job name all of them.
const evil = "x\x1b]0;title\a\u009b2J\u0085\u061c\u200e\u200f\u202agpj\u202e\u2028\u2029\u2066\u2069y"

// hiddenWorld uses evil in all names that artifetch gets from GitLab or an archive.
func hiddenWorld() *gitlabtest.World {
	world := gitlabtest.Fixture()
	kind := gitlabtest.Zip(gitlabtest.File{Name: "kind"})
	world.Projects[0].Pipelines = []*gitlabtest.Pipeline{{
		ID: 7, Ref: evil, Status: "success", SHA: strings.Repeat("0", 40), User: evil,
		Jobs: []*gitlabtest.Job{
			{ID: 71, Name: "job " + evil, Stage: evil, User: evil, Tags: []string{evil}, Trace: evil, Archive: kind},
			{ID: 72, Name: "names", Archive: gitlabtest.Zip(gitlabtest.File{Name: "dir" + evil + "/file" + evil}, gitlabtest.File{Name: "link", Link: evil})},
			{ID: 73, Name: "failed " + evil, Status: "failed", Failure: evil},
			{ID: 74, Name: "link", Stage: evil, Archive: gitlabtest.Zip(gitlabtest.File{Name: "link", Link: "/" + evil})},
		},
	}}
	return world
}

// sectionMarks are the control characters that GitLab uses for sections.
var sectionMarks = regexp.MustCompile("\x1b\\[0K(section_(start|end):[0-9]+:[a-z0-9_]+(\\[collapsed=true\\])?\r\x1b\\[0K)?")

// hiddenIn returns the first character that a terminal could obey, or that changes the
// direction of the text around it.
func hiddenIn(printed string) (rune, bool) {
	for _, r := range sectionMarks.ReplaceAllString(printed, "") {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)) {
			return r, true
		}
	}
	return 0, false
}

// No output contains such characters from a name: results, tables, errors and hints,
// logs, sections, JSON, completion, and the files for later jobs.
func TestNothingHiddenIsPrinted(t *testing.T) {
	server := gitlabtest.Start(hiddenWorld(), gitlabtest.Options{})
	t.Cleanup(server.Close)
	dir := t.TempDir()
	t.Chdir(dir)
	err := errors.Join(
		os.WriteFile("archive.zip", hiddenWorld().Projects[0].Pipelines[0].Jobs[1].Archive, 0o600),
		os.WriteFile("artifetch.yml", []byte("version: 1\nsources: [{name: a, project: \"1\", job-id: 71, output: out}]\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"GITLAB_CI": "true", "NO_COLOR": "1", "CI_PROJECT_ID": "1", "CI_PROJECT_PATH": "group/app", "CI_API_V4_URL": server.APIURL, "CI_SERVER_URL": server.URL, "CI_COMMIT_REF_NAME": evil, "CI_PROJECT_DIR": dir,
		"GITLAB_TOKEN": gitlabtest.PrivateToken,
	} {
		t.Setenv(name, value)
	}
	for _, args := range [][]string{
		{"ls", "--job-id", "72"}, {"ls", "--job-id", "72", "-l"}, {"ls", "--job-id", "72", "--tree"}, {"ls", "--job-id", "72", "--format", "json"},
		{"fetch", "--job-id", "72"}, {"fetch", "--job-id", "72", "--log-format", "json"}, {"fetch", "--job-id", "72", "fil"}, {"fetch", "--job-id", "72", "fil", "--log-format", "json"},
		{"fetch", "--job-id", "74"}, {"fetch", "--job-id", "74", "--symlinks", "skip"}, {"fetch", "--job-id", "74", "--symlinks", "all", "--format", "json"},
		{"fetch", "--ref", evil, "--job", "job *", "-v"}, {"fetch", "--ref", evil, "--job", "job *", "--log-format", "json", "-v"}, {"fetch", "--ref", evil, "--job", "job *", "--format", "json"},
		{"fetch", "--ref", evil, "--job", "job *", "--output", "out/{job}"}, {"fetch", "--ref", evil, "--job", "job *", "--dotenv", "env"}, {"fetch", "--ref", evil, "--job", "nob"}, {"fetch", evil},
		{"cat", "--job-id", "72", "fil"}, {"cat", "--job-id", "72", "fil", "--log-format", "json"}, {"extract", "archive.zip"}, {"extract", evil}, {"extract", "archive.zip", evil},
		{"resolve", "--ref", evil, "--job", "job *"}, {"resolve", "--ref", evil, "--job", "job *", "--format", "json"}, {"resolve", "--ref", evil, "--job", "job *", "--format", "dotenv"}, {"resolve", "--ref", evil, "--job", "job *", "--dotenv", "env"},
		{"explain", "--ref", evil, "--job", "job *"}, {"explain", "--ref", evil, "--job", "job *", "--format", "json"}, {"explain", "--ref", evil, "--job", "fail*"}, {"explain", "--ref", evil, "--job", "fail*", "--format", "json"},
		{"jobs"}, {"jobs", "--format", "json"}, {"jobs", "--format", "jsonl"}, {"jobs", "--ref", evil},
		{"job", "show", "71"}, {"job", "show", "71", "--format", "json"}, {"job", "show", "73"}, {"job", "log", "71", "--no-ansi"}, {"job", "play", "71"}, {"keep", "--job-id", "71", "--format", "json"},
		{"sync"}, {"sync", "--check"}, {"sync", "--dry-run"}, {"verify"}, {"verify", "--format", "json"}, {"doctor", "-R", evil}, {"doctor", "--format", "json"}, {evil}, {"fetch", "--" + evil},
		{"__complete", "zsh", "fetch", "--job", ""}, {"__complete", "fish", "fetch", "--ref", ""}, {"__complete", "bash", "artifetch fetch --job "},
	} {
		var out, errs bytes.Buffer
		code := command(t, append([]string{"artifetch"}, args...), cli.IO{Out: &out, Err: &errs})
		if out.Len()+errs.Len() == 0 && args[0] != "__complete" {
			t.Errorf("%q: code %d, and nothing is said", args, code)
		}
		for _, printed := range []string{out.String(), errs.String()} {
			if r, found := hiddenIn(printed); found {
				t.Errorf("%q prints U+%04X: %q", args, r, printed)
			}
		}
		if args[0] == "sync" && len(args) == 1 {
			extra := filepath.Join(dir, "out", "extra "+strings.ReplaceAll(evil, "/", ""))
			if err := os.WriteFile(extra, nil, 0o600); err != nil { // verify reports this file
				t.Fatal(err)
			}
		}
	}
	for _, file := range []string{"env", "artifetch.lock"} {
		text, err := os.ReadFile(file)
		if err != nil && file != "env" { // the values can't be written to a dotenv report
			t.Error(err)
		}
		if r, found := hiddenIn(string(text)); found {
			t.Errorf("%s has U+%04X: %q", file, r, text)
		}
	}
}
