package delivery

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
)

// Examples in help that don't exit with 0, and why.
var exampleCodes = map[string]int{
	"artifetch explain --ref main --job biuld":                        3, // the job doesn't exist
	"artifetch explain -R group/lib -r v1.0 -j package --format json": 0,
	"artifetch sync init":                                             9, // there is a manifest already
}

// Every example in every command's help works unchanged, on an instance with the jobs
// that the examples name.
func TestHelpExamples(t *testing.T) {
	t.Parallel()
	need.Tools(t, "bash", "curl")
	rows := regexp.MustCompile(`(?m)^  ([a-z]+)(?:, [a-z]+)?  `)
	examples := regexp.MustCompile(`(?m)^  ((?:artifetch|source|curl) .*)$`)
	tried := 0
	for _, row := range rows.FindAllStringSubmatch(command(t, "", "artifetch", "--help"), -1) {
		for _, example := range examples.FindAllStringSubmatch(command(t, "", "artifetch", row[1], "--help"), -1) {
			line := example[1]
			if strings.Contains(line, "Invoke-Expression") {
				continue // PowerShell isn't installed
			}
			tried++
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				runExample(t, line, exampleCodes[line])
			})
		}
	}
	if tried < 30 {
		t.Errorf("%d examples", tried)
	}
}

func runExample(t *testing.T, line string, want int) {
	s := gitlabtest.Start(exampleWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	dir := t.TempDir()
	archive := gitlabtest.Zip(gitlabtest.File{Name: "dist/app", Content: "app"})
	for name, content := range map[string]string{
		"artifacts.zip":                  string(archive),
		"artifetch.yml":                  "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n  - {name: lib, job: build, output: vendor}\n",
		".config/fish/completions/.keep": "",
		"functions/.keep":                "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "HOME="+dir, "GITLAB_CI=", "CI=", "CI_API_V4_URL="+s.APIURL, "CI_SERVER_URL="+s.URL, "GITLAB_TOKEN="+gitlabtest.PrivateToken,
		"CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app", "CI_COMMIT_REF_NAME=main", "CI_PIPELINE_ID=100", "CI_PROJECT_DIR=",
		"URL="+s.APIURL+"/projects/4/jobs/4001/artifacts")
	if strings.HasPrefix(line, "artifetch sync --") || strings.HasPrefix(line, "artifetch verify") {
		prepare := exec.CommandContext(t.Context(), "artifetch", "sync")
		prepare.Dir, prepare.Env = dir, env
		if out, err := prepare.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	script := "fpath=('' '" + dir + "/functions')\n" + line // zsh counts from 1
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = dir, env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // only its output matters
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Errorf("exit code %d, want %d: %s", code, want, out.String())
	}
}

// exampleWorld has what the examples name: the fixture, and
//
//	1 group/app   build 1001 has version.txt, report 1002 reports/report.xml; 1401 is manual,
//	              with test 1/3 and lint beside it
//	5 group/lib   v1.0: package 5001
//	2             v2.x: package 2101
func exampleWorld() *gitlabtest.World {
	w := gitlabtest.Fixture()
	app, lib := w.Projects[0], w.Projects[1]
	file := func(name string) gitlabtest.File { return gitlabtest.File{Name: name, Content: name} }
	for _, p := range app.Pipelines {
		if p.ID == 120 { // main's newest
			p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: 1402, Name: "test 1/3"}, &gitlabtest.Job{ID: 1403, Name: "lint", Status: "failed"})
		}
		for _, j := range p.Jobs {
			switch j.ID {
			case 1001:
				j.Archive = gitlabtest.Zip(file("version.txt"), file("dist/app"))
			case 1002:
				j.Archive = gitlabtest.Zip(file("reports/report.xml"))
			case 1401:
				j.Status = "manual"
			}
		}
	}
	lib.Pipelines = append(lib.Pipelines, &gitlabtest.Pipeline{ID: 210, Ref: "v2.x", Status: "success", Jobs: []*gitlabtest.Job{
		{ID: 2101, Name: "package", Archive: gitlabtest.Zip(file("dist/a.js"), file("lib/b.so"), file("lib/b.map"))},
	}})
	w.Projects = append(w.Projects, &gitlabtest.Project{ID: 5, Path: "group/lib", Visibility: gitlabtest.Private, JobTokenAllowlist: []int64{1}, Pipelines: []*gitlabtest.Pipeline{
		{ID: 500, Ref: "v1.0", Tag: true, Status: "success", Jobs: []*gitlabtest.Job{{ID: 5001, Name: "package", Archive: gitlabtest.Zip(file("lib.so"))}}},
	}})
	for _, token := range w.Tokens {
		if token.Roles != nil {
			token.Roles[5], token.Roles[1] = "developer", "maintainer"
		}
	}
	return w
}
