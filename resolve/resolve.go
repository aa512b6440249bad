package resolve

import (
	"context"
	"iter"
	"net/http"

	"errors"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Lister is the part of [gitlab.Client] that lists.
type Lister interface {
	Pipelines(ctx context.Context, project gitlab.Project, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error]
	PipelineJobs(ctx context.Context, project gitlab.Project, pipeline int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error]
	ProjectJobs(ctx context.Context, project gitlab.Project, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error]
}

// Addresser is the part of [gitlab.Client] that knows where archives are.
type Addresser interface {
	ArchiveURL(project gitlab.Project, job int64) string
	RefArchiveURL(project gitlab.Project, ref, job string, recent bool) string
	RunnerArchiveURL(job int64) string
}

// API is what resolving needs of [gitlab.Client].
type API interface {
	Lister
	Addresser
}

// Resolver resolves queries with one token.
type Resolver struct {
	API API
	// JobToken tells that the token is a job's. Only job tokens meet the
	// licence check that answers "404 Project Not Found".
	JobToken bool
}

// Artifacts returns the archive that q means, with where to download it. It
// makes no request for a job id, and at most two lists of one page otherwise,
// unless a pipeline has more than a hundred jobs.
func (r *Resolver) Artifacts(ctx context.Context, q Query) ([]Artifact, error) {
	if q.JobID != 0 {
		return []Artifact{{
			Project: q.Project, JobID: q.JobID, Found: ByID,
			URL: r.API.ArchiveURL(gitlab.Project(q.Project), q.JobID),
		}}, nil
	}
	pinned, err := r.pin(ctx, q)
	switch {
	case err == nil && pinned != nil:
		return []Artifact{*pinned}, nil
	case err != nil && !refused(err):
		return nil, r.explain(err, q, Artifact{})
	}
	return []Artifact{{
		Project: q.Project, Ref: q.Ref, JobName: q.Job, Found: ByRef,
		URL: r.API.RefArchiveURL(gitlab.Project(q.Project), q.Ref, q.Job, false),
	}}, nil
}

// Fallback returns the next place to look for a's archive after its download
// was refused with err. If no rung is left, it returns err, explained. What is
// no refusal comes back as it is.
func (r *Resolver) Fallback(ctx context.Context, q Query, a Artifact, err error) (Artifact, error) {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return a, err
	}
	if !r.JobToken || a.runner || !refusal.ProjectNotFound() {
		return a, r.explain(err, q, a)
	}
	if a.JobID == 0 {
		found, listErr := r.findInProject(ctx, q)
		if listErr != nil || found == nil {
			return a, r.explain(err, q, a)
		}
		a = *found
	}
	a.URL, a.runner = r.API.RunnerArchiveURL(a.JobID), true
	return a, nil
}

// refused reports whether err only says that this token may not ask this: a job
// token that a route does not know is taken for nobody, who gets 401 or, for a
// private project, 404.
func refused(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return false
	}
	switch refusal.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}
