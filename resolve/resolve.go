package resolve

import (
	"context"
	"iter"

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

// Options configure a [Resolver]. API is required.
type Options struct {
	API API
	// JobToken says that the token is a CI/CD job token. Only job tokens meet the
	// licence check that answers "404 Project Not Found".
	JobToken bool
	// OnSkip is called for each downstream pipeline that the token can't read, so that
	// its jobs didn't count. Nil means not to report them.
	OnSkip func(error)
}

// Resolver resolves queries with one token. It remembers which lists GitLab has refused
// to that token. Safe for concurrent use.
type Resolver struct {
	api      API
	jobToken bool
	onSkip   func(error)
	lists    *lists
}

// New returns a Resolver.
func New(o Options) *Resolver {
	if o.OnSkip == nil {
		o.OnSkip = func(error) {}
	}
	return &Resolver{api: o.API, jobToken: o.JobToken, onSkip: o.OnSkip, lists: newLists(o.API)}
}

// Artifacts returns the archives that q means, with the addresses to download them
// from: one for each name in q, or an error. It makes no request for a job id; for a
// ref and names at most two lists of one page each, if the newest successful pipeline
// itself has the jobs; in a tree of pipelines two for each.
func (r *Resolver) Artifacts(ctx context.Context, q Query) ([]Artifact, error) {
	switch {
	case q.JobID != 0:
		return []Artifact{{
			Project: q.Project, JobID: q.JobID, Found: ByID,
			URL: r.api.ArchiveURL(gitlab.Project(q.Project), q.JobID),
		}}, nil
	case q.Exact():
		found, err := r.fromTree(ctx, q)
		return found, r.unlistable(err, q)
	}
	found, err := r.fromRef(ctx, q)
	return found, r.unlistable(err, q)
}

// unlistable explains why GitLab refused a list. Most job tokens are refused because
// the server is too old to know them there. Errors that are explained already stay as
// they are.
func (r *Resolver) unlistable(err error, q Query) error {
	if is[reasoner](err) {
		return err
	}
	if r.jobToken && Refused(err) {
		return &ClosedError{q, err}
	}
	return r.interpret(err, q, Artifact{})
}

// Describe completes an artifact that was found by its id. Job tokens may not read
// single jobs; with them, it returns the artifact as it is.
func (r *Resolver) Describe(ctx context.Context, a Artifact) (Artifact, error) {
	if a.Found != ByID {
		return a, nil
	}
	job, err := r.api.Job(ctx, gitlab.Project(a.Project), a.JobID)
	switch {
	case Refused(err):
		return a, nil
	case err != nil:
		return a, r.interpret(err, Query{Project: a.Project, JobID: a.JobID}, a)
	}
	return r.pinned(candidate{job, a.Project}, ByID)
}
