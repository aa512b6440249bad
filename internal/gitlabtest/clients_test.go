package gitlabtest_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
)

// These tests check the simulator with clients that others wrote: GitLab's own Go client
// and python-gitlab.

// archive1001 is the archive of job 1001.
func archive1001() []byte { return gitlabtest.Fixture().Projects[0].Pipelines[1].Jobs[0].Archive }

func TestClientGo(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect, PerPage: 5})
	t.Cleanup(s.Close)
	c, err := gitlab.NewClient(gitlabtest.PrivateToken, gitlab.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	pipelines, _, err := c.Pipelines.ListProjectPipelines("group/app", &gitlab.ListProjectPipelinesOptions{Ref: gitlab.Ptr("main")})
	if err != nil {
		t.Fatal(err)
	}
	var ids []int
	for _, p := range pipelines {
		ids = append(ids, int(p.ID))
	}
	if want := []int{120, 110, 100, 90}; !slices.Equal(ids, want) {
		t.Errorf("pipelines %v, want %v", ids, want)
	}
	var names []string
	o := &gitlab.ListJobsOptions{}
	for {
		jobs, resp, err := c.Jobs.ListPipelineJobs(1, 100, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			names = append(names, j.Name)
		}
		if resp.NextPage == 0 {
			break
		}
		o.Page = resp.NextPage
	}
	if len(names) != 18 || !slices.Contains(names, "build: [linux, amd64]") || len(slices.Compact(slices.Sorted(slices.Values(names)))) != 18 {
		t.Errorf("%d jobs: %q", len(names), names)
	}
	bridges, _, err := c.Jobs.ListPipelineBridges(1, 100, nil)
	if err != nil || len(bridges) != 2 || bridges[1].DownstreamPipeline.ID != 101 {
		t.Errorf("bridges: %+v, %v", bridges, err)
	}
	job, _, err := c.Jobs.GetJob(1, 1001)
	if err != nil || job.Name != "build" || job.Pipeline.ID != 100 || job.ArtifactsFile.Size != int64(len(archive1001())) {
		t.Errorf("job: %+v, %v", job, err)
	}
	for name, get := range map[string]func() (*bytes.Reader, *gitlab.Response, error){
		"by id": func() (*bytes.Reader, *gitlab.Response, error) { return c.Jobs.GetJobArtifacts(1, 1001) },
		"by ref": func() (*bytes.Reader, *gitlab.Response, error) {
			return c.Jobs.DownloadArtifactsFile(1, "main", &gitlab.DownloadArtifactsFileOptions{Job: gitlab.Ptr("build")})
		},
		"file": func() (*bytes.Reader, *gitlab.Response, error) {
			return c.Jobs.DownloadSingleArtifactsFile(1, 1001, "dist/app")
		},
	} {
		r, _, err := get()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(r)
		want := archive1001()
		if name == "file" {
			want = []byte("#!/bin/sh\necho app\n")
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, _, err := c.Jobs.GetJob(1, 9999); !errors.Is(err, gitlab.ErrNotFound) {
		t.Errorf("a job that is not there: %v", err)
	}
}

func TestPythonGitLab(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{PerPage: 5})
	t.Cleanup(s.Close)
	run := pythonGitLab(t, s.URL, gitlabtest.PrivateToken)
	if out := run("project-pipeline", "list", "--project-id", "1", "--ref", "main"); !strings.Contains(out, "120") || strings.Contains(out, "103") {
		t.Errorf("pipelines: %s", out)
	}
	if out := run("project-pipeline-job", "list", "--project-id", "1", "--pipeline-id", "100", "--get-all"); strings.Count(out, "id:") != 18 {
		t.Errorf("jobs: %s", out)
	}
	if out := run("-v", "project-job", "get", "--project-id", "1", "--id", "1001"); !strings.Contains(out, "name: build") {
		t.Errorf("job: %s", out)
	}
	archive := run("project-job", "artifacts", "--project-id", "1", "--id", "1001")
	if archive != string(archive1001()) {
		t.Errorf("%d bytes by python-gitlab", len(archive))
	}
}

// pythonGitLab runs python-gitlab's command, of Debian's package gitlab-cli.
func pythonGitLab(t *testing.T, server, token string) func(args ...string) string {
	t.Helper()
	tool := need.Tools(t, "python-gitlab")
	home := t.TempDir() // Debian's command needs a file there
	config := "[global]\ndefault = simulated\n[simulated]\nurl = " + server + "\nprivate_token = " + token + "\n"
	if err := os.WriteFile(filepath.Join(home, ".python-gitlab.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Env = append(os.Environ(), "HOME="+home, "NO_PROXY=*")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("python-gitlab %q: %v: %s", args, err, stderr.String())
		}
		return string(out)
	}
}
