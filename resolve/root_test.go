package resolve_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// family is a server where pipeline 20 has the child 21, which has the child 22; and
// pipelines 10 and 30 ran for the same commit.
func family() *server {
	pipeline := func(id int64, source string) gitlab.Pipeline {
		return gitlab.Pipeline{ID: id, Ref: "main", SHA: fullSHA, Status: "running", Source: source}
	}
	child := func(id int64) []gitlab.Bridge {
		p := pipeline(id, "parent_pipeline")
		return []gitlab.Bridge{{ID: id * 100, DownstreamPipeline: &p}}
	}
	s := &server{
		pipelines: []gitlab.Pipeline{pipeline(30, "schedule"), pipeline(22, "parent_pipeline"), pipeline(21, "parent_pipeline"), pipeline(20, "push"), pipeline(10, "push")},
		bridges:   map[int64][]gitlab.Bridge{20: child(21), 21: child(22)},
		jobs:      map[int64][]gitlab.Job{},
	}
	for i, p := range s.pipelines {
		job := done(p.ID*10+1, "build", p.ID)
		job.Pipeline = s.pipelines[i]
		s.jobs[p.ID] = []gitlab.Job{job}
	}
	return s
}

// The root of a pipeline is the pipeline itself, unless it is a child: then it is the
// pipeline of the same commit that has it as a descendant.
func TestRoot(t *testing.T) {
	t.Parallel()
	listed := "pipelines ref= sha=" + fullSHA + " status="
	for _, tt := range []struct {
		name  string
		id    int64
		want  int64 // 0: the error says so
		says  string
		asked []string
	}{
		{"no child", 30, 30, "", []string{"pipeline 30"}},
		{"a child", 21, 20, "", []string{"pipeline 21", listed, "bridges of 20"}},
		{"a grandchild", 22, 20, "", []string{"pipeline 22", listed, "bridges of 20", "bridges of 21"}},
		{"not there", 99, 0, "there is no such pipeline in project 7: the root of pipeline 99", []string{"pipeline 99"}},
	} {
		api := family()
		found, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: tt.id, Root: true, Jobs: []string{"build"}})
		switch {
		case tt.want == 0:
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", tt.name, err)
			}
		case err != nil || found[0].PipelineID != tt.want:
			t.Errorf("%s: %+v, %v", tt.name, found, err)
		default:
			tt.asked = append(tt.asked, "jobs of "+strings.TrimPrefix(found[0].URL[:4], "7/"))
		}
		if !slices.Equal(api.asked, tt.asked) {
			t.Errorf("%s: asked for %q, want %q", tt.name, api.asked, tt.asked)
		}
	}
	orphan := family()
	delete(orphan.bridges, 20)
	_, err := resolve.New(resolve.Options{API: orphan}).Artifacts(t.Context(), resolve.Query{Project: "7", PipelineID: 22, Root: true, Jobs: []string{"build"}})
	if _, missing := errors.AsType[*resolve.NotFoundError](err); !missing {
		t.Errorf("a child whose parent is gone: %v", err)
	}
}

// A job token that can't list pipelines can tell from a pipeline's jobs that it isn't a
// child. It can't find a child's parents.
func TestRootWithoutPipelines(t *testing.T) {
	t.Parallel()
	query := func(id int64) resolve.Query {
		return resolve.Query{Project: "7", PipelineID: id, Root: true, Jobs: []string{"build"}}
	}
	api := family()
	api.closed = falseOne
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	if found, err := r.Artifacts(t.Context(), query(20)); err != nil || found[0].PipelineID != 20 {
		t.Errorf("%+v, %v", found, err)
	}
	for name, id := range map[string]int64{"a child": 21, "no jobs": 99} {
		_, err := r.Artifacts(t.Context(), query(id))
		if closed, ok := errors.AsType[*resolve.ClosedError](err); !ok || !closed.Query.Root {
			t.Errorf("%s: %v", name, err)
		}
	}
}
