package resolve

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"sync"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// rungs are the lists of the API. One that refused this token is not asked again.
type rungs struct {
	api API

	mu     sync.Mutex
	closed map[string]error // rung and project → the refusal
}

func (r *rungs) pipelines(ctx context.Context, project string, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error] {
	return once(r, "pipelines of "+project, r.api.Pipelines(ctx, gitlab.Project(project), o))
}

func (r *rungs) jobs(ctx context.Context, project string, pipeline int64) iter.Seq2[gitlab.Job, error] {
	return once(r, "jobs of pipelines of "+project, r.api.PipelineJobs(ctx, gitlab.Project(project), pipeline, gitlab.JobsOptions{}))
}

func (r *rungs) bridges(ctx context.Context, project string, pipeline int64) iter.Seq2[gitlab.Bridge, error] {
	return once(r, "bridges of "+project, r.api.Bridges(ctx, gitlab.Project(project), pipeline, true))
}

func (r *rungs) projectJobs(ctx context.Context, project string) iter.Seq2[gitlab.Job, error] {
	return once(r, "jobs of "+project, r.api.ProjectJobs(ctx, gitlab.Project(project), gitlab.JobsOptions{}))
}

// once is a list that is not asked again after it has refused.
func once[T any](r *rungs, rung string, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r.mu.Lock()
		refusal := r.closed[rung]
		r.mu.Unlock()
		if refusal != nil {
			var none T
			yield(none, refusal)
			return
		}
		for row, err := range list {
			if Refused(err) {
				r.mu.Lock()
				if r.closed == nil {
					r.closed = map[string]error{}
				}
				r.closed[rung] = err
				r.mu.Unlock()
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// Refused reports whether err only says that this token may not ask this: a job
// token that a route does not know is taken for nobody, who gets 401 or, for a
// private project, the 404 of a project that is not there.
func Refused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return false
	}
	return refusal.StatusCode == http.StatusUnauthorized || refusal.StatusCode == http.StatusForbidden || refusal.ProjectNotFound()
}
