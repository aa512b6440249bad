package resolve

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Lister is the part of [gitlab.Client] that lists.
type Lister interface {
	Pipelines(ctx context.Context, project gitlab.Project, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error]
	PipelineJobs(ctx context.Context, project gitlab.Project, pipeline int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error]
	ProjectJobs(ctx context.Context, project gitlab.Project, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error]
	Bridges(ctx context.Context, project gitlab.Project, pipeline int64, retried bool) iter.Seq2[gitlab.Bridge, error]
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
	CurrentJob(ctx context.Context) (gitlab.Job, error)
	Job(ctx context.Context, project gitlab.Project, job int64) (gitlab.Job, error)
}

// Resolver resolves queries with one token. It remembers what the token was
// refused. Safe for concurrent use.
type Resolver struct {
	API API
	// JobToken tells that the token is a job's. Only job tokens meet the
	// licence check that answers "404 Project Not Found".
	JobToken bool
	// OnSkip, if set, is told of each downstream pipeline that this token cannot
	// read, so that its jobs did not count.
	OnSkip func(error)

	lists rungs
}

func (r *Resolver) rungs() *rungs {
	r.lists.mu.Lock()
	defer r.lists.mu.Unlock()
	if r.lists.api == nil { // written once: others may be reading it
		r.lists.api = r.API
	}
	return &r.lists
}

// Artifacts returns the archives that q means, with where to download them: of
// all names in it, or an error. It makes no request for a job id; for a ref and
// names at most two lists of a page, if the newest successful pipeline itself has
// the jobs; in a tree of pipelines two for each.
func (r *Resolver) Artifacts(ctx context.Context, q Query) ([]Artifact, error) {
	switch {
	case q.JobID != 0:
		return []Artifact{{
			Project: q.Project, JobID: q.JobID, Found: ByID,
			URL: r.API.ArchiveURL(gitlab.Project(q.Project), q.JobID),
		}}, nil
	case q.Exact():
		found, err := r.fromTree(ctx, q)
		return found, r.unlistable(err, q)
	}
	found, err := r.fromRef(ctx, q)
	return found, r.unlistable(err, q)
}

// unlistable explains why a list was refused. Most job tokens are refused not for
// what they are but for the server's age. What is explained already stays so.
func (r *Resolver) unlistable(err error, q Query) error {
	if is[reasoner](err) {
		return err
	}
	if r.JobToken && Refused(err) {
		return &ClosedError{q, err}
	}
	return r.explain(err, q, Artifact{})
}

// Describe completes what is known of an artifact that was named by its id. Job
// tokens may not ask for that; then it stays as it is.
func (r *Resolver) Describe(ctx context.Context, a Artifact) (Artifact, error) {
	if a.Found != ByID {
		return a, nil
	}
	job, err := r.API.Job(ctx, gitlab.Project(a.Project), a.JobID)
	switch {
	case Refused(err):
		return a, nil
	case err != nil:
		return a, r.explain(err, Query{Project: a.Project, JobID: a.JobID}, a)
	}
	return r.pinned(Query{Project: a.Project}, job, ByID)
}

// Fallback returns the next place to look for a's archive after its download
// was refused with err. If no rung is left, it returns err, explained. What is
// no refusal comes back as it is.
func (r *Resolver) Fallback(ctx context.Context, q Query, a Artifact, err error) (Artifact, error) {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return a, err
	}
	if a.JobName != "" {
		q.Jobs = []string{a.JobName}
	}
	missing := refusal.StatusCode == http.StatusNotFound && !refusal.FromStorage && !refusal.ProjectNotFound()
	switch {
	case missing && a.Found == ByRef:
		// The route does not say what is missing, and ignores Recent if it is too old.
		return r.instead(ctx, q, a, err)
	case missing:
		return a, r.missing(ctx, q, a, err)
	case !r.JobToken || a.runner || !refusal.ProjectNotFound():
		return a, r.explain(err, q, a)
	}
	if a.JobID == 0 {
		if a, err = r.instead(ctx, q, a, err); err != nil {
			return a, err
		}
	}
	a.URL, a.runner = r.API.RunnerArchiveURL(a.JobID), true
	return a, nil
}

// instead finds the job in the project's list of jobs, after the by-ref route was
// refused with err. What it does not find there, it says, if it may look; but where
// the list does not go back to the ref's pipelines, the server knows better.
func (r *Resolver) instead(ctx context.Context, q Query, a Artifact, err error) (Artifact, error) {
	found, listErr := r.fromProject(ctx, q)
	if listErr == nil && len(found) == 1 {
		return found[0], nil
	}
	missing, ok := errors.AsType[*NotFoundError](listErr)
	if mayBeElsewhere(listErr) && (q.Recent || !ok || !missing.cut) {
		return a, listErr
	}
	return a, r.explain(err, q, a)
}
