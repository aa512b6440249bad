package resolve_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// If jobs must have succeeded, retried attempts are requested as well; otherwise, they
// aren't.
func TestListsOfAPipelinesJobs(t *testing.T) {
	t.Parallel()
	main := at(20, 20, "main", "success")
	main.SHA = fullSHA
	for name, tt := range map[string]struct {
		query resolve.Query
		want  gitlab.JobsOptions
	}{
		"of a ref":        {resolve.Query{Ref: "main"}, gitlab.JobsOptions{}},
		"of a pipeline":   {resolve.Query{PipelineID: 20}, gitlab.JobsOptions{}},
		"of any pipeline": {resolve.Query{Ref: "main", AnyPipeline: true}, gitlab.JobsOptions{Scope: []string{"success"}, IncludeRetried: true}},
		"of a base":       {resolve.Query{Base: fullSHA}, gitlab.JobsOptions{Scope: []string{"success"}, IncludeRetried: true}},
	} {
		api := &fakeAPI{pipelines: []gitlab.Pipeline{main}}
		tt.query.Project, tt.query.Jobs = "7", []string{"build"}
		_, _ = resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), tt.query)
		if diff := cmp.Diff([]gitlab.JobsOptions{tt.want}, api.pipelineJobsOptions); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Pipelines that are too old, or not older than the running one, don't count.
func TestPipelinesThatDoNotCount(t *testing.T) {
	t.Parallel()
	now := time.Now()
	aged := func(id int64, age time.Duration) gitlab.Pipeline {
		p, at := at(0, id, "main", "success"), now.Add(-age)
		p.CreatedAt = &at
		return p
	}
	pipelines := []gitlab.Pipeline{aged(30, time.Minute), aged(20, 2*time.Hour), aged(10, 3*time.Hour)}
	for name, tt := range map[string]struct {
		query resolve.Query
		in    []int64 // pipelines that have the job
		want  int64   // 0: none
	}{
		"young enough":                   {resolve.Query{AnyPipeline: true, MaxAge: time.Hour}, []int64{30, 20}, 30},
		"too old, any":                   {resolve.Query{AnyPipeline: true, MaxAge: time.Hour}, []int64{20}, 0},
		"old enough":                     {resolve.Query{AnyPipeline: true}, []int64{20, 10}, 20},
		"too old, recent":                {resolve.Query{Recent: true, MaxAge: time.Hour}, []int64{20}, 0},
		"the one itself":                 {resolve.Query{Before: 30}, []int64{30, 20, 10}, 20},
		"before it":                      {resolve.Query{Before: 29}, []int64{30, 20, 10}, 20},
		"the one itself, any":            {resolve.Query{Before: 20, AnyPipeline: true}, []int64{30, 20, 10}, 10},
		"before the oldest":              {resolve.Query{Before: 10, Recent: true}, []int64{30, 20, 10}, 0},
		"of a commit besides the newest": {resolve.Query{Before: 40, Besides: "sha30"}, []int64{30, 20, 10}, 20},
	} {
		api := &server{pipelines: pipelines, jobs: map[int64][]gitlab.Job{}}
		for _, id := range tt.in {
			api.jobs[id] = []gitlab.Job{done(id, "build", id)}
		}
		tt.query.Project, tt.query.Ref, tt.query.Jobs = "7", "main", []string{"build"}
		found, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), tt.query)
		if tt.want == 0 != (err != nil) || err == nil && found[0].JobID != tt.want {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

// The third of three refs is tried after two refs without the job.
func TestThirdRef(t *testing.T) {
	t.Parallel()
	api := &server{pipelines: []gitlab.Pipeline{at(0, 20, "b", "success"), at(0, 10, "c", "success")}, jobs: map[int64][]gitlab.Job{10: {done(1, "build", 10)}}}
	var passed []string
	r := resolve.New(resolve.Options{API: api, OnPass: func(ref string, _ error) { passed = append(passed, ref) }})
	found, err := r.Artifacts(t.Context(), resolve.Query{Project: "7", Ref: "a", MoreRefs: []string{"b", "c"}, Jobs: []string{"build"}})
	if err != nil || found[0].JobID != 1 || strings.Join(passed, " ") != "a b" {
		t.Errorf("%+v, %v after %q", found, err, passed)
	}
}

// If neither the parent's job nor its child's has an archive, the error is about the
// parent's.
func TestParentsJobIsNamed(t *testing.T) {
	t.Parallel()
	api := tree(map[int64][]int64{1: {2}})
	for id, job := range map[int64]int64{1: 11, 2: 22} {
		empty := done(job, "build", id)
		empty.ArtifactsFile, empty.Artifacts = nil, nil
		api.jobs[id] = []gitlab.Job{empty}
	}
	api.pipelines[0].Status = "success"
	for _, q := range []resolve.Query{{Ref: "main"}, {Ref: "main", AnyPipeline: true}, {PipelineID: 1}} {
		q.Project, q.Jobs = "7", []string{"build"}
		_, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), q)
		if empty, ok := errors.AsType[*resolve.NoArchiveError](err); !ok || empty.Artifact.JobID != 11 {
			t.Errorf("%v: %v", q, err)
		}
	}
}

// lineage is a server whose commits have parents, and whose other projects can't be read.
type lineage struct {
	*server
	parents map[string][]string
}

func (s lineage) Commit(_ context.Context, _ gitlab.Project, sha string) (gitlab.Commit, error) {
	s.asked = append(s.asked, "commit "+sha)
	return gitlab.Commit{ID: sha, ParentIDs: s.parents[sha]}, nil
}

func (s lineage) PipelineJobs(ctx context.Context, project gitlab.Project, pipeline int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	if project != "7" {
		return rows[gitlab.Job](nil, denied)
	}
	return s.server.PipelineJobs(ctx, project, pipeline, o)
}

// A baseline is searched for only in first parents, at most twenty.
func TestFirstParents(t *testing.T) {
	t.Parallel()
	sha := func(n int) string {
		return strings.Repeat(string(rune('a'+n%6)), 8) + strings.Repeat("0", 30) + string(rune('0'+n/10)) + string(rune('0'+n%10))
	}
	for at, want := range map[int]bool{0: true, 19: true, 20: true, 21: false} {
		s := lineage{&server{jobs: map[int64][]gitlab.Job{5: {done(1, "build", 5)}}}, map[string][]string{}}
		for n := range 30 {
			s.parents[sha(n)] = []string{sha(n + 1), strings.Repeat("f", 40)}
		}
		s.pipelines = []gitlab.Pipeline{
			{ID: 9, SHA: strings.Repeat("f", 40), Ref: "x", Status: "success", Source: "push"}, {ID: 5, SHA: sha(at), Ref: "main", Status: "failed", Source: "push"},
		}
		found, err := resolve.New(resolve.Options{API: s}).Artifacts(t.Context(), resolve.Query{Project: "7", Base: sha(0), Jobs: []string{"build"}})
		if (err == nil) != want || want && (found[0].JobID != 1 || found[0].Back != at) {
			t.Errorf("%d commits back: %+v, %v", at, found, err)
		}
	}
}

// If several projects can't be read, the error names the one searched first.
func TestFirstClosedProject(t *testing.T) {
	t.Parallel()
	s := lineage{server: tree(nil)}
	for id := int64(40); id < 43; id++ {
		s.bridges[1] = append(s.bridges[1], gitlab.Bridge{ID: id, DownstreamPipeline: &gitlab.Pipeline{ID: id, ProjectID: id + 100, Source: "pipeline"}})
	}
	_, err := resolve.New(resolve.Options{API: s}).Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: 1, Downstream: true, Jobs: []string{"build"}})
	if closed, ok := errors.AsType[*resolve.DownstreamError](err); !ok || closed.PipelineID != 42 || closed.Project != "142" || closed.Job != "build" {
		t.Errorf("%v", err)
	}
}

// The remedy for a job that hasn't succeeded depends on its status; a manual job doesn't
// block while others run, or if it may fail.
func TestRemedies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		job, pipeline string // statuses
		archive       bool
		blocker       gitlab.Job
		want          resolve.Remedy
		id            int64 // of the job to play
	}{
		{"failed", "failed", true, gitlab.Job{}, resolve.RemedyStatus, 0},
		{"failed", "failed", false, gitlab.Job{}, resolve.RemedyHint, 0},
		{"running", "running", false, gitlab.Job{}, resolve.RemedyWait, 0},
		{"manual", "manual", false, gitlab.Job{}, resolve.RemedyPlay, 1},
		{"created", "manual", false, gitlab.Job{ID: 2, Status: "manual"}, resolve.RemedyPlay, 2},
		{"created", "manual", false, gitlab.Job{ID: 2, Status: "manual", AllowFailure: true}, resolve.RemedyHint, 0},
		{"created", "running", false, gitlab.Job{ID: 2, Status: "manual"}, resolve.RemedyWait, 0},
	} {
		p := gitlab.Pipeline{ID: 9, Ref: "main", Status: tt.pipeline, Source: "push"}
		build := gitlab.Job{ID: 1, Name: "build", Status: tt.job, Pipeline: p}
		if tt.archive {
			build.ArtifactsFile = &gitlab.ArtifactsFile{Size: 5}
		}
		tt.blocker.Name, tt.blocker.Pipeline = "approve", p
		api := &server{pipelines: []gitlab.Pipeline{p}, jobs: map[int64][]gitlab.Job{9: {tt.blocker, build}}}
		r, q := resolve.New(resolve.Options{API: api}), resolve.Query{Project: "7", Ref: "main", AnyPipeline: true, Jobs: []string{"build"}}
		_, err := r.Artifacts(t.Context(), q)
		if why := r.Explain(t.Context(), q, err); why.Remedy != tt.want || why.JobID != tt.id || tt.want == resolve.RemedyStatus && why.PipelineID != 9 {
			t.Errorf("%s in a pipeline that is %s: %+v", tt.job, tt.pipeline, why)
		}
		if blocking := r.Blocking(t.Context(), "7", 9); (len(blocking) > 0) != (tt.want == resolve.RemedyPlay) {
			t.Errorf("%s in a pipeline that is %s: blocked by %+v", tt.job, tt.pipeline, blocking)
		}
	}
}
