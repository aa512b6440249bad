package gitlabtest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// How GitLab's own Go client understands merge requests, commits and branches.
func TestClientGoRepository(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{PerPage: 3, ExtraFields: map[string]any{"field_of_tomorrow": []any{1, "a"}}})
	c := clientGo(t, s, gitlabtest.PrivateToken)
	mr, _, err := c.MergeRequests.GetMergeRequest("group/shop", 3, nil)
	if err != nil || mr.SourceBranch != "feature/cart" || mr.SHA != sha("12") || mr.DiffRefs.BaseSha != sha("02") || mr.HeadPipeline == nil || mr.HeadPipeline.ID != 570 || mr.State != "opened" {
		t.Errorf("merge request: %+v, %v", mr, err)
	}
	if _, _, err := c.MergeRequests.GetMergeRequest(5, 99, nil); !errors.Is(err, gitlab.ErrNotFound) {
		t.Errorf("a missing one: %v", err)
	}
	own, _, err := c.MergeRequests.ListMergeRequestPipelines(5, 3)
	if got := pipelineIDs(own); err != nil || !slices.Equal(got, []int64{570, 560, 550}) {
		t.Errorf("its pipelines: %v, %v", got, err)
	}
	commit, _, err := c.Commits.GetCommit(5, "main", nil)
	if err != nil || commit.ID != sha("04") || !slices.Equal(commit.ParentIDs, []string{sha("03")}) || commit.LastPipeline == nil || commit.LastPipeline.ID != 540 || commit.CommittedDate == nil || commit.Stats == nil {
		t.Errorf("commit: %+v, %v", commit, err)
	}
	if merged, _, err := c.Commits.GetCommit(5, sha("21"), nil); err != nil || !slices.Equal(merged.ParentIDs, []string{sha("04"), sha("12")}) {
		t.Errorf("a merged result: %+v, %v", merged, err)
	}
	if _, _, err := c.Commits.GetCommit(5, sha("ff"), nil); !errors.Is(err, gitlab.ErrNotFound) {
		t.Errorf("a commit out of reach: %v", err)
	}
	branches, _, err := c.Branches.ListBranches(5, nil)
	if err != nil || len(branches) != 2 || branches[0].Name != "feature/cart" || branches[0].Default || !branches[1].Default || branches[1].Commit.ID != sha("04") {
		t.Errorf("branches: %+v, %v", branches, err)
	}
	branch, _, err := c.Branches.GetBranch(5, "feature/cart")
	if err != nil || branch.Commit.ID != sha("12") {
		t.Errorf("branch: %+v, %v", branch, err)
	}
	base, _, err := c.Repositories.MergeBase(5, &gitlab.MergeBaseOptions{Ref: &[]string{"main", "feature/cart"}})
	if err != nil || base.ID != sha("02") {
		t.Errorf("merge base: %+v, %v", base, err)
	}
}

// The client's filters for pipelines and jobs.
func TestClientGoFilters(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	c := clientGo(t, s, gitlabtest.PrivateToken)
	day := func(n int) *time.Time { return gitlab.Ptr(time.Date(2026, 4, n, 0, 0, 0, 0, time.UTC)) }
	for name, tt := range map[string]struct {
		o    gitlab.ListProjectPipelinesOptions
		want []int64
	}{
		"source":  {gitlab.ListProjectPipelinesOptions{Source: gitlab.Ptr("schedule")}, []int64{520}},
		"sha":     {gitlab.ListProjectPipelinesOptions{SHA: gitlab.Ptr(sha("04"))}, []int64{540, 530}},
		"status":  {gitlab.ListProjectPipelinesOptions{Status: gitlab.Ptr(gitlab.Manual)}, []int64{540}},
		"ref":     {gitlab.ListProjectPipelinesOptions{Ref: gitlab.Ptr("refs/merge-requests/3/merge")}, []int64{560}},
		"created": {gitlab.ListProjectPipelinesOptions{CreatedAfter: day(2), CreatedBefore: day(4)}, []int64{510, 505}},
		"updated": {gitlab.ListProjectPipelinesOptions{UpdatedBefore: day(3)}, []int64{505, 500}},
		"order":   {gitlab.ListProjectPipelinesOptions{Ref: gitlab.Ptr("main"), OrderBy: gitlab.Ptr("id"), Sort: gitlab.Ptr("asc")}, []int64{500, 510, 520, 530, 540}},
		"name":    {gitlab.ListProjectPipelinesOptions{Name: gitlab.Ptr("no name")}, nil},
		"user":    {gitlab.ListProjectPipelinesOptions{Username: gitlab.Ptr("nobody")}, nil},
		"scope":   {gitlab.ListProjectPipelinesOptions{Scope: gitlab.Ptr("running")}, []int64{570}},
	} {
		pipelines, _, err := c.Pipelines.ListProjectPipelines(5, &tt.o)
		if got := pipelineIDs(pipelines); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, tt.want)
		}
	}
	jobs, _, err := c.Jobs.ListPipelineJobs(5, 510, &gitlab.ListJobsOptions{IncludeRetried: gitlab.Ptr(true), Scope: &[]gitlab.BuildStateValue{gitlab.Success, gitlab.Failed}})
	var lint []*gitlab.Job
	for _, j := range jobs {
		if j.Name == "lint" {
			lint = append(lint, j)
		}
	}
	if err != nil || len(jobs) != 4 || len(lint) != 2 || lint[0].ID != 5999 || !lint[0].CreatedAt.After(*day(12)) || lint[1].CreatedAt.After(*day(4)) {
		t.Errorf("retried jobs: %+v, %v", jobs, err)
	}
	test, _, err := c.Jobs.GetJob(5, 5002)
	var formats []string
	for _, a := range test.Artifacts {
		formats = append(formats, a.FileType+" "+a.FileFormat)
	}
	if err != nil || test.Coverage != 81.25 || !slices.Equal(test.TagList, []string{"docker", "linux"}) || test.Commit.ID != sha("01") || test.User.Username == "" ||
		!slices.Contains(formats, "junit gzip") || !slices.Contains(formats, "sast raw") || !slices.Contains(formats, "lsif zip") {
		t.Errorf("%q of %+v, %v", formats, test, err)
	}
}

func pipelineIDs(pipelines []*gitlab.PipelineInfo) []int64 {
	var ids []int64
	for _, p := range pipelines {
		ids = append(ids, p.ID)
	}
	return ids
}

// The same with python-gitlab.
func TestPythonGitLabRepository(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	run := pythonGitLab(t, s.URL, gitlabtest.PrivateToken)
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"-v project-merge-request get --project-id 5 --iid 3", []string{"source-branch: feature/cart", "sha: " + sha("12")}},
		{"-v project-merge-request-pipeline list --project-id 5 --mr-iid 3", []string{"id: 570", "id: 560", "id: 550"}},
		{"-v project-commit get --project-id 5 --id " + sha("21"), []string{sha("04"), sha("12")}},
		{"project-branch list --project-id 5", []string{"name: feature/cart", "name: main"}},
		{"project-pipeline list --project-id 5 --sha " + sha("04") + " --status manual", []string{"id: 540"}},
	} {
		out := run(strings.Fields(tt.args)...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s, want %s", tt.args, out, want)
			}
		}
	}
}
