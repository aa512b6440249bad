package resolve

import (
	"context"
	"errors"
	"iter"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Lister is the part of [gitlab.Client] that returns lists.
type Lister interface {
	Pipelines(ctx context.Context, project gitlab.Project, o gitlab.PipelinesOptions) iter.Seq2[gitlab.Pipeline, error]
	PipelineJobs(ctx context.Context, project gitlab.Project, pipeline int64, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error]
	ProjectJobs(ctx context.Context, project gitlab.Project, o gitlab.JobsOptions) iter.Seq2[gitlab.Job, error]
	Bridges(ctx context.Context, project gitlab.Project, pipeline int64, retried bool) iter.Seq2[gitlab.Bridge, error]
}

// Reader is the part of [gitlab.Client] that returns single objects.
type Reader interface {
	CurrentJob(ctx context.Context) (gitlab.Job, error)
	Job(ctx context.Context, project gitlab.Project, job int64) (gitlab.Job, error)
	Pipeline(ctx context.Context, project gitlab.Project, pipeline int64) (gitlab.Pipeline, error)
	MergeRequest(ctx context.Context, project gitlab.Project, iid int64) (gitlab.MergeRequest, error)
	DefaultBranch(ctx context.Context, project gitlab.Project) (string, error)
	Commit(ctx context.Context, project gitlab.Project, sha string) (gitlab.Commit, error)
	RefArchiveExists(ctx context.Context, project gitlab.Project, ref, job string) error
}

// Addresser is the part of [gitlab.Client] that returns the addresses of archives.
type Addresser interface {
	ArchiveURL(project gitlab.Project, job int64) string
	ReportURL(project gitlab.Project, job int64, kind string) string
	RefArchiveURL(project gitlab.Project, ref, job string) string
	RunnerArchiveURL(job int64) string
	RunnerProxyURL(job int64) string
	DownloadModeURL(project gitlab.Project, job int64, mode string) string
}

// API is the part of [gitlab.Client] that resolving needs.
type API interface {
	Lister
	Addresser
	Reader
}

// Options configure a [Resolver]. API is required.
type Options struct {
	API API
	// JobToken says that the token is a CI/CD job token. Only job tokens are subject to
	// the license check that answers "404 Project Not Found".
	JobToken bool
	// OwnPipeline is the pipeline of the job that the job token belongs to: GitLab accepts
	// that token only while the job runs, so until then the pipeline can't succeed. Zero
	// means unknown.
	OwnPipeline int64
	// OnSkip is called for each downstream pipeline that the token can't read, so its
	// jobs don't count. Nil means not to report them.
	OnSkip func(error)
	// OnPass is called for each ref without the jobs if another ref follows, with the
	// reason. Nil means not to report them.
	OnPass func(ref string, because error)
	// Branches are default branches that are known without a request, by the project's ID
	// or path.
	Branches map[string]string
}

// Resolver resolves queries with one token. It remembers which lists GitLab has refused
// to that token. It is safe for concurrent use.
type Resolver struct {
	api      API
	jobToken bool
	own      int64 // pipeline
	onSkip   func(error)
	onPass   func(string, error)
	branches map[string]string
	lists    *lists
}

// New returns a Resolver.
func New(o Options) *Resolver {
	if o.OnSkip == nil {
		o.OnSkip = func(error) {}
	}
	if o.OnPass == nil {
		o.OnPass = func(string, error) {}
	}
	return &Resolver{api: o.API, jobToken: o.JobToken, own: o.OwnPipeline, onSkip: o.OnSkip, onPass: o.OnPass, branches: o.Branches, lists: newLists(o.API)}
}

// Artifacts returns the archives of q with the addresses to download them from: one for
// each name in q, or an error. With Reports, it returns reports instead of archives: one
// for each job and type. For a job ID it makes no request; for a ref and names at most
// two lists of one page each, if the newest successful pipeline itself has the jobs; in a
// tree of pipelines two for each. With several refs, it takes all jobs from the first one
// that has them.
func (r *Resolver) Artifacts(ctx context.Context, q Query) ([]Artifact, error) {
	found, err := r.jobs(ctx, q)
	if err != nil {
		return found, err
	}
	return r.reportsOf(q, found)
}

// jobs returns the jobs of q with their archives.
func (r *Resolver) jobs(ctx context.Context, q Query) ([]Artifact, error) {
	q.Latest = q.Latest || q.Bare && !q.Exact()
	if q.JobID != 0 {
		a, err := r.byID(ctx, q)
		return []Artifact{a}, err
	}
	if q.ofRef() {
		return r.firstRef(ctx, r.Settle(q))
	}
	return r.fromExact(ctx, q)
}

// fromExact returns the jobs from a pipeline, or from those of a commit or merge request.
func (r *Resolver) fromExact(ctx context.Context, q Query) ([]Artifact, error) {
	if q.Root {
		var err error
		if q, err = r.Concrete(ctx, q); err != nil {
			return nil, err
		}
	}
	find := r.fromTree
	if q.Base != "" {
		find = r.fromBase
	}
	found, err := find(ctx, q)
	return found, r.withoutPipelines(ctx, q, r.unlistable(err, q))
}

// unlistable explains why GitLab refused a list. Usually the server is too old to accept
// job tokens there. It returns explained errors unchanged.
func (r *Resolver) unlistable(err error, q Query) error {
	if is[reasoner](err) {
		return err
	}
	if r.jobToken && Refused(err) {
		return &ClosedError{q, err}
	}
	return r.interpret(err, q, Artifact{})
}

// Describe completes an artifact that was found by its ID. Job tokens can't read single
// jobs; with them, it returns the artifact unchanged.
func (r *Resolver) Describe(ctx context.Context, a Artifact) (Artifact, error) {
	if a.Found != ByID || a.Report.Type != "" {
		return a, nil
	}
	job, err := r.api.Job(ctx, gitlab.Project(a.Project), a.JobID)
	switch {
	case Refused(err):
		return a, nil
	case err != nil:
		return a, r.interpret(err, Query{Project: a.Project, JobID: a.JobID}, a)
	}
	return r.available(Query{}, candidate{job, a.Project}, ByID)
}

// withoutPipelines adds to the error about a merge request without pipelines whether it
// exists, and its source branch, whose pipelines may have the job.
func (r *Resolver) withoutPipelines(ctx context.Context, q Query, err error) error {
	missing, ok := errors.AsType[*NotFoundError](err)
	if !ok || q.MergeRequest == 0 || missing.What != "pipeline" {
		return err
	}
	m, lookup := r.api.MergeRequest(ctx, gitlab.Project(q.Project), q.MergeRequest)
	switch {
	case lookup == nil:
		missing.MergeRequest = &m
	case Refused(lookup):
		missing.Unseen = true
	case errors.Is(lookup, gitlab.ErrNotFound):
		missing.What, missing.Seen, missing.Err = "merge request", "", lookup
	default:
		return lookup // it isn't known what the number belongs to
	}
	return err
}
