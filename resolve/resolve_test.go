package resolve_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fakeAPI lists the rows that it is given. If an error isn't nil, that list is refused.
type fakeAPI struct {
	mergeRequestErr                         error // nil: the token may not see it
	pipelines                               []gitlab.Pipeline
	jobs, all                               []gitlab.Job
	bridges                                 []gitlab.Bridge
	bridgesErr                              error
	bridgesAsked                            int
	pipelinesErr, pipelineJobsErr, jobsErr  error
	pipelinesAsked, jobsAsked, projectAsked int
	pipelinesYielded, pipelineRows          int                  // lists that were read, and their rows
	jobRows                                 int                  // of the project\'s lists
	jobsOptions                             []gitlab.JobsOptions // of the project's lists
	pipelineJobsOptions                     []gitlab.JobsOptions
	pipelinesOptions                        []gitlab.PipelinesOptions
}

func rows[T any](list []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, row := range list {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (f *fakeAPI) Pipelines(_ context.Context, _ gitlab.Project, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error] {
	f.pipelinesAsked++
	f.pipelinesOptions = append(f.pipelinesOptions, o)
	list := rows(f.pipelines, f.pipelinesErr)
	return func(yield func(gitlab.Pipeline, error) bool) {
		f.pipelinesYielded++
		list(func(p gitlab.Pipeline, err error) bool { f.pipelineRows++; return yield(p, err) })
	}
}

func (f *fakeAPI) PipelineJobs(_ context.Context, _ gitlab.Project, _ int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	f.jobsAsked++
	f.pipelineJobsOptions = append(f.pipelineJobsOptions, o)
	return rows(f.jobs, f.pipelineJobsErr)
}

func (f *fakeAPI) ProjectJobs(_ context.Context, _ gitlab.Project, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	f.projectAsked++
	f.jobsOptions = append(f.jobsOptions, o)
	list := rows(f.all, f.jobsErr)
	return func(yield func(gitlab.Job, error) bool) {
		list(func(j gitlab.Job, err error) bool { f.jobRows++; return yield(j, err) })
	}
}

func (f *fakeAPI) Bridges(context.Context, gitlab.Project, int64, bool) iter.Seq2[gitlab.Bridge, error] {
	f.bridgesAsked++
	return rows(f.bridges, f.bridgesErr)
}

func (*fakeAPI) CurrentJob(context.Context) (gitlab.Job, error) { return gitlab.Job{}, nobody }

func (*fakeAPI) Job(context.Context, gitlab.Project, int64) (gitlab.Job, error) {
	return gitlab.Job{}, nobody
}

func (*fakeAPI) Pipeline(context.Context, gitlab.Project, int64) (gitlab.Pipeline, error) {
	return gitlab.Pipeline{}, nobody
}

func (f *fakeAPI) MergeRequest(context.Context, gitlab.Project, int64) (gitlab.MergeRequest, error) {
	if f.mergeRequestErr != nil {
		return gitlab.MergeRequest{}, f.mergeRequestErr
	}
	return gitlab.MergeRequest{}, nobody
}

func (*fakeAPI) DefaultBranch(context.Context, gitlab.Project) (string, error) { return "", nobody }

func (*fakeAPI) RefArchiveExists(context.Context, gitlab.Project, string, string) error {
	return nobody
}

func (*fakeAPI) Commit(context.Context, gitlab.Project, string) (gitlab.Commit, error) {
	return gitlab.Commit{}, nobody
}

func (*fakeAPI) ArchiveURL(gitlab.Project, int64) string { return "by-id" }

func (*fakeAPI) RefArchiveURL(gitlab.Project, string, string) string { return "by-ref" }

func (*fakeAPI) RunnerProxyURL(int64) string                             { return "runner proxy" }
func (*fakeAPI) DownloadModeURL(gitlab.Project, int64, string) string    { return "mode" }
func (*fakeAPI) RunnerArchiveURL(int64) string                           { return "runner" }
func (*fakeAPI) ReportURL(_ gitlab.Project, _ int64, kind string) string { return "report " + kind }

func job(id int64, name string, pipeline gitlab.Pipeline) gitlab.Job {
	return gitlab.Job{ID: id, Name: name, Pipeline: pipeline, ArtifactsFile: &gitlab.ArtifactsFile{Size: 100 + id}}
}

var (
	denied   = &gitlab.Error{StatusCode: http.StatusForbidden, Message: "403 Forbidden"}
	nobody   = &gitlab.Error{StatusCode: http.StatusUnauthorized, Message: "401 Unauthorized"}
	falseOne = &gitlab.Error{StatusCode: http.StatusNotFound, Message: "404 Project Not Found"}
	missing  = &gitlab.Error{StatusCode: http.StatusNotFound, Message: "404 Not found"}
	gone     = &gitlab.Error{StatusCode: http.StatusNotFound, Message: "404 Not Found"}
)

func TestArtifacts(t *testing.T) {
	t.Parallel()
	pipeline := gitlab.Pipeline{ID: 100, Ref: "main", SHA: "abc", Status: "success", Source: "push"}
	tool := gitlab.Pipeline{ID: 110, Ref: "main", Status: "success", Source: "webide"}
	query := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
	listed := resolve.Artifact{Project: "7", Ref: "main", SHA: "abc", PipelineID: 100, JobID: 1, JobName: "build", Size: 101, URL: "by-id", Found: resolve.ByListing}
	byRef := resolve.Artifact{Project: "7", Ref: "main", JobName: "build", URL: "by-ref", Found: resolve.ByRef}
	tests := []struct {
		name    string
		api     fakeAPI
		query   resolve.Query
		want    resolve.Artifact
		wantErr any
		lists   int
		bridges int
	}{
		{
			name: "by id", query: resolve.Query{Project: "7", JobID: 5},
			want: resolve.Artifact{Project: "7", JobID: 5, URL: "by-id", Found: resolve.ByID},
		},
		{
			name: "listed", query: query, lists: 2, want: listed,
			api: fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: []gitlab.Job{job(2, "test", pipeline), job(1, "build", pipeline)}},
		},
		{
			name: "pipelines of tools do not count", query: query, lists: 2, want: listed,
			api: fakeAPI{pipelines: []gitlab.Pipeline{tool, pipeline}, jobs: []gitlab.Job{job(1, "build", pipeline)}},
		},
		{
			name: "perhaps in a child, which are closed", query: query, lists: 2, bridges: 1, want: byRef,
			api: fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: []gitlab.Job{job(2, "test", pipeline)}, bridgesErr: denied},
		},
		{
			name: "in no child", query: query, lists: 2, bridges: 1, wantErr: new(*resolve.NotFoundError),
			api: fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: []gitlab.Job{job(2, "test", pipeline)}},
		},
		{
			name: "without artifacts the server looks further", query: query, lists: 2, bridges: 1, wantErr: new(*resolve.NoArchiveError),
			api: fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: []gitlab.Job{{ID: 1, Name: "build", Artifacts: []gitlab.ArtifactFile{{FileType: "trace"}}}}},
		},
		{
			name: "expired but not purged", query: query, lists: 2,
			want: resolve.Artifact{Project: "7", JobID: 1, JobName: "build", Size: 5, URL: "by-id", Found: resolve.ByListing, Reports: []resolve.Report{}},
			api:  fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: []gitlab.Job{{ID: 1, Name: "build", Artifacts: []gitlab.ArtifactFile{{FileType: "archive", Size: 5}}}}},
		},
		{name: "pipelines are closed", query: query, lists: 1, want: byRef, api: fakeAPI{pipelinesErr: falseOne}},
		{name: "nobody may list", query: query, lists: 1, want: byRef, api: fakeAPI{pipelinesErr: nobody}},
		{name: "jobs are closed", query: query, lists: 2, want: byRef, api: fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, pipelineJobsErr: denied}},
		{
			name: "reports only", query: query, lists: 2, wantErr: new(*resolve.NoArchiveError),
			api: fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: []gitlab.Job{{ID: 1, Name: "build", Artifacts: []gitlab.ArtifactFile{{FileType: "junit"}}}}},
		},
		{name: "no successful pipeline", query: query, lists: 1, wantErr: new(*resolve.NotFoundError)},
		{name: "server is down", query: query, lists: 1, wantErr: new(*gitlab.Error), api: fakeAPI{pipelinesErr: &gitlab.Error{StatusCode: 503}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolve.New(resolve.Options{API: &tt.api}).Artifacts(t.Context(), tt.query)
			if asked := tt.api.pipelinesAsked + tt.api.jobsAsked + tt.api.projectAsked; asked != tt.lists {
				t.Errorf("%d lists, want %d", asked, tt.lists)
			}
			if tt.api.bridgesAsked != tt.bridges {
				t.Errorf("bridges were asked for %d times, want %d", tt.api.bridgesAsked, tt.bridges)
			}
			if tt.wantErr != nil {
				if !errors.As(err, tt.wantErr) {
					t.Errorf("error = %v, want a %T", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]resolve.Artifact{tt.want}, got, cmpopts.IgnoreUnexported(resolve.Artifact{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	parent := gitlab.Pipeline{ID: 100, Ref: "main", SHA: "abc", Status: "success", Source: "push"}
	child := gitlab.Pipeline{ID: 101, Ref: "main", SHA: "abc", Status: "success", Source: "parent_pipeline"}
	younger := gitlab.Pipeline{ID: 102, Ref: "main", SHA: "abc", Status: "running", Source: "parent_pipeline"}
	older := gitlab.Pipeline{ID: 90, Ref: "main", SHA: "old", Status: "success", Source: "push"}
	earlier := gitlab.Pipeline{ID: 95, Ref: "main", SHA: "abc", Status: "success", Source: "parent_pipeline"} // of another parent of the same commit
	failed := gitlab.Pipeline{ID: 110, Ref: "main", SHA: "new", Status: "failed", Source: "push"}
	all := []gitlab.Job{
		job(50, "build", failed), job(40, "deep", younger), job(39, "deep", child), job(38, "build", child),
		job(37, "build", parent), job(36, "build", parent), job(6, "deep", earlier), job(5, "build", older), job(4, "deep", older),
	}
	byRef := func(name string) resolve.Artifact {
		return resolve.Artifact{Project: "7", Ref: "main", JobName: name, Found: resolve.ByRef}
	}
	tests := []struct {
		name     string
		api      fakeAPI
		private  bool
		own      bool // the error is not the refusal's
		artifact resolve.Artifact
		err      error
		wantJob  int64
		wantErr  any
	}{
		{name: "licence, job known", artifact: resolve.Artifact{JobID: 9, URL: "by-id"}, err: falseOne, wantJob: 9},
		{name: "licence, job of the parent", api: fakeAPI{all: all}, artifact: byRef("build"), err: falseOne, wantJob: 37},
		{name: "licence, job of the older child", api: fakeAPI{all: all}, artifact: byRef("deep"), err: falseOne, wantJob: 39},
		{name: "licence, lists closed", api: fakeAPI{jobsErr: nobody}, artifact: byRef("build"), err: falseOne, wantErr: new(*resolve.NotFoundError)},
		{name: "licence, no such job", own: true, api: fakeAPI{all: all}, artifact: byRef("none"), err: falseOne, wantErr: new(*resolve.NotFoundError)},
		{name: "other tokens have no other route", private: true, artifact: resolve.Artifact{JobID: 9, URL: "by-id"}, err: falseOne, wantErr: new(*resolve.NotFoundError)},
		{name: "no such job id", artifact: resolve.Artifact{JobID: 9, URL: "by-id"}, err: missing, wantErr: new(*resolve.NotFoundError)},
		{name: "no archive", artifact: resolve.Artifact{JobID: 9, URL: "by-id"}, err: gone, wantErr: new(*resolve.NoArchiveError)},
		{name: "no such job by ref", artifact: byRef("build"), err: missing, wantErr: new(*resolve.NotFoundError)},
		{name: "forbidden", artifact: byRef("build"), err: denied, wantErr: new(*resolve.RefusedError)},
		{name: "lost by the storage", artifact: resolve.Artifact{JobID: 9, URL: "by-id"}, err: &gitlab.Error{StatusCode: 404, FromStorage: true}, wantErr: new(*gitlab.Error)},
		{name: "refused by the storage", artifact: resolve.Artifact{JobID: 9, URL: "by-id"}, err: &gitlab.Error{StatusCode: 403, FromStorage: true}, wantErr: new(*gitlab.Error)},
		{name: "unauthorized", artifact: byRef("build"), err: nobody, wantErr: new(*resolve.RefusedError)},
		{name: "not a refusal", artifact: byRef("build"), err: &net.DNSError{}, wantErr: new(*net.DNSError)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := resolve.New(resolve.Options{API: &tt.api, JobToken: !tt.private})
			query := resolve.Query{Project: "7", Ref: "main", Jobs: []string{tt.artifact.JobName}}
			got, err := r.Fallback(t.Context(), query, tt.artifact, tt.err)
			if tt.wantErr != nil {
				if err == nil || errors.Is(err, tt.err) == tt.own || !errors.As(err, tt.wantErr) {
					t.Errorf("error = %v (%T), want a %T", err, err, tt.wantErr)
				}
				return
			}
			if err != nil || got.JobID != tt.wantJob || got.URL != "runner" {
				t.Fatalf("job %d at %q, %v; want %d by the runner's route", got.JobID, got.URL, err, tt.wantJob)
			}
			// The endpoint for runners is tried last.
			if _, err := r.Fallback(t.Context(), query, got, falseOne); err == nil {
				t.Error("a second fallback")
			}
		})
	}
}

// A project's list is only read as far back as it can help.
func TestFallbackStopsReading(t *testing.T) {
	t.Parallel()
	parent := gitlab.Pipeline{ID: 100, Ref: "main", SHA: "abc", Status: "success"}
	other := gitlab.Pipeline{ID: 50, Ref: "other", Status: "success"}
	all := []gitlab.Job{job(5000, "build", parent)}
	for id := range int64(4000) {
		all = append(all, job(4999-id, "x", other))
	}
	read := 0
	api := &countingAPI{fakeAPI: fakeAPI{all: all}, read: &read}
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	got, err := r.Fallback(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}, resolve.Artifact{JobName: "build"}, falseOne)
	if err != nil || got.JobID != 5000 {
		t.Fatalf("job %d, %v", got.JobID, err)
	}
	if read > 200 {
		t.Errorf("%d rows were read", read)
	}
	// The search for a missing job ends after a number of pipelines.
	read = 0
	_, err = r.Fallback(t.Context(), resolve.Query{Project: "7", Ref: "main", Recent: true}, resolve.Artifact{JobName: "none"}, falseOne)
	if _, missing := errors.AsType[*resolve.NotFoundError](err); !missing || read > 2001 {
		t.Errorf("%d rows were read, %v", read, err)
	}
}

// Recent searches older pipelines one by one, up to its limit.
func TestRecent(t *testing.T) {
	t.Parallel()
	now, old := time.Now(), time.Now().Add(-48*time.Hour)
	for maxAge, want := range map[time.Duration]int64{0: 901, 72 * time.Hour: 901, 24 * time.Hour: 0} {
		api := newForest()
		api.pipelines = []gitlab.Pipeline{
			{ID: 10, Ref: "main", Status: "success", Source: "push", CreatedAt: &now},
			{ID: 50, Ref: "main", Status: "success", Source: "webide", CreatedAt: &now},
			{ID: 90, Ref: "main", Status: "success", Source: "push", CreatedAt: &old},
		}
		api.jobsOf[90] = []gitlab.Job{done(901, "gone", 90)}
		found, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: []string{"gone"}, Recent: true, MaxAge: maxAge})
		switch {
		case want == 0:
			if _, missing := errors.AsType[*resolve.NotFoundError](err); !missing {
				t.Errorf("no older than %v: %+v, %v", maxAge, found, err)
			}
		case err != nil || found[0].JobID != want || found[0].Back != 1:
			t.Errorf("no older than %v: %+v, %v", maxAge, found, err)
		}
	}
}

type countingAPI struct {
	fakeAPI
	read *int
}

func (c *countingAPI) ProjectJobs(ctx context.Context, p gitlab.Project, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	inner := slices.Collect(func(yield func(gitlab.Job) bool) {
		for j, err := range c.fakeAPI.ProjectJobs(ctx, p, o) {
			if err != nil || !yield(j) {
				return
			}
		}
	})
	return func(yield func(gitlab.Job, error) bool) {
		for _, j := range inner {
			*c.read++
			if !yield(j, nil) {
				return
			}
		}
	}
}

// Why a job has no archive.
func TestReasons(t *testing.T) {
	t.Parallel()
	past, pipeline := time.Now().Add(-time.Hour), gitlab.Pipeline{ID: 5}
	tests := []struct {
		job  gitlab.Job
		want resolve.Reason
	}{
		{gitlab.Job{Status: "success"}, resolve.ReasonNoArchive},
		{gitlab.Job{Status: "success", ArtifactsExpireAt: &past}, resolve.ReasonExpired},
		{gitlab.Job{Status: "success", ArtifactsExpireAt: &past, ErasedAt: &past}, resolve.ReasonErased},
		{gitlab.Job{Status: "success", Artifacts: []gitlab.ArtifactFile{{FileType: "junit"}, {FileType: "trace"}}}, resolve.ReasonReports},
		{gitlab.Job{Status: "running"}, resolve.ReasonRunning},
		{gitlab.Job{Status: "failed", FailureReason: "script_failure"}, resolve.ReasonState},
	}
	for _, tt := range tests {
		tt.job.ID, tt.job.Name, tt.job.Pipeline = 1, "build", pipeline
		r := resolve.New(resolve.Options{API: &fakeAPI{jobs: []gitlab.Job{tt.job}}})
		q := resolve.Query{Project: "7", PipelineID: 5, Jobs: []string{"build"}}
		_, err := r.Artifacts(t.Context(), q)
		if x := r.Explain(t.Context(), q, err); x.Reason != tt.want || x.Cause == "" || x.Remedy != resolve.RemedyHint {
			t.Errorf("%+v: %+v, want %s", tt.job, x, tt.want)
		}
	}
}
