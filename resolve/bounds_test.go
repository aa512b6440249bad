package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// The first pages are large enough for most projects, and for jobs that may have an
// archive; later ones have as many rows as the server allows.
func TestFirstPages(t *testing.T) {
	t.Parallel()
	completed := []string{"success", "failed", "canceled", "running"}
	for name, tt := range map[string]struct {
		query     resolve.Query
		find      func(*resolve.Resolver, resolve.Query) error
		api       fakeAPI
		jobs      []gitlab.JobsOptions
		pipelines []gitlab.PipelinesOptions
	}{
		"of a ref": {
			resolve.Query{Ref: "main"}, onRef, fakeAPI{}, []gitlab.JobsOptions{{Scope: completed, PerPage: 20}},
			[]gitlab.PipelinesOptions{{Ref: "main", PerPage: 20}, {Ref: "main", Status: "success"}},
		},
		"of a ref, where pipelines are closed": {
			resolve.Query{Ref: "main"}, onRef, fakeAPI{pipelinesErr: denied},
			[]gitlab.JobsOptions{{Scope: completed, PerPage: 20}, {Scope: completed, PerPage: 100}}, []gitlab.PipelinesOptions{{Ref: "main", PerPage: 20}},
		},
		"of a ref, recent": {
			resolve.Query{Ref: "main", Recent: true}, onRef, fakeAPI{}, []gitlab.JobsOptions{{Scope: completed, PerPage: 20}}, []gitlab.PipelinesOptions{{Ref: "main", Status: "success"}},
		},
		"of any pipeline": {
			resolve.Query{Ref: "main", AnyPipeline: true}, artifacts, fakeAPI{}, []gitlab.JobsOptions{{Scope: completed[:1], PerPage: 20}}, []gitlab.PipelinesOptions{{Ref: "main"}},
		},
		"of one source": {
			resolve.Query{Ref: "main", Sources: []string{"schedule"}}, artifacts, fakeAPI{}, nil, []gitlab.PipelinesOptions{{Ref: "main", Status: "success", Source: "schedule"}},
		},
	} {
		tt.query.Project, tt.query.Jobs = "7", []string{"build"}
		_ = tt.find(resolve.New(resolve.Options{API: &tt.api, JobToken: true}), tt.query)
		if diff := cmp.Diff(tt.jobs, tt.api.jobsOptions); diff != "" {
			t.Errorf("%s: jobs: %s", name, diff)
		}
		if diff := cmp.Diff(tt.pipelines, tt.api.pipelinesOptions); diff != "" {
			t.Errorf("%s: pipelines: %s", name, diff)
		}
		tt.api = fakeAPI{}
	}
}

func onRef(r *resolve.Resolver, q resolve.Query) error {
	_, err := r.OnRef(context.Background(), q)
	return err
}

func artifacts(r *resolve.Resolver, q resolve.Query) error {
	_, err := r.Artifacts(context.Background(), q)
	return err
}

// Endless lists are read and searched only up to the promised limits.
func TestPipelinesAreReadAsFarAsTheyHelp(t *testing.T) {
	t.Parallel()
	const many = 250
	pipelines := func(ref, status string) (list []gitlab.Pipeline) {
		for i := range many {
			p := at(0, int64(1000-i), ref, status)
			p.SHA = fullSHA
			list = append(list, p)
		}
		return list
	}
	for name, tt := range map[string]struct {
		query    resolve.Query
		list     []gitlab.Pipeline
		rows     int // of pipelines
		searched int // pipelines
	}{
		"a commit's":            {resolve.Query{SHA: fullSHA}, pipelines("main", "failed"), 100, 100},
		"a merge request's":     {resolve.Query{MergeRequest: 3}, pipelines("refs/merge-requests/3/head", "failed"), 300, 100}, // in three lists
		"the newest":            {resolve.Query{Ref: "main", Latest: true}, pipelines("main", "failed"), 1, 1},
		"the newest successful": {resolve.Query{Ref: "main"}, pipelines("main", "success"), 1, 1},
		"recent":                {resolve.Query{Ref: "main", Recent: true}, pipelines("main", "success"), 100, 100},
		"any":                   {resolve.Query{Ref: "main", AnyPipeline: true}, pipelines("main", "failed"), 100, 100},
		"too old":               {resolve.Query{Ref: "main", Recent: true, MaxAge: time.Hour}, pipelines("main", "success"), 1, 0},
	} {
		api := &fakeAPI{pipelines: tt.list}
		tt.query.Project, tt.query.Jobs = "7", []string{"build"}
		_, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), tt.query)
		if missing, ok := errors.AsType[*resolve.NotFoundError](err); !ok || api.pipelineRows != tt.rows || api.jobsAsked != tt.searched || tt.searched > 0 && missing.Pipeline != 1000 {
			t.Errorf("%s: %d rows, %d pipelines searched: %v", name, api.pipelineRows, api.jobsAsked, err)
		}
	}
	// The newest twenty of a ref probably include the newest successful one.
	for behind, lists := range map[int]int{19: 1, 20: 2} {
		list := slices.Concat(pipelines("main", "running")[:behind], []gitlab.Pipeline{at(0, 5, "main", "success")})
		api := &fakeAPI{pipelines: list, jobs: []gitlab.Job{job(9, "build", list[behind])}}
		if a, err := resolve.New(resolve.Options{API: api}).OnRef(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}); err != nil || a.JobID != 9 || api.pipelinesAsked != lists {
			t.Errorf("behind %d others: %d lists, %+v, %v", behind, api.pipelinesAsked, a, err)
		}
	}
}

// When a ref's pipelines settled is known only if all newer pipelines have ended, and the
// last change of all is known.
func TestSettledOfNewestPipelines(t *testing.T) {
	t.Parallel()
	main := at(20, 100, "main", "success")
	for status, known := range map[string]bool{
		"failed": true, "canceled": true, "skipped": true, "failed at an unknown time": false,
		"created": false, "preparing": false, "waiting_for_resource": false, "pending": false, "running": false, "manual": false, "scheduled": false, "canceling": false, "new": false,
	} {
		newer := at(50, 130, "main", status)
		if status == "failed at an unknown time" {
			newer.Status, newer.UpdatedAt = "failed", nil
		}
		api := &fakeAPI{pipelines: []gitlab.Pipeline{newer, main}, jobs: []gitlab.Job{job(9, "build", main)}}
		a, err := resolve.New(resolve.Options{API: api}).OnRef(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}})
		if err != nil || a.Settled.IsZero() == known || known && !a.Settled.Equal(*newer.UpdatedAt) {
			t.Errorf("%s: %v, %v", status, a.Settled, err)
		}
	}
}

// tree is a server with pipeline 1 and the children that of returns for each parent.
func tree(of map[int64][]int64) *server {
	s := &server{pipelines: []gitlab.Pipeline{{ID: 1, Ref: "main", SHA: fullSHA, Status: "running", Source: "push"}}, bridges: map[int64][]gitlab.Bridge{}, jobs: map[int64][]gitlab.Job{}}
	for parent, children := range of {
		for _, id := range children {
			p := gitlab.Pipeline{ID: id, SHA: fullSHA, Source: "parent_pipeline"}
			s.bridges[parent] = append(s.bridges[parent], gitlab.Bridge{ID: id * 10, DownstreamPipeline: &p})
			s.pipelines = append(s.pipelines, p)
		}
	}
	return s
}

// A tree of pipelines is searched up to ten levels deep, at most two hundred pipelines,
// each once.
func TestTreeIsBounded(t *testing.T) {
	t.Parallel()
	deep, wide := map[int64][]int64{}, map[int64][]int64{}
	for id := int64(1); id < 20; id++ {
		deep[id] = []int64{id + 1}
	}
	for id := int64(2); id < 300; id++ {
		wide[1] = append(wide[1], id)
	}
	for name, tt := range map[string]struct {
		of              map[int64][]int64
		pipelines, more int // that were searched for jobs, and for children
	}{
		"deep":   {deep, 11, 10},
		"wide":   {wide, 200, 200},
		"cyclic": {map[int64][]int64{1: {2, 3}, 2: {3, 1}, 3: {2, 3}}, 3, 3},
	} {
		api := tree(tt.of)
		_, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: 1, Jobs: []string{"build"}})
		if jobs, bridges := counted(api.asked, "jobs of "), counted(api.asked, "bridges of "); err == nil || jobs != tt.pipelines || bridges != tt.more || strings.Contains(err.Error(), "the first 200 below it") != (name == "wide") {
			t.Errorf("%s: jobs of %d, children of %d: %v", name, jobs, bridges, err)
		}
	}
	// The root of a pipeline is older than the pipeline, and so are all pipelines between
	// them.
	api := tree(map[int64][]int64{1: {2, 9}, 2: {5}, 9: {10}})
	if q, err := resolve.New(resolve.Options{API: api}).Concrete(t.Context(), resolve.Query{Project: "7", PipelineID: 5, Root: true}); err != nil || q.PipelineID != 1 || slices.Contains(api.asked, "bridges of 9") {
		t.Errorf("root %d after %q: %v", q.PipelineID, api.asked, err)
	}
}

func counted(asked []string, prefix string) (n int) {
	for _, what := range asked {
		if strings.HasPrefix(what, prefix) {
			n++
		}
	}
	return n
}

// If none of several pipelines has the job, the error is about the newest.
func TestMissingInTheNewest(t *testing.T) {
	t.Parallel()
	pipelines := []gitlab.Pipeline{at(30, 30, "main", "success"), at(20, 20, "main", "success"), at(10, 10, "main", "success")}
	jobs := map[int64][]gitlab.Job{}
	for i := range pipelines {
		pipelines[i].SHA = fullSHA
		jobs[pipelines[i].ID] = []gitlab.Job{done(pipelines[i].ID, fmt.Sprint("build", pipelines[i].ID), pipelines[i].ID)}
	}
	for name, q := range map[string]resolve.Query{"recent": {Ref: "main", Recent: true}, "a commit": {SHA: fullSHA}, "any": {Ref: "main", AnyPipeline: true}} {
		q.Project, q.Jobs = "7", []string{"build"}
		_, err := resolve.New(resolve.Options{API: &server{pipelines: pipelines, jobs: jobs}}).Artifacts(t.Context(), q)
		if missing, ok := errors.AsType[*resolve.NotFoundError](err); !ok || missing.Pipeline != 30 || !slices.Equal(missing.Near, []string{"build30"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The project's list of jobs is read only as far back as it may help: two thousand jobs,
// or for several pipelines of a commit, one page beyond the last of them.
func TestProjectsJobsAreReadAsFarAsTheyHelp(t *testing.T) {
	t.Parallel()
	newer, older := at(50, 50, "main", "success"), at(10, 10, "main", "success")
	newer.SHA, older.SHA = fullSHA, fullSHA
	others := func(n int) (list []gitlab.Job) {
		for i := range n {
			list = append(list, created(20, job(int64(5000-i), "build", at(20, 20, "feature", "success"))))
		}
		return list
	}
	first, last := created(50, job(9000, "lint", newer)), created(10, job(1, "build", older))
	for name, tt := range map[string]struct {
		query resolve.Query
		all   []gitlab.Job
		rows  int
		found int64
		says  string
	}{
		"none":                     {resolve.Query{Ref: "main", Latest: true}, others(2500), 2000, 0, "among the project's newest 2000 jobs"},
		"one":                      {resolve.Query{Ref: "main", Latest: true}, others(1), 1, 0, "in the project's list of jobs, which has one"},
		"no job at all":            {resolve.Query{Ref: "main", Latest: true}, nil, 0, 0, "in the project's list of jobs, which is empty"},
		"of a commit":              {resolve.Query{SHA: fullSHA}, slices.Concat([]gitlab.Job{first}, others(99), []gitlab.Job{last}), 101, 1, ""},
		"of a commit, far between": {resolve.Query{SHA: fullSHA}, slices.Concat([]gitlab.Job{first}, others(500), []gitlab.Job{last}), 102, 0, `no job "build"`},
		"of the newest pipeline":   {resolve.Query{Ref: "main", Latest: true}, slices.Concat([]gitlab.Job{first}, others(500), []gitlab.Job{last}), 2, 0, `no job "build"`},
	} {
		api := &fakeAPI{pipelinesErr: denied, all: tt.all}
		tt.query.Project, tt.query.Jobs = "7", []string{"build"}
		found, err := resolve.New(resolve.Options{API: api, JobToken: true}).Artifacts(t.Context(), tt.query)
		switch {
		case api.jobRows != tt.rows:
			t.Errorf("%s: %d rows, want %d", name, api.jobRows, tt.rows)
		case tt.found == 0 && (err == nil || !strings.Contains(err.Error(), tt.says)), tt.found != 0 && (err != nil || found[0].JobID != tt.found):
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

// In a list of jobs, a child belongs to the newest older pipeline of its commit.
func TestChildInAListOfJobs(t *testing.T) {
	t.Parallel()
	child, parent, older := at(22, 25, "main", "success"), at(20, 20, "main", "success"), at(10, 10, "main", "success")
	child.Source, child.SHA, parent.SHA, older.SHA = "parent_pipeline", fullSHA, fullSHA, fullSHA
	api := &fakeAPI{pipelinesErr: denied, all: []gitlab.Job{created(22, job(3, "build", child)), created(20, job(2, "lint", parent)), created(10, job(1, "lint", older))}}
	found, err := resolve.New(resolve.Options{API: api, JobToken: true}).Artifacts(t.Context(), resolve.Query{Project: "7", Ref: "main", Latest: true, Jobs: []string{"build"}})
	if err != nil || found[0].JobID != 3 {
		t.Errorf("%+v, %v", found, err)
	}
}
