package resolve

import (
	"context"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// ByRef returns the archive that GitLab itself chooses for q, without a request, and
// whether q allows that: it must ask for a single job of the newest successful pipeline
// of a ref. The job isn't known. With Recent, an older pipeline may have the job if
// GitLab says that this one doesn't.
func (r *Resolver) ByRef(q Query) (Artifact, bool) {
	q = r.Settle(q)
	if q.JobID != 0 || q.Exact() || !q.asServer() || len(q.Jobs) != 1 || q.Globs() || len(q.MoreRefs) > 0 || q.Ref == DefaultBranch {
		return Artifact{}, false
	}
	return r.chosenByServer(q, q.Jobs[0]), true
}

// asServer reports whether the query has only conditions that the server's own choice
// considers.
func (q Query) asServer() bool {
	return q.Before == 0 && len(q.Sources) == 0 && !q.RequireSuccess && q.MaxAge == 0 && len(q.Reports) == 0
}

func (r *Resolver) chosenByServer(q Query, job string) Artifact {
	return Artifact{
		Project: q.Project, Ref: q.Ref, JobName: job, Found: ByRef,
		URL: r.api.RefArchiveURL(gitlab.Project(q.Project), q.Ref, job),
	}
}

// newestJobs is how many rows of the project's list of jobs to request first: enough for
// most pipelines, and few enough to arrive with the first packets.
const newestJobs = 20

// OnRef finds the job that GitLab chooses for a query for which [Resolver.ByRef] returns
// true. That takes one request if the newest jobs of the project are sufficient, and
// otherwise those of [Resolver.Artifacts] as well. If the token can't list enough, it
// returns the same as ByRef.
func (r *Resolver) OnRef(ctx context.Context, q Query) (Artifact, error) {
	q = r.Settle(q)
	jobs, all, err := r.newest(ctx, q.Project, telling, newestJobs)
	a, settled := r.among(q, jobs, all)
	switch {
	case Refused(err):
		return r.chosenByServer(q, q.Jobs[0]), nil
	case err != nil || settled:
		return a, r.unlistable(err, q)
	case q.Recent:
		return r.further(ctx, q, jobs, all)
	}
	return r.byPipeline(ctx, q, jobs, all)
}

// OnRefByPipeline is OnRef for a query that isn't Recent, without looking at the newest jobs
// of the project first. It takes as many requests as [Resolver.Artifacts] as long as one of
// the ref's newest pipelines is successful.
func (r *Resolver) OnRefByPipeline(ctx context.Context, q Query) (Artifact, error) {
	return r.byPipeline(ctx, r.Settle(q), nil, false)
}

// byPipeline finds the job in the newest successful pipeline of the ref. jobs are the newest
// of the project, as far as they are known.
func (r *Resolver) byPipeline(ctx context.Context, q Query, jobs []gitlab.Job, all bool) (Artifact, error) {
	a, settled, err := r.inNewestPipelines(ctx, q)
	if Refused(err) {
		if a, settled, err = r.inNewestJobs(ctx, q, pageSize); Refused(err) || err == nil && !settled {
			return r.chosenByServer(q, q.Jobs[0]), nil
		}
		return a, r.unlistable(err, q)
	}
	if err != nil || settled {
		return a, r.unlistable(err, q)
	}
	return r.further(ctx, q, jobs, all)
}

// further finds the job in the full lists, if the newest jobs aren't sufficient. They may
// still show when the meaning of the ref last changed.
func (r *Resolver) further(ctx context.Context, q Query, jobs []gitlab.Job, all bool) (Artifact, error) {
	found, err := r.Artifacts(ctx, q)
	if err != nil {
		return Artifact{}, err
	}
	a := found[0]
	for _, job := range jobs {
		if job.Pipeline.ID == a.PipelineID && isRoot(q, job.Pipeline) && reachBack(jobs, all, job.Pipeline) {
			a.Settled = r.changed(jobs, job.Pipeline)
			break
		}
	}
	return a, nil
}

// newestPipelines is how many of a ref's pipelines to read, whatever their status.
const newestPipelines = 20

// inNewestPipelines finds the job in the newest successful pipeline or its descendants,
// if that is among the ref's newest pipelines. It also lists unsuccessful ones, because
// they show when the meaning of the ref may last have changed.
func (r *Resolver) inNewestPipelines(ctx context.Context, q Query) (a Artifact, settled bool, err error) {
	last, seen := r.calm(), 0
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref, PerPage: newestPipelines}) {
		if err != nil {
			return Artifact{}, false, err
		}
		last.add(p)
		if isRoot(q, p) {
			found, err := r.inSuccessful(ctx, q, p)
			if err != nil {
				return Artifact{}, false, err
			}
			if found[0].PipelineID == p.ID { // in others, jobs may have ended since
				found[0].Settled = last.change()
			}
			return found[0], true, nil
		}
		if seen++; seen == newestPipelines {
			break
		}
	}
	return Artifact{}, false, nil
}

// inNewestJobs finds the job among the newest completed jobs of the project. That is
// sufficient if the list goes back to a job that is older than the pipeline, because
// every job of a pipeline is younger than the pipeline. Children need the full lists,
// since a list of jobs doesn't show for certain whose children they are.
func (r *Resolver) inNewestJobs(ctx context.Context, q Query, rows int) (a Artifact, settled bool, err error) {
	jobs, all, err := r.newest(ctx, q.Project, telling, rows)
	if err != nil {
		return Artifact{}, false, err
	}
	a, settled = r.among(q, jobs, all)
	return a, settled, nil
}

// among finds the job among the newest jobs of the project, if they are sufficient.
func (r *Resolver) among(q Query, jobs []gitlab.Job, all bool) (a Artifact, settled bool) {
	var root gitlab.Pipeline
	if roots := rootsIn(q, jobs); len(roots) > 0 {
		root = roots[0]
	}
	if root.ID == 0 || !reachBack(jobs, all, root) {
		return Artifact{}, false
	}
	p := newPicker(q, r.asServer(q, ByListing))
	for _, job := range q.attempts(jobs) {
		if job.Pipeline.ID == root.ID {
			p.offer(candidate{job, q.Project})
		}
	}
	found, err := p.result()
	if err != nil || len(found) != 1 {
		return Artifact{}, false // the full lists show what is wrong
	}
	found[0].Settled = r.changed(jobs, root)
	return found[0], true
}

// reachBack reports whether the newest jobs include all jobs of a pipeline and of every
// newer one.
func reachBack(jobs []gitlab.Job, all bool, p gitlab.Pipeline) bool {
	return all || isBefore(jobs[len(jobs)-1].CreatedAt, p.CreatedAt)
}

// completed are the statuses of jobs that may have an archive. In a successful pipeline,
// no attempt at a job follows one with such a status, except with another such status.
var completed = []string{"success", "failed", "canceled"}

// telling are the statuses of jobs that tell what a ref means, and whether that may change
// in the next second: a pipeline with a running job can become successful at any time,
// others have to start a job first.
var telling = append(slices.Clip(completed), "running")

// ended reports whether a pipeline can only become successful after something else has
// happened to it, which its time of update would show.
func ended(p gitlab.Pipeline) bool {
	return slices.Contains([]string{"success", "failed", "canceled", "skipped"}, p.Status)
}

// newest returns one page of the newest jobs with these statuses. all says that there are
// no others.
func (r *Resolver) newest(ctx context.Context, project string, scope []string, rows int) (jobs []gitlab.Job, all bool, err error) {
	for job, err := range r.lists.projectJobs(ctx, project, gitlab.JobsOptions{Scope: scope, PerPage: rows}) {
		if err != nil {
			return nil, false, err
		}
		if jobs = append(jobs, job); len(jobs) == rows {
			return jobs, false, nil
		}
	}
	return jobs, true, nil
}

func isBefore(a, b *time.Time) bool { return a != nil && b != nil && a.Before(*b) }

// changed returns when the meaning of the root's ref last changed, as far as the newest jobs
// show it: see [calm]. They don't show pipelines that only have trigger jobs: one of them
// may be newer than the root, and the parent of a child pipeline that is there.
func (r *Resolver) changed(jobs []gitlab.Job, root gitlab.Pipeline) time.Time {
	c := r.calm()
	for _, job := range jobs {
		if p := job.Pipeline; p.Ref == root.Ref && p.ID >= root.ID {
			c.unknown = c.unknown || p.Source == childSource
			c.add(p)
		}
	}
	return c.change()
}

// calm finds out when the meaning of a ref last changed, from the pipelines that can matter:
// those that aren't older than the one that it means.
type calm struct {
	own     int64 // a pipeline that can't succeed while GitLab accepts our token
	last    time.Time
	unknown bool // one of them may succeed now, or doesn't say when it was updated
}

func (r *Resolver) calm() *calm { return &calm{own: r.own} }

func (c *calm) add(p gitlab.Pipeline) {
	switch {
	case p.UpdatedAt == nil, !ended(p) && p.ID != c.own:
		c.unknown = true
	case p.UpdatedAt.After(c.last):
		c.last = *p.UpdatedAt
	}
}

// change returns when one of them was last updated, or zero if that isn't known or one of
// them may succeed now.
func (c *calm) change() time.Time {
	if c.unknown {
		return time.Time{}
	}
	return c.last
}
