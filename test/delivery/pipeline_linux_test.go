package delivery

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
)

// pipeline is a repository with a .gitlab-ci.yml, whose jobs a real runner runs in a
// shell, and its GitLab.
type pipeline struct {
	dir    string
	server *gitlabtest.Running
	runner string
}

// newPipeline creates a repository with files. If world is nil, it is the fixture.
func newPipeline(t *testing.T, files map[string]string, world *gitlabtest.World) *pipeline {
	t.Helper()
	runner := need.Tools(t, "gitlab-ci-local") // from npm
	if world == nil {
		world = gitlabtest.Fixture()
	}
	p := &pipeline{dir: t.TempDir(), runner: runner, server: gitlabtest.Start(world, gitlabtest.Options{})}
	t.Cleanup(p.server.Close)
	p.write(t, files)
	for _, step := range []string{"git init -q -b main .", "git config user.email a@example.com", "git config user.name a", "git remote add origin git@gitlab.example.com:group/user.git"} {
		if out, err := p.run(t, "sh", "-c", step); err != nil {
			t.Fatalf("%s: %v: %s", step, err, out)
		}
	}
	p.commit(t)
	return p
}

func (p *pipeline) write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pipeline) commit(t *testing.T) {
	t.Helper()
	if out, err := p.run(t, "sh", "-c", "git add -A && git commit -qm files"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// run runs a program in the repository, as a job would.
func (p *pipeline) run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "CI=", "GITLAB_CI=", "CI_API_V4_URL="+p.server.APIURL, "CI_JOB_TOKEN="+gitlabtest.JobToken, "HOME="+p.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// job runs jobs of the pipeline, after checking the configuration against GitLab's
// schema.
func (p *pipeline) job(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return p.run(t, p.runner, append([]string{
		"--force-shell-executor", "--variable", "CI_API_V4_URL=" + p.server.APIURL, "--variable", "CI_JOB_TOKEN=" + gitlabtest.JobToken,
	}, args...)...)
}

// This project's pipeline is valid for branches and tags, builds the program, and the
// program fetches itself.
func TestPipeline(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	p := newPipeline(t, map[string]string{".gitlab-ci.yml": ""}, world)
	copyTree(t, p.dir, ".git", "bin", "dist", ".cache", ".gitlab-ci-local")
	p.commit(t)
	for _, want := range []struct{ branch, jobs string }{
		{"CI_X=", "check test artifact_download component_fetch archives images"}, {"CI_COMMIT_TAG=v1.2.3", "check test artifact_download component_fetch archives images release publish"},
	} {
		out, err := p.job(t, "--variable", want.branch, "--list")
		if err != nil || !strings.Contains(out, "json schema validated") {
			t.Fatalf("%v: %s", err, out)
		}
		for job := range strings.FieldsSeq(want.jobs) {
			if !strings.Contains(out, "\n"+job+" ") {
				t.Errorf("%s: no job %s in:\n%s", want.branch, job, out)
			}
		}
	}
	mod, build := strings.TrimSpace(command(t, "", "go", "env", "GOMODCACHE")), strings.TrimSpace(command(t, "", "go", "env", "GOCACHE"))
	if out, err := p.job(t, "--variable", "GOMODCACHE="+mod, "--variable", "GOCACHE="+build, "build: [linux,amd64]"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const name = "bin/artifetch-linux-amd64"
	program, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	archive := gitlabtest.Zip(gitlabtest.File{Name: name, Content: string(program), Mode: 0o755})
	p.server.Update(func(w *gitlabtest.World) {
		w.Projects[0].Pipelines = append(w.Projects[0].Pipelines, &gitlabtest.Pipeline{ID: 9000, Ref: "main", Status: "running", Jobs: []*gitlabtest.Job{
			{ID: 9001, Name: "build: [linux, amd64]", Archive: archive}, {ID: 9002, Name: "build: [linux, arm64]", Archive: gitlabtest.Zip()},
		}})
	})
	out, err := p.job(t, "--variable", "CI_PIPELINE_ID=9000", "--variable", "CI_PROJECT_ID=1", "--variable", "CI_SERVER_URL="+p.server.URL, "artifact_download")
	if err != nil || !strings.Contains(out, "✓ token") || !strings.Contains(out, "fetched") || !strings.Contains(out, "#9001 ") {
		t.Errorf("%v: %s", err, out)
	}
	if strings.Contains(out, gitlabtest.JobToken) {
		t.Errorf("the token is in the log: %s", out)
	}
	// The component of this commit, with the program of this pipeline.
	out, err = p.job(t, "--variable", "CI_PIPELINE_ID=9000", "--variable", "CI_PROJECT_ID=1", "--variable", "CI_SERVER_URL="+p.server.URL, "component_fetch")
	if content, failed := os.ReadFile(filepath.Join(p.dir, "component", name)); err != nil || failed != nil || string(content) != string(program) {
		t.Errorf("%v, %v: %s", err, failed, out)
	}
	fetched, err := os.ReadFile(filepath.Join(p.dir, "fetched", name))
	if err != nil || string(fetched) != string(program) {
		t.Errorf("what was fetched is something else: %v", err)
	}
	if report, err := os.ReadFile(filepath.Join(p.dir, "fetched.env")); err != nil || !strings.Contains(string(report), "ARTIFACT_JOB_ID=9001\n") {
		t.Errorf("%v: %s", err, report)
	}
}
