package resolve

import (
	"context"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// A good job is one that has succeeded and has an archive, whatever its pipeline's
// status. A retried attempt counts too: while a job is being retried, it is the newest
// good one. All lists are requested with successful jobs only, including retried ones, so
// they agree.

// jobs returns the options for a query's lists of jobs.
func (q Query) jobs() gitlab.JobsOptions {
	if !q.good() {
		return gitlab.JobsOptions{}
	}
	return gitlab.JobsOptions{Scope: []string{"success"}, IncludeRetried: true}
}

// onlyGood is a judge that ignores jobs that aren't good.
func (r *Resolver) onlyGood(q Query, c candidate, how Method) verdict {
	if c.Status != "success" {
		return verdict{skip: true} // lists of successful jobs don't even contain it
	}
	a, err := r.available(q, c, how)
	return verdict{artifact: a, err: err, skip: err != nil}
}

// fromAnyPipeline returns the jobs from the newest pipeline of a ref in which they are
// good.
func (r *Resolver) fromAnyPipeline(ctx context.Context, q Query) ([]Artifact, error) {
	found, err := r.goodInNewestJobs(ctx, q)
	if err != nil || found != nil {
		return found, err
	}
	return r.fromTree(ctx, q)
}

// goodInNewestJobs finds the jobs among the newest successful jobs of the project. It
// returns nothing if these aren't sufficient, or can't be listed. If the list goes back
// to a job that is older than a pipeline, it contains all of that pipeline's jobs. A job
// with the name in a child pipeline may belong to a newer pipeline, which a list of jobs
// doesn't show for certain.
func (r *Resolver) goodInNewestJobs(ctx context.Context, q Query) ([]Artifact, error) {
	if q.Globs() || q.Downstream {
		return nil, nil
	}
	jobs, all, err := r.newest(ctx, q.Project, q.jobs().Scope, newestJobs)
	if Refused(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, root := range rootsIn(q, jobs) {
		complete := all || isBefore(jobs[len(jobs)-1].CreatedAt, root.CreatedAt)
		p := newPicker(q, r.finished(q, ByListing))
		if !offerJobs(p, q, jobs, root.ID) || !complete {
			return nil, nil
		}
		if found, err := p.result(); err == nil {
			return found, nil
		}
	}
	return nil, nil
}

// offerJobs offers a pipeline's jobs to the picker. It reports false if a child pipeline
// that may be newer has a job with the name.
func offerJobs(p *picker, q Query, jobs []gitlab.Job, pipeline int64) bool {
	for _, job := range jobs {
		in := job.Pipeline
		if in.ID == pipeline {
			p.offer(candidate{job, q.Project})
		}
		if in.ID > pipeline && in.Source == childSource && in.Ref == q.Ref && p.wants(job.Name) {
			return false
		}
	}
	return true
}
