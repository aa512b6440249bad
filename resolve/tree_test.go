package resolve_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// forest is a set of pipelines with their jobs and the pipelines that they triggered.
type forest struct {
	fakeAPI
	jobsOf   map[int64][]gitlab.Job
	children map[int64][]gitlab.Pipeline
	asked    int
}

func (f *forest) PipelineJobs(_ context.Context, _ gitlab.Project, pipeline int64, _ gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	f.asked++
	if f.jobsOf[pipeline] == nil {
		return rows[gitlab.Job](nil, missing)
	}
	return rows(f.jobsOf[pipeline], nil)
}

func (f *forest) Bridges(_ context.Context, _ gitlab.Project, pipeline int64, retried bool) iter.Seq2[gitlab.Bridge, error] {
	f.asked++
	var bridges []gitlab.Bridge
	for i, child := range f.children[pipeline] {
		if retried || i == 0 { // the first is the newest; the others were retried
			bridges = append(bridges, gitlab.Bridge{ID: int64(1000 - i), DownstreamPipeline: &child})
		}
	}
	bridges = append(bridges, gitlab.Bridge{ID: 1}) // it triggered nothing
	return rows(bridges, nil)
}

// The forest: 10 has triggered 11 and, after a retry, 12; 12 has triggered 13,
// which points back to 10; 20 is of another project.
func newForest() *forest {
	child := func(id int64) gitlab.Pipeline {
		return gitlab.Pipeline{ID: id, ProjectID: 7, Source: "parent_pipeline"}
	}
	return &forest{
		fakeAPI: fakeAPI{pipelines: []gitlab.Pipeline{{ID: 10, Ref: "main", Status: "success", Source: "push"}}},
		jobsOf: map[int64][]gitlab.Job{
			10: {done(101, "build", 10), failed(102, "lint", 10)},
			11: {done(111, "build", 11), done(112, "shared", 11), done(113, "old", 11)},
			12: {done(122, "shared", 12), done(123, "lint", 12)},
			13: {done(131, "deep", 13)},
			20: {done(201, "package", 20)},
		},
		children: map[int64][]gitlab.Pipeline{
			10: {child(12), child(11), {ID: 20, ProjectID: 8, Source: "pipeline"}},
			12: {child(13)},
			13: {{ID: 10, ProjectID: 7, Source: "parent_pipeline"}},
		},
	}
}

func done(id int64, name string, pipeline int64) gitlab.Job {
	return gitlab.Job{ID: id, Name: name, Status: "success", Pipeline: gitlab.Pipeline{ID: pipeline}, ArtifactsFile: &gitlab.ArtifactsFile{Size: 1}}
}

func failed(id int64, name string, pipeline int64) gitlab.Job {
	job := done(id, name, pipeline)
	job.Status = "failed"
	return job
}

func TestTree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		query resolve.Query
		want  []int64
		err   any
		asked int
	}{
		{"the parent's own", resolve.Query{PipelineID: 10, Jobs: []string{"build"}}, []int64{101}, nil, 1},
		{"the newest child's, not the older one's", resolve.Query{PipelineID: 10, Jobs: []string{"shared"}}, []int64{122}, nil, 3},
		{"what only the older child has", resolve.Query{PipelineID: 10, Jobs: []string{"old"}}, []int64{113}, nil, 5},
		{"level by level, and not in circles", resolve.Query{PipelineID: 10, Jobs: []string{"deep"}}, []int64{131}, nil, 7},
		{"not there", resolve.Query{PipelineID: 10, Jobs: []string{"none"}}, nil, new(*resolve.NotFoundError), 8},
		{"not of another project", resolve.Query{PipelineID: 10, Jobs: []string{"package"}}, nil, new(*resolve.NotFoundError), 8},
		{"unless it may be", resolve.Query{PipelineID: 10, Jobs: []string{"package"}, Downstream: true}, []int64{201}, nil, 3},
		{"the parent's failed job hides the child's", resolve.Query{PipelineID: 10, Jobs: []string{"lint"}}, nil, new(*resolve.StateError), 1},
		{"and counts with AnyStatus", resolve.Query{PipelineID: 10, Jobs: []string{"lint"}, AnyStatus: true}, []int64{102}, nil, 1},
		{"by the server's order the older child comes first", resolve.Query{Ref: "main", Jobs: []string{"shared"}}, []int64{112}, nil, 3},
		{"a pattern takes one of each name", resolve.Query{PipelineID: 10, Jobs: []string{"{b,s}*"}}, []int64{101, 122}, nil, 8},
		{"no such pipeline", resolve.Query{PipelineID: 99, Jobs: []string{"build"}}, nil, new(*resolve.NotFoundError), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := newForest()
			tt.query.Project = "7"
			found, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), tt.query)
			if tt.err != nil {
				if !errors.As(err, tt.err) {
					t.Errorf("error = %v, want a %T", err, tt.err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, a := range found {
				got = append(got, a.JobID)
			}
			if !slices.Equal(got, tt.want) || api.asked != tt.asked {
				t.Errorf("jobs %v in %d requests, want %v in %d", got, api.asked, tt.want, tt.asked)
			}
		})
	}
}

// A job of another project is fetched from that project.
func TestDownstreamProject(t *testing.T) {
	t.Parallel()
	found, err := resolve.New(resolve.Options{API: newForest()}).Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: 10, Jobs: []string{"package"}, Downstream: true})
	if err != nil || len(found) != 1 || found[0].Project != "8" {
		t.Errorf("%+v, %v", found, err)
	}
}

// A refused request isn't repeated.
func TestRefusalsAreRemembered(t *testing.T) {
	t.Parallel()
	api := &fakeAPI{pipelinesErr: nobody}
	r := resolve.New(resolve.Options{API: api})
	for range 3 {
		if _, err := r.Artifacts(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}); err != nil {
			t.Fatal(err)
		}
	}
	if api.pipelinesYielded != 1 {
		t.Errorf("asked %d times", api.pipelinesYielded)
	}
}
