package gitlabtest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func clientGo(t *testing.T, s *gitlabtest.Running, token string) *gitlab.Client {
	t.Helper()
	c, err := gitlab.NewClient(token, gitlab.WithBaseURL(s.URL), gitlab.WithCustomRetryMax(0))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Actions by GitLab's own Go client.
func TestClientGoActions(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	c := clientGo(t, s, "maintainer")
	kept, _, err := c.Jobs.KeepArtifacts(1, 100)
	if err != nil || kept.ArtifactsExpireAt != nil || kept.ArtifactsFile.Size == 0 {
		t.Errorf("keep: %+v, %v", kept, err)
	}
	again, resp, err := c.Jobs.RetryJob(1, 104)
	if err != nil || resp.StatusCode != http.StatusCreated || again.ID != 301 || again.Pipeline.Status != "running" {
		t.Errorf("retry: %+v, %v", again, err)
	}
	canceled, _, err := c.Jobs.CancelJob(1, 101)
	if err != nil || canceled.Status != "canceled" {
		t.Errorf("cancel: %+v, %v", canceled, err)
	}
	played, _, err := c.Jobs.PlayJob(1, 102, &gitlab.PlayJobOptions{
		JobVariablesAttributes: &[]*gitlab.JobVariableOptions{{Key: gitlab.Ptr("A"), Value: gitlab.Ptr("1")}},
	})
	if err != nil || played.Status != "pending" {
		t.Errorf("play: %+v, %v", played, err)
	}
	s.Update(func(w *gitlabtest.World) {
		if got := w.Projects[0].Pipelines[0].Jobs[2].Variables; got["A"] != "1" {
			t.Errorf("variables: %v", got)
		}
	})
	if log, _, err := c.Jobs.GetTraceFile(1, 100); err != nil {
		t.Error(err)
	} else if got, err := io.ReadAll(log); err != nil || string(got) != "the log\n" {
		t.Errorf("trace: %q, %v", got, err)
	}
	if resp, err := c.Jobs.DeleteArtifacts(1, 195); err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("delete: %v", err)
	}
	erased, _, err := c.Jobs.EraseJob(1, 100)
	if err != nil || erased.ErasedAt == nil || len(erased.Artifacts) != 0 {
		t.Errorf("erase: %+v, %v", erased, err)
	}
	if _, _, err := c.Jobs.GetJobArtifacts(1, 100); !errors.Is(err, gitlab.ErrNotFound) {
		t.Errorf("the archive of an erased job: %v", err)
	}
	if resp, err := c.Jobs.DeleteProjectArtifacts(1); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Errorf("delete all: %v", err)
	}
}

// How the client understands refusals, the project, the instance and the latest pipeline.
func TestClientGoReads(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{Version: "18.10"})
	c := clientGo(t, s, "developer")
	var refused *gitlab.ErrorResponse
	if _, _, err := c.Jobs.RetryJob(1, 101); !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusForbidden || !strings.Contains(refused.Message, "Job is not retryable") {
		t.Errorf("a job that runs: %v", err)
	}
	if _, err := c.Jobs.DeleteArtifacts(1, 100); !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusForbidden {
		t.Errorf("a developer: %v", err)
	}
	p, _, err := c.Projects.GetProject("g/p", nil)
	if err != nil || p.ID != 1 || p.DefaultBranch != "main" {
		t.Errorf("project: %+v, %v", p, err)
	}
	latest, _, err := c.Pipelines.GetLatestPipeline(1, &gitlab.GetLatestPipelineOptions{Ref: gitlab.Ptr("main")})
	if err != nil || latest.ID != 10 || latest.DetailedStatus == nil {
		t.Errorf("latest: %+v, %v", latest, err)
	}
	child, _, err := c.Pipelines.GetPipeline(1, 11)
	if err != nil || child.Source != "parent_pipeline" {
		t.Errorf("child: %+v, %v", child, err)
	}
	if v, _, err := c.Metadata.GetMetadata(); err != nil || v.Version != "18.10.0-ee" || !v.Enterprise {
		t.Errorf("metadata: %+v, %v", v, err)
	}
	all, _, err := c.Jobs.ListProjectJobs(1, &gitlab.ListJobsOptions{Scope: &[]gitlab.BuildStateValue{gitlab.Manual, gitlab.Skipped}})
	if err != nil || len(all) != 2 || all[1].Status != "manual" || all[1].User.Username != "fixture" || all[1].StartedAt != nil {
		t.Errorf("jobs: %+v, %v", all, err)
	}
	job, err := gitlab.NewJobClient("glcbt-live", gitlab.WithBaseURL(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	if me, _, err := job.Jobs.GetJobTokensJob(nil); err != nil || me.ID != 101 {
		t.Errorf("own job: %+v, %v", me, err)
	}
}

// The same with python-gitlab.
func TestPythonGitLabActions(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	run := pythonGitLab(t, s.URL, "maintainer")
	job := func(action, id string) string {
		return run("project-job", action, "--project-id", "1", "--id", id)
	}
	for _, tt := range []struct{ action, id string }{
		{"keep-artifacts", "100"}, {"retry", "104"}, {"cancel", "101"}, {"play", "102"}, {"erase", "100"}, {"delete-artifacts", "195"},
	} {
		job(tt.action, tt.id)
	}
	s.Update(func(w *gitlabtest.World) {
		p := w.Projects[0].Pipelines[0]
		if p.Jobs[0].ExpireAt != nil || !p.Jobs[0].Erased || p.Jobs[0].Archive != nil {
			t.Error("not kept, or not erased")
		}
		if p.Jobs[1].Status != "canceled" || p.Jobs[2].Status != "pending" || len(p.Jobs) != 15 || !p.Jobs[4].Retried {
			t.Error("not canceled, played or retried")
		}
		if p.Bridges[0].Child.Jobs[0].Archive != nil {
			t.Error("not deleted")
		}
	})
	if got := job("trace", "104"); !strings.Contains(got, "ERROR: Job failed") {
		t.Errorf("trace: %q", got)
	}
	if got := run("-v", "project-pipeline-bridge", "list", "--project-id", "1", "--pipeline-id", "10"); !strings.Contains(got, "children") {
		t.Errorf("bridges: %s", got)
	}
}
