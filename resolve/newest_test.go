package resolve_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// at returns a pipeline that was created at that minute, and a job of it.
func at(minute int, id int64, ref, status string) gitlab.Pipeline {
	created := time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC)
	updated := created.Add(time.Hour)
	return gitlab.Pipeline{ID: id, Ref: ref, SHA: fmt.Sprint("sha", id), Status: status, Source: "push", CreatedAt: &created, UpdatedAt: &updated}
}

func created(minute int, j gitlab.Job) gitlab.Job {
	at := time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC)
	j.CreatedAt, j.Status = &at, "success"
	return j
}

// ownPipeline is the pipeline of the job that resolves.
const ownPipeline = 140

func underway(minute int, j gitlab.Job) gitlab.Job {
	j = created(minute, j)
	j.Status = "running"
	return j
}

// The newest successful jobs of the project show which job a ref means, if the list goes
// back far enough. Otherwise, the full lists are read.
func TestOnRef(t *testing.T) {
	t.Parallel()
	old, main, other := at(10, 90, "main", "success"), at(20, 100, "main", "success"), at(30, 110, "feature", "success")
	failed, webide := at(40, 120, "main", "failed"), at(50, 130, "main", "success")
	webide.Source = "webide"
	child := at(21, 101, "main", "success")
	child.Source, child.SHA = "parent_pipeline", main.SHA
	childRuns, otherRuns, oldRuns := child, other, old
	ownChild := at(50, ownPipeline, "main", "running")
	ownChild.Source = "parent_pipeline"
	childRuns.Status, otherRuns.Status, oldRuns.Status = "running", "running", "running"
	build, oldBuild := created(20, job(5, "build", main)), created(10, job(1, "build", old))
	many := make([]gitlab.Job, 20)
	for i := range many {
		many[i] = created(20, job(int64(50-i), fmt.Sprint("test ", i), main))
	}
	many[3].Name = "build"
	byRef := resolve.Artifact{Project: "7", Ref: "main", JobName: "build", URL: "by-ref", Found: resolve.ByRef}
	for _, tt := range []struct {
		name     string
		api      fakeAPI
		job      int64
		settled  time.Time // zero: unknown
		requests int
	}{
		{"the newest", fakeAPI{all: []gitlab.Job{build, oldBuild}}, 5, *main.UpdatedAt, 1},
		{"all there are", fakeAPI{all: []gitlab.Job{build}}, 5, *main.UpdatedAt, 1},
		{"of another ref", fakeAPI{all: []gitlab.Job{created(30, job(9, "build", other)), build, oldBuild}}, 5, *main.UpdatedAt, 1},
		{"of a pipeline that failed", fakeAPI{all: []gitlab.Job{created(40, job(9, "build", failed)), build, oldBuild}}, 5, *failed.UpdatedAt, 1},
		{"of a pipeline that isn't CI's", fakeAPI{all: []gitlab.Job{created(50, job(9, "build", webide)), build, oldBuild}}, 5, *webide.UpdatedAt, 1},
		{"a late retry in an old pipeline", fakeAPI{all: []gitlab.Job{created(60, job(99, "build", old)), build, oldBuild}}, 5, *main.UpdatedAt, 1},
		{
			"not in the newest pipeline's successful jobs", // but failed there, or a child's
			fakeAPI{all: []gitlab.Job{created(20, job(6, "lint", main)), oldBuild}, pipelines: []gitlab.Pipeline{main}, jobs: []gitlab.Job{build}}, 5, *main.UpdatedAt, 3,
		},
		{
			"a child's",
			fakeAPI{all: []gitlab.Job{created(21, job(7, "build", child)), created(20, job(6, "lint", main)), oldBuild}, pipelines: []gitlab.Pipeline{main}, jobs: []gitlab.Job{build}}, 5, *main.UpdatedAt, 3,
		},
		{"a page that doesn't reach back", fakeAPI{all: append(many, oldBuild), pipelines: []gitlab.Pipeline{main}, jobs: []gitlab.Job{build}}, 5, *main.UpdatedAt, 3},
		{"a page that reaches back", fakeAPI{all: append(many[1:20:20], oldBuild)}, 47, *main.UpdatedAt, 1},
		{"no job of that ref", fakeAPI{all: []gitlab.Job{created(30, job(9, "build", other))}, pipelines: []gitlab.Pipeline{main}, jobs: []gitlab.Job{build}}, 5, *main.UpdatedAt, 3},
		{
			"after a newer pipeline that has failed",
			fakeAPI{
				all:       []gitlab.Job{created(30, job(9, "build", other))},
				pipelines: []gitlab.Pipeline{at(50, 130, "main", "failed"), main}, jobs: []gitlab.Job{build},
			}, 5, at(50, 130, "main", "failed").UpdatedAt.UTC(), 3,
		},
		{
			"after a newer pipeline that may succeed at any time",
			fakeAPI{
				all:       []gitlab.Job{created(30, job(9, "build", other))},
				pipelines: []gitlab.Pipeline{at(50, 130, "main", "running"), main}, jobs: []gitlab.Job{build},
			}, 5, time.Time{}, 3,
		},
		{"before a job of a newer pipeline, which is running", fakeAPI{all: []gitlab.Job{underway(50, job(9, "build", at(50, 130, "main", "running"))), build, oldBuild}}, 5, time.Time{}, 1},
		{"before a job of a child pipeline, which is running", fakeAPI{all: []gitlab.Job{underway(21, job(9, "build", childRuns)), build, oldBuild}}, 5, time.Time{}, 1},
		{"before a job of a child pipeline, whose parent may be newer", fakeAPI{all: []gitlab.Job{created(21, job(9, "test", child)), build, oldBuild}}, 5, time.Time{}, 1},
		{"before our own job in a child pipeline", fakeAPI{all: []gitlab.Job{underway(50, job(9, "deploy", ownChild)), build, oldBuild}}, 5, time.Time{}, 1},
		{"before our own job", fakeAPI{all: []gitlab.Job{underway(50, job(9, "build", at(50, ownPipeline, "main", "running"))), build, oldBuild}}, 5, at(50, 0, "", "").UpdatedAt.UTC(), 1},
		{
			"in our own pipeline's list",
			fakeAPI{
				all:       []gitlab.Job{created(30, job(9, "build", other))},
				pipelines: []gitlab.Pipeline{at(50, ownPipeline, "main", "running"), main}, jobs: []gitlab.Job{build},
			}, 5, at(50, 0, "", "").UpdatedAt.UTC(), 3,
		},
		{"before a running job of another ref", fakeAPI{all: []gitlab.Job{underway(30, job(9, "build", otherRuns)), build, oldBuild}}, 5, *main.UpdatedAt, 1},
		{"before a running job of an older pipeline", fakeAPI{all: []gitlab.Job{underway(60, job(99, "build", oldRuns)), build, oldBuild}}, 5, *main.UpdatedAt, 1},
		{"pipelines are closed", fakeAPI{all: append(many, oldBuild), pipelinesErr: denied}, 47, *main.UpdatedAt, 3},
		{"pipelines are closed, and a page doesn't do", fakeAPI{all: slices.Repeat(many, 6), pipelinesErr: denied}, 0, time.Time{}, 3},
		{"no list", fakeAPI{jobsErr: denied}, 0, time.Time{}, 1},
		{"no list without a token", fakeAPI{jobsErr: nobody}, 0, time.Time{}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
			got, err := resolve.New(resolve.Options{API: &tt.api, JobToken: true, OwnPipeline: ownPipeline}).OnRef(t.Context(), q)
			if err != nil || got.JobID != tt.job || !got.Settled.Equal(tt.settled) {
				t.Errorf("%+v, %v", got, err)
			}
			if tt.job == 0 && !reflect.DeepEqual(got, byRef) {
				t.Errorf("%+v", got)
			}
			if asked := tt.api.projectAsked + tt.api.pipelinesAsked + tt.api.jobsAsked; asked != tt.requests {
				t.Errorf("%d requests, want %d", asked, tt.requests)
			}
		})
	}
}

// If it is unknown when a pipeline last changed, it is unknown when the ref's pipelines
// settled.
func TestOnRefWithoutUpdates(t *testing.T) {
	t.Parallel()
	main := at(20, 100, "main", "success")
	main.UpdatedAt = nil
	api := &fakeAPI{all: []gitlab.Job{created(20, job(5, "build", main))}}
	got, err := resolve.New(resolve.Options{API: api}).OnRef(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}})
	if err != nil || got.JobID != 5 || !got.Settled.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

// GitLab can only choose a single job of the newest successful pipeline of a ref.
func TestByRef(t *testing.T) {
	t.Parallel()
	r := resolve.New(resolve.Options{API: &fakeAPI{}})
	build := []string{"build"}
	for _, tt := range []struct {
		q    resolve.Query
		want bool
	}{
		{resolve.Query{Project: "7", Ref: "main", Jobs: build}, true},
		{resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build: [linux, amd64]"}}, true},
		{resolve.Query{Project: "7", JobID: 5}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build", "test"}}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: []string{"test*"}}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Latest: true}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Recent: true}, true},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Recent: true, MaxAge: time.Hour}, false},
		{resolve.Query{Project: "7", PipelineID: 100, Jobs: build}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, AnyPipeline: true}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Before: 9}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Sources: []string{"push"}}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Sources: []string{"!schedule"}}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, RequireSuccess: true}, false},
		{resolve.Query{Project: "7", Ref: "main", Jobs: build, Base: fullSHA}, false},
	} {
		if a, ok := r.ByRef(tt.q); ok != tt.want || ok && (a.URL != "by-ref" || a.JobName != tt.q.Jobs[0] || a.JobID != 0) {
			t.Errorf("%v: %v, %+v", tt.q, ok, a)
		}
	}
}
