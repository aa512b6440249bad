package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	client "gitlab.com/gitlab-org/api/client-go"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/resolve"
)

// refsOfFixture are the refs in the fixture whose pipelines other clients list.
func refsOfFixture() []string {
	return []string{"main", "release/2.x", "v1.0", "refs/merge-requests/7/head"}
}

// A name means the job that glab acts on: the one of that name in the newest pipeline of
// the ref. The test uses GitLab's own Go client with glab's requests
// (https://docs.gitlab.com/cli/ci/retry/, internal/commands/ci/ciutils in its source).
func TestNamesMeanTheJobsOfGlab(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	c, err := client.NewClient(gitlabtest.PrivateToken, client.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refsOfFixture() {
		pipelines, _, err := c.Pipelines.ListProjectPipelines("group/app", &client.ListProjectPipelinesOptions{
			Ref: client.Ptr(ref), OrderBy: client.Ptr("id"), Sort: client.Ptr("desc"),
		})
		if err != nil || len(pipelines) == 0 {
			t.Fatalf("%s: %v, %d pipelines", ref, err, len(pipelines))
		}
		theirs, _, err := c.Jobs.ListPipelineJobs("group/app", pipelines[0].ID, &client.ListJobsOptions{})
		if err != nil || len(theirs) == 0 {
			t.Fatalf("%s: %v, %d jobs", ref, err, len(theirs))
		}
		for _, job := range theirs {
			if got := shownByName(t, s, ref, job.Name); got.ID != job.ID || got.Status != job.Status {
				t.Errorf("%s of %s: %d (%s), and glab has %d (%s)", job.Name, ref, got.ID, got.Status, job.ID, job.Status)
			}
		}
	}
}

// The same with python-gitlab.
func TestNamesMeanTheJobsOfPythonGitLab(t *testing.T) {
	t.Parallel()
	tool := need.Tools(t, "python-gitlab") // Debian's package gitlab-cli
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	home := t.TempDir()
	config := "[global]\ndefault = simulated\n[simulated]\nurl = " + s.URL + "\nprivate_token = " + gitlabtest.PrivateToken + "\n"
	if err := os.WriteFile(filepath.Join(home, ".python-gitlab.cfg"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	field := regexp.MustCompile(`(?m)^(id|name): (.*)$`)
	list := func(args ...string) (rows []map[string]string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool, append([]string{"-v"}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+home, "NO_PROXY=*")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("python-gitlab %q: %v", args, err)
		}
		for _, m := range field.FindAllStringSubmatch(string(out), -1) {
			if m[1] == "id" {
				rows = append(rows, map[string]string{})
			}
			rows[len(rows)-1][m[1]] = m[2]
		}
		return rows
	}
	for _, ref := range refsOfFixture()[:2] {
		newest := list("project-pipeline", "list", "--project-id", "1", "--ref", ref)[0]["id"]
		for _, job := range list("project-pipeline-job", "list", "--project-id", "1", "--pipeline-id", newest) {
			if got := shownByName(t, s, ref, job["name"]); job["id"] != orUnknown(got.ID) {
				t.Errorf("%s of %s: %d, and python-gitlab has %s", job["name"], ref, got.ID, job["id"])
			}
		}
	}
}

// shownByName returns what job show prints about a job of the newest pipeline of a ref.
func shownByName(t *testing.T, s *gitlabtest.Running, ref, name string) (row jobs.Row) {
	t.Helper()
	var out bytes.Buffer
	named := queryOptions{project: "group/app", asked: resolve.Query{Ref: ref, Jobs: []string{name}}, given: []string{"ref", "job"}}
	err := runJobShow(t.Context(), jobOptions{global: at(t, s, gitlabtest.PrivateToken), query: named, asJSON: true}, console.New(strings.NewReader(""), &out, &out))
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &row)
	}
	if err != nil {
		t.Fatalf("%s of %s: %v: %s", name, ref, err, out.String())
	}
	return row
}
