package resolve_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fenced is a forest with pipelines that the token can't read, or that are deleted.
type fenced struct {
	*forest
	refusals map[int64]error // of pipelines
}

func (f *fenced) PipelineJobs(ctx context.Context, project gitlab.Project, pipeline int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	if err := f.refusals[pipeline]; err != nil {
		return rows[gitlab.Job](nil, err)
	}
	return f.forest.PipelineJobs(ctx, project, pipeline, o)
}

// A refusal below a pipeline isn't a refusal of the pipeline itself: a deleted child has
// no jobs, and a downstream project that can't be read doesn't make artifetch silently
// search elsewhere.
func TestPipelinesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	notListed := &gitlab.Error{StatusCode: 403, Message: "403 Forbidden - Authentication by CI/CD job token not allowed from app to lib."}
	for _, tt := range []struct {
		name     string
		query    resolve.Query
		refusals map[int64]error
		want     []int64
		err      any    // nil if the jobs are found
		says     string // the error
		hint     string
		skipped  int
	}{
		{name: "a child that is gone", query: resolve.Query{PipelineID: 10, Jobs: []string{"shared"}}, refusals: map[int64]error{12: missing}, want: []int64{112}},
		{name: "a job of a child that is gone", query: resolve.Query{PipelineID: 10, Jobs: []string{"deep"}}, refusals: map[int64]error{12: missing}, err: new(*resolve.NotFoundError), says: `no job "deep"`},
		{name: "by ref", query: resolve.Query{Ref: "main", Jobs: []string{"deep"}}, refusals: map[int64]error{11: missing}, want: []int64{131}},
		{name: "the pipeline itself", query: resolve.Query{PipelineID: 10, Jobs: []string{"deep"}}, refusals: map[int64]error{10: missing}, err: new(*resolve.NotFoundError), says: "no such pipeline"},
		{name: "downstream, not on the allowlist", query: resolve.Query{PipelineID: 10, Jobs: []string{"package"}, Downstream: true}, refusals: map[int64]error{20: notListed}, err: new(*resolve.DownstreamError), says: `cannot look for job "package" in pipeline 20 of the downstream project 8 (403`, hint: "in project lib: Settings"},
		{name: "downstream, not seen", query: resolve.Query{PipelineID: 10, Jobs: []string{"package"}, Downstream: true}, refusals: map[int64]error{20: falseOne}, err: new(*resolve.DownstreamError), says: "downstream project 8 (404 Project Not Found)", hint: "access to project 8"},
		{name: "downstream, gone", query: resolve.Query{PipelineID: 10, Jobs: []string{"package"}, Downstream: true}, refusals: map[int64]error{20: missing}, err: new(*resolve.DownstreamError), says: "project 8"},
		{name: "found beside it", query: resolve.Query{PipelineID: 10, Jobs: []string{"deep"}, Downstream: true}, refusals: map[int64]error{20: denied}, want: []int64{131}, skipped: 1},
		{name: "found before it", query: resolve.Query{PipelineID: 10, Jobs: []string{"build"}, Downstream: true}, refusals: map[int64]error{20: denied}, want: []int64{101}},
		{name: "a pattern", query: resolve.Query{PipelineID: 10, Jobs: []string{"{b,d,p}*"}, Downstream: true}, refusals: map[int64]error{20: denied}, want: []int64{101, 131}, skipped: 1},
		{name: "one of two", query: resolve.Query{PipelineID: 10, Jobs: []string{"deep", "package"}, Downstream: true}, refusals: map[int64]error{20: denied}, err: new(*resolve.DownstreamError), says: `job "package"`},
		{name: "not asked for", query: resolve.Query{PipelineID: 10, Jobs: []string{"package"}}, refusals: map[int64]error{20: denied}, err: new(*resolve.NotFoundError), says: `no job "package"`, hint: "full name"},
		{name: "a server in trouble", query: resolve.Query{PipelineID: 10, Jobs: []string{"deep"}}, refusals: map[int64]error{12: &gitlab.Error{StatusCode: 502}}, err: new(*gitlab.Error), says: "502"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api, skipped := &fenced{newForest(), tt.refusals}, 0
			r := resolve.New(resolve.Options{API: api, JobToken: true, OnSkip: func(error) { skipped++ }})
			tt.query.Project = "7"
			found, err := r.Artifacts(t.Context(), tt.query)
			var got []int64
			for _, a := range found {
				got = append(got, a.JobID)
			}
			if !slices.Equal(got, tt.want) || skipped != tt.skipped || api.projectAsked != 0 {
				t.Errorf("jobs %v, want %v; %d of %d pipelines skipped; the project's list was read %d times: %v", got, tt.want, skipped, tt.skipped, api.projectAsked, err)
			}
			if tt.err == nil {
				return
			}
			hinter, _ := errors.AsType[interface {
				error
				Hint() string
			}](err)
			if !errors.As(err, tt.err) || !strings.Contains(err.Error(), tt.says) || tt.hint != "" && !strings.Contains(hinter.Hint(), tt.hint) {
				t.Errorf("%T: %v, want a %T that says %q and hints at %q", err, err, tt.err, tt.says, tt.hint)
			}
		})
	}
}

// If pipelines can't be read, the project's list has no other projects' jobs.
func TestDownstreamWithoutPipelines(t *testing.T) {
	t.Parallel()
	pipeline := gitlab.Pipeline{ID: 10, Ref: "main", Source: "push"}
	for _, api := range []*fakeAPI{
		{pipelinesErr: nobody, pipelineJobsErr: nobody, all: []gitlab.Job{job(1, "build", pipeline)}},
		{bridgesErr: falseOne, jobs: []gitlab.Job{job(1, "build", pipeline)}, all: []gitlab.Job{job(1, "build", pipeline)}},
	} {
		r := resolve.New(resolve.Options{API: api, JobToken: true})
		_, err := r.Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: 10, Jobs: []string{"package"}, Downstream: true})
		if closed, ok := errors.AsType[*resolve.DownstreamError](err); !ok || closed.Project != "" || !strings.Contains(closed.Error(), `job "package" in downstream pipelines`) || strings.Contains(closed.Hint(), "--downstream") {
			t.Errorf("%T: %v", err, err)
		}
		if _, err := r.Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: 10, Jobs: []string{"package"}}); !strings.Contains(err.Error(), `no job "package"`) {
			t.Error(err)
		}
	}
}

// The project's list is read until no more jobs of the pipeline can follow, but not less
// far: a retried job of an older pipeline may be the newest of all.
func TestListIsReadAsFarAsItHelps(t *testing.T) {
	t.Parallel()
	at := func(minutes int) *time.Time {
		t := time.Date(2026, 1, 1, 0, minutes, 0, 0, time.UTC)
		return &t
	}
	pipeline := func(id int64, ref, status string, minutes int) gitlab.Pipeline {
		return gitlab.Pipeline{ID: id, Ref: ref, SHA: "abc", Status: status, Source: "push", CreatedAt: at(minutes)}
	}
	older, newer := pipeline(1, "main", "success", 0), pipeline(2, "main", "success", 10)
	created := func(j gitlab.Job, minutes int) gitlab.Job {
		j.CreatedAt, j.Status = at(minutes), "success"
		return j
	}
	all := []gitlab.Job{created(job(1000, "build", older), 90)} // retried
	for i := range 300 {
		all = append(all, created(job(int64(999-i), "x", pipeline(int64(600-i), "other", "success", 80)), 80))
	}
	all = append(all, created(job(22, "build", newer), 10), created(job(21, "late", newer), 10))
	enough := len(all) + 1
	for i := range 300 {
		all = append(all, created(job(int64(20-i), "x", pipeline(int64(0-i), "other", "success", 5)), 5))
	}
	for name, query := range map[string]resolve.Query{
		"newest":            {Ref: "main", Latest: true, Jobs: []string{"build"}},
		"newest successful": {Ref: "main", Jobs: []string{"bui*"}},
		"pipeline":          {PipelineID: 2, Jobs: []string{"build"}},
	} {
		read := 0
		api := &countingAPI{fakeAPI: fakeAPI{all: all, pipelinesErr: nobody, pipelineJobsErr: nobody}, read: &read}
		query.Project = "7"
		found, err := resolve.New(resolve.Options{API: api, JobToken: true}).Artifacts(t.Context(), query)
		if err != nil || len(found) != 1 || found[0].JobID != 22 || read != enough {
			t.Errorf("%s: %+v, %v after %d rows, want job 22 after %d", name, found, err, read, enough)
		}
	}
	read := 0
	api := &countingAPI{fakeAPI: fakeAPI{all: all}, read: &read}
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	if id, err := r.LatestPipeline(t.Context(), resolve.Query{Project: "7", Ref: "main"}); id != 2 || err != nil || read != enough {
		t.Errorf("pipeline %d, %v after %d rows", id, err, read)
	}
	if _, err := r.LatestPipeline(t.Context(), resolve.Query{Project: "7", Ref: "none"}); err == nil || !strings.Contains(err.Error(), "no such pipeline among the project's newest") {
		t.Error(err)
	}
}

// knowing answers requests for one job.
type knowing struct {
	fakeAPI
	job gitlab.Job
	err error
}

func (f *knowing) Job(context.Context, gitlab.Project, int64) (gitlab.Job, error) {
	return f.job, f.err
}

// Whatever a 404 says, the job itself shows whether it exists, and what happened to its
// archive; if the token can't read the job, GitLab's message decides.
func TestMissingByID(t *testing.T) {
	t.Parallel()
	yesterday := time.Now().Add(-24 * time.Hour)
	workhorse := &gitlab.Error{StatusCode: 404, Message: "404 page not found"}
	gateway := &gitlab.Error{StatusCode: 404, Message: "HTML page: 404 Not Found"}
	for _, tt := range []struct {
		name     string
		api      knowing
		jobToken bool
		err      error
		want     resolve.Reason
	}{
		{"no such job, in one spelling", knowing{err: missing}, false, missing, resolve.ReasonNoJob},
		{"no such job, in the other", knowing{err: missing}, false, gone, resolve.ReasonNoJob},
		{"no such job, in neither", knowing{err: gone}, false, workhorse, resolve.ReasonNoJob},
		{"no archive, spelt like no job", knowing{job: gitlab.Job{ID: 9, Name: "build"}}, false, missing, resolve.ReasonNoArchive},
		{"reports", knowing{job: gitlab.Job{ID: 9, Artifacts: []gitlab.ArtifactFile{{FileType: "junit"}}}}, false, gone, resolve.ReasonReports},
		{"erased", knowing{job: gitlab.Job{ID: 9, ErasedAt: &yesterday}}, false, gone, resolve.ReasonErased},
		{"expired", knowing{job: gitlab.Job{ID: 9, ArtifactsExpireAt: &yesterday}}, false, gone, resolve.ReasonExpired},
		{"listed still", knowing{job: gitlab.Job{ID: 9, Artifacts: []gitlab.ArtifactFile{{FileType: "archive"}}}}, false, gone, resolve.ReasonNoArchive},
		{"may not ask", knowing{err: nobody}, false, gone, resolve.ReasonNoArchive},
		{"may not ask, no such job", knowing{err: denied}, false, missing, resolve.ReasonNoJob},
		{"a job token", knowing{err: missing}, true, gone, resolve.ReasonNoArchive},
		{"a job token, no such job", knowing{job: gitlab.Job{ID: 9}}, true, missing, resolve.ReasonNoJob},
		{"not GitLab", knowing{err: gateway}, true, gateway, ""},
	} {
		r := resolve.New(resolve.Options{API: &tt.api, JobToken: tt.jobToken})
		_, err := r.Fallback(t.Context(), resolve.Query{Project: "7", JobID: 9}, resolve.Artifact{Project: "7", JobID: 9, URL: "by-id", Found: resolve.ByID}, tt.err)
		reasoner, _ := errors.AsType[interface {
			error
			Reason() resolve.Reason
		}](err)
		if err == nil || (reasoner == nil) != (tt.want == "") || reasoner != nil && reasoner.Reason() != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %T: %v, want %s", tt.name, err, err, tt.want)
		}
	}
}

// The by-ref endpoint doesn't say what is missing, or why; the project's list does, as far
// back as it goes.
func TestMissingByRef(t *testing.T) {
	t.Parallel()
	main := gitlab.Pipeline{ID: 100, Ref: "main", Status: "success", Source: "push"}
	yesterday := time.Now().Add(-24 * time.Hour)
	bare := gitlab.Job{ID: 5, Name: "build", Pipeline: main, ErasedAt: &yesterday}
	full := make([]gitlab.Job, 2000)
	for i := range full {
		full[i] = job(int64(9000-i), "x", gitlab.Pipeline{ID: 50, Ref: "other", Status: "success"})
	}
	for _, tt := range []struct {
		name string
		api  fakeAPI
		want resolve.Reason // empty if the job is found
	}{
		{"without an archive", fakeAPI{all: []gitlab.Job{bare}}, resolve.ReasonErased},
		{"another job", fakeAPI{all: []gitlab.Job{job(5, "test", main)}}, resolve.ReasonNoJob},
		{"no pipeline", fakeAPI{all: []gitlab.Job{job(5, "build", gitlab.Pipeline{ID: 50, Ref: "other", Status: "success"})}}, resolve.ReasonNoSuccess},
		{"no pipeline as far as is seen", fakeAPI{all: full}, resolve.ReasonNoJob},
		{"an empty list", fakeAPI{}, resolve.ReasonNoJob},
		{"no list", fakeAPI{jobsErr: nobody}, resolve.ReasonNoJob},
		{"there by now", fakeAPI{all: []gitlab.Job{job(5, "build", main)}}, ""},
	} {
		r := resolve.New(resolve.Options{API: &tt.api, JobToken: true})
		query := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
		a, err := r.Fallback(t.Context(), query, resolve.Artifact{Project: "7", Ref: "main", JobName: "build", URL: "by-ref", Found: resolve.ByRef}, missing)
		reasoner, _ := errors.AsType[interface {
			error
			Reason() resolve.Reason
		}](err)
		if tt.want == "" && (err != nil || a.JobID != 5) || tt.want != "" && (reasoner == nil || reasoner.Reason() != tt.want) {
			t.Errorf("%s: job %d, %T: %v, want %s", tt.name, a.JobID, err, err, tt.want)
		}
	}
}

// Of several pipelines of a merge request or commit, the newest that has the job counts,
// even if the job hasn't succeeded: the project's list gives the same result as the lists
// of pipelines.
func TestRunningJobHidesOlderOnes(t *testing.T) {
	t.Parallel()
	head := gitlab.Pipeline{ID: 10, Ref: "refs/merge-requests/3/head", SHA: fullSHA, Source: "merge_request_event"}
	train := gitlab.Pipeline{ID: 20, Ref: "refs/merge-requests/3/train", SHA: fullSHA, Source: "merge_request_event"}
	running, finished := job(2, "build", train), job(1, "build", head)
	running.Status, finished.Status = "running", "success"
	for name, query := range map[string]resolve.Query{"merge request": {MergeRequest: 3}, "commit": {SHA: fullSHA}} {
		query.Project, query.Jobs = "7", []string{"build"}
		closed := &fakeAPI{pipelinesErr: nobody, all: []gitlab.Job{running, finished}}
		open := &server{pipelines: []gitlab.Pipeline{train, head}, jobs: map[int64][]gitlab.Job{20: {running}, 10: {finished}}}
		for kind, api := range map[string]resolve.API{"closed": closed, "open": open} {
			found, err := resolve.New(resolve.Options{API: api, JobToken: true}).Artifacts(t.Context(), query)
			if state, ok := errors.AsType[*resolve.StateError](err); !ok || state.Artifact.JobID != 2 {
				t.Errorf("%s, %s: %+v, %v", name, kind, found, err)
			}
		}
	}
}
