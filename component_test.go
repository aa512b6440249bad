package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// The component in a pipeline, by a real runner of .gitlab-ci.yml: it takes what is
// locked, hands it on, and fails where nothing is locked.
func TestSyncComponent(t *testing.T) {
	t.Parallel()
	runner, err := exec.LookPath("gitlab-ci-local")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("gitlab-ci-local (npm) is not installed")
	}
	dir := t.TempDir()
	template, err := os.ReadFile("templates/sync.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"templates/sync.yml": string(template),
		"artifetch.yml":      "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n  - {name: app, job: build, output: vendor/app}\n",
		".gitlab-ci.yml": `include:
  - local: templates/sync.yml
    inputs: {job-name: inputs, stage: build, image: busybox, paths: [vendor/]}
use:
  stage: test
  needs: [inputs]
  script:
    - cat vendor/app/job.txt
`,
		".gitignore": "vendor/\n.artifetch-cache/\n.gitlab-ci-local/\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CI=", "CI_API_V4_URL="+s.APIURL, "CI_JOB_TOKEN="+gitlabtest.JobToken, "HOME="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, step := range []string{"git init -q -b main .", "git config user.email a@example.com", "git config user.name a", "git remote add origin git@gitlab.example.com:group/user.git", "git add -A", "git commit -qm start"} {
		if out, err := run("sh", "-c", step); err != nil {
			t.Fatalf("%s: %v: %s", step, err, out)
		}
	}
	pipeline := []string{"--force-shell-executor", "--variable", "CI_API_V4_URL=" + s.APIURL, "--variable", "CI_JOB_TOKEN=" + gitlabtest.JobToken, "use", "--needs"}
	if out, err := run(runner, pipeline...); err == nil || !strings.Contains(out, "not locked as the manifest has it") {
		t.Errorf("without a lock file: %v: %s", err, out)
	}
	if out, err := run("artifetch", "sync"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.RemoveAll(filepath.Join(dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	if out, err := run("sh", "-c", "git add -A && git commit -qm locked"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := run(runner, pipeline...); err != nil || !strings.Contains(out, "build 1001") {
		t.Errorf("%v: %s", err, out)
	}
}
