package cli

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// How far a list with a limit is searched for the jobs that are asked for. Without a
// limit, all of it is.
const (
	maxSearched  = 10_000 // jobs
	maxPipelines = 1_000
)

// jobs yields the jobs that are asked for, page by page.
func (s *session) jobs(ctx context.Context, q jobsQuery) iter.Seq2[gitlab.Job, error] {
	wanted := resolve.NameMatcher(q.name)
	return func(yield func(gitlab.Job, error) bool) {
		n, searched := 0, 0
		for job, err := range s.unfiltered(ctx, q) {
			if searched++; s.enough(q, searched, maxSearched) {
				return
			}
			if err == nil && (q.name != "" && !wanted(job.Name) || q.withArtifacts && job.ArtifactsFile == nil) {
				continue
			}
			if n++; !yield(job, err) || err != nil || n == q.limit {
				return
			}
		}
	}
}

// enough reports whether a search ends here, and says so.
func (s *session) enough(q jobsQuery, searched, most int) bool {
	if q.limit == 0 || searched <= most {
		return false
	}
	s.log.Warn().Int("searched", most).Msg("the search ends here; there may be more: --limit 0 searches everything")
	return true
}

// unfiltered goes to the list that has the jobs, and as few others as can be.
func (s *session) unfiltered(ctx context.Context, q jobsQuery) iter.Seq2[gitlab.Job, error] {
	project := gitlab.Project(q.Project)
	switch {
	case q.PipelineID != 0:
		return s.api.PipelineJobs(ctx, project, q.PipelineID, q.options)
	case q.Ref != "":
		return s.refJobs(ctx, q)
	}
	return s.api.ProjectJobs(ctx, project, q.options)
}

// refJobs goes through the pipelines of a ref. Where those are closed to the
// token, it looks for the ref in the list of the project.
func (s *session) refJobs(ctx context.Context, q jobsQuery) iter.Seq2[gitlab.Job, error] {
	return func(yield func(gitlab.Job, error) bool) {
		for pipeline, err := range s.pipelines(ctx, q) {
			if err != nil && s.cfg.Token.Kind == env.JobToken && resolve.Refused(err) {
				s.closedRefJobs(ctx, q)(yield)
				return
			}
			if err != nil {
				yield(gitlab.Job{}, err)
				return
			}
			for job, err := range s.api.PipelineJobs(ctx, gitlab.Project(q.Project), pipeline.ID, q.options) {
				if !yield(job, err) || err != nil {
					return
				}
			}
		}
	}
}

// pipelines are those of a ref that are searched: the newest, which has to be there,
// or many.
func (s *session) pipelines(ctx context.Context, q jobsQuery) iter.Seq2[gitlab.Pipeline, error] {
	return func(yield func(gitlab.Pipeline, error) bool) {
		n := 0
		for pipeline, err := range s.api.Pipelines(ctx, gitlab.Project(q.Project), gitlab.PipelinesOptions{Ref: q.Ref}) {
			if n++; s.enough(q, n, maxPipelines) || !yield(pipeline, err) || q.Latest {
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
func (s *session) closedRefJobs(ctx context.Context, q jobsQuery) iter.Seq2[gitlab.Job, error] {
	if !q.Latest {
		return s.refJobsOfProject(ctx, q)
	}
	return func(yield func(gitlab.Job, error) bool) {
		pipeline, err := s.resolver.LatestPipeline(ctx, q.Project, q.Ref)
		if err != nil {
			yield(gitlab.Job{}, err)
			return
		}
		s.api.PipelineJobs(ctx, gitlab.Project(q.Project), pipeline, q.options)(yield)
	}
}

// refJobsOfProject picks the jobs of a ref out of the project's list.
func (s *session) refJobsOfProject(ctx context.Context, q jobsQuery) iter.Seq2[gitlab.Job, error] {
	return func(yield func(gitlab.Job, error) bool) {
		searched, wanted := 0, refFilter(q)
		for job, err := range s.api.ProjectJobs(ctx, gitlab.Project(q.Project), gitlab.JobsOptions{}) {
			if searched++; s.enough(q, searched, maxSearched) {
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

// refFilter tells of jobs, which come newest first, whether a list of the ref's
// pipelines would have them: newest attempts alone, unless others are asked for too.
// The server is not asked for a status, or a retried job would pass for the newest
// attempt where that has another status.
func refFilter(q jobsQuery) func(gitlab.Job) bool {
	type attempt struct {
		pipeline int64
		name     string
	}
	newer := map[attempt]bool{}
	return func(job gitlab.Job) bool {
		if cmp.Or(job.Pipeline.Ref, job.Ref) != q.Ref || job.Pipeline.Source == "parent_pipeline" {
			return false
		}
		this := attempt{job.Pipeline.ID, job.Name}
		retried := newer[this]
		newer[this] = true
		return (!retried || q.options.IncludeRetried) && (len(q.options.Scope) == 0 || slices.Contains(q.options.Scope, job.Status))
	}
}
