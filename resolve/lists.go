package resolve

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"sync"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// lists are the API's lists. A list that GitLab refused isn't requested again.
type lists struct {
	api Lister

	mu      sync.Mutex
	refused map[string]error // by list and project
}

func newLists(api Lister) *lists { return &lists{api: api, refused: map[string]error{}} }

func (l *lists) pipelines(ctx context.Context, project string, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error] {
	return unlessRefused(l, "pipelines of "+project, l.api.Pipelines(ctx, gitlab.Project(project), o))
}

func (l *lists) jobs(ctx context.Context, project string, pipeline int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	return unlessRefused(l, "jobs of pipelines of "+project, l.api.PipelineJobs(ctx, gitlab.Project(project), pipeline, o))
}

func (l *lists) bridges(ctx context.Context, project string, pipeline int64) iter.Seq2[gitlab.Bridge, error] {
	return unlessRefused(l, "bridges of "+project, l.api.Bridges(ctx, gitlab.Project(project), pipeline, true))
}

func (l *lists) projectJobs(ctx context.Context, project string, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error] {
	return unlessRefused(l, "jobs of "+project, l.api.ProjectJobs(ctx, gitlab.Project(project), o))
}

// unlessRefused returns a list. Once GitLab has refused it, the list yields the refusal
// again without a request.
func unlessRefused[T any](l *lists, name string, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if refusal := l.refusal(name); refusal != nil {
			var none T
			yield(none, refusal)
			return
		}
		for row, err := range list {
			if Refused(err) {
				l.remember(name, err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func (l *lists) refusal(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused[name]
}

func (l *lists) remember(name string, refusal error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[name] = refusal
}

// Refused reports whether err means that the token may not use an endpoint. If an
// endpoint doesn't accept job tokens, GitLab treats the request as anonymous and
// answers 401, or "404 Project Not Found" if the project is private.
func Refused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return false
	}
	return refusal.StatusCode == http.StatusUnauthorized || refusal.StatusCode == http.StatusForbidden || refusal.ProjectNotFound()
}
