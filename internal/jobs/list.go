package jobs

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Query selects the jobs to list.
type Query struct {
	resolve.Query           // Project; PipelineID, Ref, or Ref with Latest; Sources
	Name           string   // or a glob
	Scope          []string // statuses; none means all
	IncludeRetried bool     // include retried attempts
	WithArtifacts  bool     // only jobs with an unexpired archive
	Limit          int      // 0 means no limit
}

// options returns the options of GitLab's list. Pages aren't larger than needed.
func (q Query) options() gitlab.JobsOptions {
	o := gitlab.JobsOptions{Scope: q.Scope, IncludeRetried: q.IncludeRetried}
	if q.Limit > 0 && q.Name == "" && !q.WithArtifacts && len(q.Sources) == 0 {
		o.PerPage = q.Limit
	}
	return o
}

// How far to search a list with a limit. Without a limit, the search doesn't end early.
const (
	maxSearched  = 10_000 // jobs
	maxPipelines = 1_000
)

// List returns jobs, newest first. It ends with an error that explains a refused list, or
// after Limit jobs.
func (c *Client) List(ctx context.Context, q Query) iter.Seq2[gitlab.Job, error] {
	wanted := resolve.NameMatcher(q.Name)
	return func(yield func(gitlab.Job, error) bool) {
		n, searched := 0, 0
		for job, err := range c.unfiltered(ctx, q) {
			if err != nil {
				yield(job, c.refused(err, q.Query))
				return
			}
			if searched++; c.enough(q, searched, maxSearched) {
				return
			}
			if q.Name != "" && !wanted(job.Name) || q.WithArtifacts && job.ArtifactsFile == nil || !q.FromSource(job.Pipeline.Source) {
				continue
			}
			if n++; !yield(job, nil) || n == q.Limit {
				return
			}
		}
	}
}

// refused explains why GitLab refused a list.
func (c *Client) refused(err error, q resolve.Query) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	_, known := errors.AsType[interface {
		error
		Reason() resolve.Reason
	}](err)
	switch {
	case !ok || known:
		return err
	case c.JobToken && resolve.Refused(err):
		return &resolve.ClosedError{Query: q, Err: err}
	case refusal.StatusCode == http.StatusUnauthorized:
		return &RefusedError{Err: err, NeedsToken: true, hint: "GitLab lists jobs only with a token, even those of public projects: set GITLAB_TOKEN to a token with the scope read_api"}
	case refusal.ProjectNotFound():
		return &resolve.NotFoundError{Query: q, What: "project", Err: err}
	case q.PipelineID != 0 && errors.Is(err, gitlab.ErrNotFound):
		return &resolve.NotFoundError{Query: q, What: "pipeline", Err: err}
	case refusal.StatusCode == http.StatusForbidden:
		return explained(err, target{project: q.Project}, "read_api", "Reporter")
	}
	return err
}

// enough reports whether to end a search, and announces it.
func (c *Client) enough(q Query, searched, most int) bool {
	if q.Limit == 0 || searched <= most {
		return false
	}
	if c.SearchEnded != nil {
		c.SearchEnded(most)
	}
	return true
}

// unfiltered returns the list with the jobs and as few others as possible.
func (c *Client) unfiltered(ctx context.Context, q Query) iter.Seq2[gitlab.Job, error] {
	project := gitlab.Project(q.Project)
	switch {
	case q.Root, q.Ref == resolve.DefaultBranch:
		return c.concrete(ctx, q)
	case q.PipelineID != 0:
		return c.API.PipelineJobs(ctx, project, q.PipelineID, q.options())
	case q.Ref != "":
		return c.refJobs(ctx, q)
	}
	return c.API.ProjectJobs(ctx, project, q.options())
}

// concrete is unfiltered for a query whose pipeline or ref must be requested first.
func (c *Client) concrete(ctx context.Context, q Query) iter.Seq2[gitlab.Job, error] {
	var err error
	if q.Query, err = c.Resolver.Concrete(ctx, q.Query); err != nil {
		return func(yield func(gitlab.Job, error) bool) { yield(gitlab.Job{}, err) }
	}
	return c.unfiltered(ctx, q)
}

// refJobs searches the pipelines of a ref. If the token can't list pipelines, it looks
// for the ref in the project's list of jobs.
func (c *Client) refJobs(ctx context.Context, q Query) iter.Seq2[gitlab.Job, error] {
	return func(yield func(gitlab.Job, error) bool) {
		for pipeline, err := range c.pipelines(ctx, q) {
			if err != nil && c.JobToken && resolve.Refused(err) {
				c.closedRefJobs(ctx, q)(yield)
				return
			}
			if err != nil {
				yield(gitlab.Job{}, err)
				return
			}
			for job, err := range c.API.PipelineJobs(ctx, gitlab.Project(q.Project), pipeline.ID, q.options()) {
				if !yield(job, err) || err != nil {
					return
				}
			}
		}
	}
}

// pipelines returns the pipelines of a ref to search: the newest, which must exist, or
// many.
func (c *Client) pipelines(ctx context.Context, q Query) iter.Seq2[gitlab.Pipeline, error] {
	return func(yield func(gitlab.Pipeline, error) bool) {
		n := 0
		for pipeline, err := range c.API.Pipelines(ctx, gitlab.Project(q.Project), gitlab.PipelinesOptions{Ref: q.Ref, Source: q.SourceFilter()}) {
			if n++; c.enough(q, n, maxPipelines) {
				return
			}
			if err == nil && !q.FromSource(pipeline.Source) {
				continue
			}
			if !yield(pipeline, err) || q.Latest {
				return
			}
		}
		if q.Latest {
			yield(gitlab.Pipeline{}, &resolve.NotFoundError{Query: q.Query, What: "pipeline"})
		}
	}
}

// closedRefJobs finds the jobs of a ref, or of its newest pipeline, without a list of
// pipelines.
func (c *Client) closedRefJobs(ctx context.Context, q Query) iter.Seq2[gitlab.Job, error] {
	if !q.Latest {
		return c.refJobsOfProject(ctx, q)
	}
	return func(yield func(gitlab.Job, error) bool) {
		pipeline, err := c.Resolver.LatestPipeline(ctx, q.Query)
		if err != nil {
			yield(gitlab.Job{}, err)
			return
		}
		c.API.PipelineJobs(ctx, gitlab.Project(q.Project), pipeline, q.options())(yield)
	}
}

// refJobsOfProject filters the jobs of a ref from the project's list.
func (c *Client) refJobsOfProject(ctx context.Context, q Query) iter.Seq2[gitlab.Job, error] {
	return func(yield func(gitlab.Job, error) bool) {
		searched, wanted := 0, refFilter(q)
		for job, err := range c.API.ProjectJobs(ctx, gitlab.Project(q.Project), gitlab.JobsOptions{}) {
			if searched++; c.enough(q, searched, maxSearched) {
				return
			}
			if err == nil && !wanted(job) {
				continue
			}
			if !yield(job, err) || err != nil {
				return
			}
		}
	}
}

// refFilter filters jobs, newest first, as the lists of the ref's pipelines would: only
// newest attempts, unless retried ones are wanted too. The server must not filter by
// status, because a retried job would then pass for the newest attempt if that has
// another status.
func refFilter(q Query) func(gitlab.Job) bool {
	type attempt struct {
		pipeline int64
		name     string
	}
	newer := map[attempt]bool{}
	return func(job gitlab.Job) bool {
		if cmp.Or(job.Pipeline.Ref, job.Ref) != q.Ref || job.Pipeline.Source == "parent_pipeline" && q.SourceFilter() == "" {
			return false
		}
		this := attempt{job.Pipeline.ID, job.Name}
		retried := newer[this]
		newer[this] = true
		return (!retried || q.IncludeRetried) && (len(q.Scope) == 0 || slices.Contains(q.Scope, job.Status))
	}
}
