package resolve

import (
	"context"
	"slices"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// aboutSearch is for queries that choose among pipelines: it looks at those that they pass
// over. It reports whether it has found anything.
func (r *Resolver) aboutSearch(ctx context.Context, q Query, x *Explanation) bool {
	switch x.Reason {
	case ReasonNoJob, ReasonNoPipeline, ReasonNoSuccess:
	default:
		return false
	}
	seen := len(x.Evidence)
	chooses := len(q.Sources) > 0 || q.Before != 0
	switch {
	case q.Base != "":
		q.SHA = q.Base
		r.aboutGood(ctx, q, x)
		if len(x.Evidence) == seen {
			x.see("commit %s has no pipeline that this token can see", q.Base)
		}
	case x.Reason != ReasonNoJob && chooses:
		r.aboutPassed(ctx, q, x)
	case q.AnyPipeline:
		r.aboutGood(ctx, q, x)
	}
	return len(x.Evidence) > seen
}

// aboutGood looks for jobs with the names that haven't succeeded, in the newest pipelines
// that a query for good jobs searches. Of a base commit it tells which jobs there are.
func (r *Resolver) aboutGood(ctx context.Context, q Query, x *Explanation) {
	left := maxExplained
	for p, err := range r.lists.pipelines(ctx, q.Project, pipelineFilters(q)[0]) {
		if err != nil || left == 0 {
			return
		}
		if !isRoot(q, p) {
			continue
		}
		left--
		names := []string{}
		for job, err := range r.lists.jobs(ctx, q.Project, p.ID, gitlab.JobsOptions{}) {
			if err != nil {
				return
			}
			names = append(names, job.Name)
			if slices.ContainsFunc(q.Jobs, func(name string) bool { return compile(name).MatchString(job.Name) }) {
				x.see("in pipeline %d (%s), job %q (%d) is %s: %s", p.ID, p.Status, job.Name, job.ID, job.Status, job.WebURL)
				r.remedyFor(ctx, q, job, p, x)
			}
		}
		if q.Base != "" {
			slices.Sort(names)
			x.see("pipeline %d (%s) of the base commit has the jobs %s", p.ID, p.Status, readable(names))
		}
	}
}

// remedyFor says what to do about a job that hasn't succeeded, unless a newer one has told:
// play it or what blocks it, wait for it, or take what it has.
func (r *Resolver) remedyFor(ctx context.Context, q Query, job gitlab.Job, p gitlab.Pipeline, x *Explanation) {
	if x.Remedy != RemedyHint {
		return
	}
	_, err := r.available(q, candidate{job, q.Project}, ByListing)
	switch {
	case job.Status == "manual":
		x.Remedy, x.JobID = RemedyPlay, job.ID
	case job.Status == "created" && p.Status == "manual":
		r.aboutBlocked(ctx, q, p.ID, x)
	case Unfinished(job.Status):
		x.Remedy = RemedyWait
	case err == nil:
		x.Remedy, x.PipelineID = RemedyStatus, p.ID
	}
}

// aboutPassed tells which pipelines a ref has besides those that the query asks for.
func (r *Resolver) aboutPassed(ctx context.Context, q Query, x *Explanation) {
	var sources []string
	var before gitlab.Pipeline
	seen := 0
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref}) {
		if err != nil {
			return
		}
		if seen++; seen > pageSize {
			break
		}
		if !slices.Contains(sources, p.Source) {
			sources = append(sources, p.Source)
		}
		if before.ID == 0 && q.isBefore(p) {
			before = p
		}
	}
	switch {
	case len(sources) == 0:
		return // the ref itself has none
	case len(q.Sources) > 0:
		x.see("the newest pipelines of %q are from the sources %s", q.Ref, readable(sources))
		x.Remedy = RemedySource
	}
	if q.Before == 0 {
		return
	}
	x.Remedy = RemedyFirst
	if before.ID == 0 {
		x.see("%q has no pipeline before pipeline %d", q.Ref, q.Before)
		return
	}
	x.see("the newest pipeline of %q before %d is %d: %s %s", q.Ref, q.Before, before.ID, before.Status, before.WebURL)
}
