package resolve_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// A query for a pipeline, commit or merge request, or for a ref's newest pipeline, takes
// the newest pipeline that has the job, and reads no more lists than necessary.
func TestNamedPipelines(t *testing.T) {
	t.Parallel()
	const sha = "0123456789abcdef0123456789abcdef01234567"
	pipelines := []gitlab.Pipeline{
		{ID: 17, Ref: "refs/merge-requests/3/train", Status: "success", Source: "merge_request_event"},
		{ID: 16, Ref: "main", Status: "running", Source: "ondemand_dast_scan"},
		{ID: 15, Ref: "main", Status: "running", Source: "push"},
		{ID: 14, Ref: "main", Status: "success", Source: "push"},
		{ID: 13, Ref: "refs/merge-requests/3/head", SHA: sha, Status: "failed", Source: "merge_request_event"},
		{ID: 12, Ref: "refs/merge-requests/3/merge", Status: "success", Source: "merge_request_event"},
		{ID: 11, Ref: "feature", SHA: sha, Status: "success", Source: "push"},
	}
	jobs := map[int64][]gitlab.Job{
		17: {done(171, "verify", 17)}, 15: {done(151, "build", 15)}, 14: {done(141, "build", 14)}, 13: {done(131, "build", 13), failed(132, "test", 13)},
		12: {done(121, "build", 12), done(122, "docs", 12)}, 11: {done(111, "build", 11), done(112, "lint", 11)},
	}
	tests := []struct {
		name  string
		query resolve.Query
		want  int64 // 0: the error says so
		says  string
		asked string
	}{
		{"a pipeline", resolve.Query{PipelineID: 14, Jobs: []string{"build"}}, 141, "", "jobs of 14"},
		{"a running one, by its ref", resolve.Query{Ref: "main", Latest: true, Jobs: []string{"build"}}, 151, "", "pipelines ref=main sha= status=, jobs of 15"},
		{"a commit", resolve.Query{SHA: sha, Jobs: []string{"build"}}, 131, "", "pipelines ref= sha=" + sha + " status=, jobs of 13"},
		{"a commit, an older pipeline", resolve.Query{SHA: sha, Jobs: []string{"lint"}}, 112, "", "pipelines ref= sha=" + sha + " status=, jobs of 13, bridges of 13, jobs of 11"},
		{"a commit, no job", resolve.Query{SHA: sha, Jobs: []string{"none"}}, 0, `no job "none" with artifacts in the pipelines of commit ` + sha, ""},
		{"a merge request", resolve.Query{MergeRequest: 3, Jobs: []string{"build"}}, 131, "", "pipelines ref=refs/merge-requests/3/head sha= status=, pipelines ref=refs/merge-requests/3/merge sha= status=, pipelines ref=refs/merge-requests/3/train sha= status=, jobs of 17, bridges of 17, jobs of 13"},
		{"a merge request, an older pipeline", resolve.Query{MergeRequest: 3, Jobs: []string{"docs"}}, 122, "", ""},
		{"a merge request, of its train", resolve.Query{MergeRequest: 3, Jobs: []string{"verify"}}, 171, "", ""},
		{"a merge request that has no pipelines", resolve.Query{MergeRequest: 5, Jobs: []string{"build"}}, 0, "merge request !5 (opened) has no pipelines of its own in project 7", ""},
		{"a job that has failed", resolve.Query{MergeRequest: 3, Jobs: []string{"test"}}, 0, `job "test" (132) of project 7 has not succeeded: it is failed`, ""},
		{"a job that has failed, wanted all the same", resolve.Query{MergeRequest: 3, AnyStatus: true, Jobs: []string{"test"}}, 132, "", ""},
		{"no such merge request", resolve.Query{MergeRequest: 4, Jobs: []string{"build"}}, 0, "no merge request !4 in project 7 (404 Not found)", ""},
		{"no such ref", resolve.Query{Ref: "none", Latest: true, Jobs: []string{"build"}}, 0, `the newest pipeline of ref "none"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := &server{pipelines: pipelines, jobs: jobs, requests: map[int64]gitlab.MergeRequest{5: {IID: 5, State: "opened"}}}
			tt.query.Project = "7"
			found, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), tt.query)
			if tt.want == 0 {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v, want it to say %q", err, tt.says)
				}
				return
			}
			if err != nil || len(found) != 1 || found[0].JobID != tt.want || found[0].Found != resolve.ByListing {
				t.Fatalf("%+v, %v; want job %d", found, err, tt.want)
			}
			if asked := strings.Join(api.asked, ", "); tt.asked != "" && asked != tt.asked {
				t.Errorf("asked for %s, want %s", asked, tt.asked)
			}
		})
	}
}

// The newest pipeline of a ref is found in the project's list of jobs, too.
func TestLatestPipeline(t *testing.T) {
	t.Parallel()
	at := func(minutes int) *time.Time { t := time.Date(2026, 1, 1, 0, minutes, 0, 0, time.UTC); return &t }
	row := func(id, pipeline int64, ref, source string) gitlab.Job {
		return gitlab.Job{ID: id, CreatedAt: at(int(id)), Pipeline: gitlab.Pipeline{ID: pipeline, Ref: ref, Source: source, CreatedAt: at(int(id))}}
	}
	all := []gitlab.Job{row(9, 13, "main", "parent_pipeline"), row(8, 12, "other", "push"), row(7, 11, "main", "push"), row(6, 10, "main", "push")}
	r := resolve.New(resolve.Options{API: &fakeAPI{all: all}, JobToken: true})
	if id, err := r.LatestPipeline(t.Context(), resolve.Query{Project: "7", Ref: "main"}); id != 11 || err != nil {
		t.Errorf("pipeline %d, %v", id, err)
	}
	_, err := r.LatestPipeline(t.Context(), resolve.Query{Project: "7", Ref: "none"})
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); !ok || missing.Reason() != resolve.ReasonNoPipeline || !strings.Contains(err.Error(), "among the project's newest 4 jobs") {
		t.Error(err)
	}
	if _, err := resolve.New(resolve.Options{API: &fakeAPI{jobsErr: denied}}).LatestPipeline(t.Context(), resolve.Query{Project: "7", Ref: "main"}); !errors.Is(err, denied) {
		t.Error(err)
	}
}

// A job given by ID is described if the token can read it.
func TestDescribe(t *testing.T) {
	t.Parallel()
	byID := resolve.Artifact{Project: "7", JobID: 5, URL: "7/5", Found: resolve.ByID}
	listed := gitlab.Job{ID: 5, Name: "build", Status: "success", Pipeline: gitlab.Pipeline{ID: 9, Ref: "main"}, ArtifactsFile: &gitlab.ArtifactsFile{Size: 3}}
	tests := []struct {
		name     string
		api      server
		artifact resolve.Artifact
		want     string // of the job
		err      any
		asked    int
	}{
		{name: "described", api: server{single: map[int64]gitlab.Job{5: listed}}, artifact: byID, want: "build", asked: 1},
		{name: "not by its id", artifact: resolve.Artifact{JobName: "build", Found: resolve.ByRef}, want: "build"},
		{name: "may not read it", api: server{refuse: nobody}, artifact: byID, asked: 1},
		{name: "no such job", artifact: byID, err: new(*resolve.NotFoundError), asked: 1},
		{name: "no archive", api: server{single: map[int64]gitlab.Job{5: {ID: 5, Name: "build"}}}, artifact: byID, err: new(*resolve.NoArchiveError), asked: 1},
		{name: "a server in trouble", api: server{refuse: &gitlab.Error{StatusCode: 502}}, artifact: byID, err: new(*gitlab.Error), asked: 1},
	}
	for _, tt := range tests {
		got, err := resolve.New(resolve.Options{API: &tt.api}).Describe(t.Context(), tt.artifact)
		if (err != nil) != (tt.err != nil) || tt.err != nil && !errors.As(err, tt.err) || tt.err == nil && got.JobName != tt.want || len(tt.api.asked) != tt.asked {
			t.Errorf("%s: %+v, %T: %v, after %q", tt.name, got, err, err, tt.api.asked)
		}
	}
}

// A list that GitLab has refused isn't requested again, by any path of the search.
func TestRefusalsAreRememberedByProject(t *testing.T) {
	t.Parallel()
	api := &server{refuse: denied}
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	query := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
	for range 3 {
		if found, err := r.Artifacts(t.Context(), query); err != nil || found[0].Found != resolve.ByRef {
			t.Errorf("%+v, %v", found, err)
		}
		query.Jobs = append(query.Jobs, "test")
	}
	if want := []string{"pipelines ref=main sha= status=success"}; !slices.Equal(api.asked, want) {
		t.Errorf("asked for %q", api.asked)
	}
	query.Project = "8" // another project is another question
	if _, err := r.Artifacts(t.Context(), query); err != nil || len(api.asked) != 2 {
		t.Errorf("%q, %v", api.asked, err)
	}
}
