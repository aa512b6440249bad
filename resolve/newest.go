package resolve

import (
	"context"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// ByRef returns the archive that GitLab itself chooses for q, without a request, and
// whether q may mean such a one: that of a single job of the newest successful pipeline
// of a ref. Its job isn't known. With Recent, an older pipeline may have the job if GitLab
// says that this one doesn't.
func (r *Resolver) ByRef(q Query) (Artifact, bool) {
	q = r.Settle(q)
	if q.JobID != 0 || q.Exact() || !q.asServer() || len(q.Jobs) != 1 || q.Globs() || len(q.MoreRefs) > 0 || q.Ref == DefaultBranch {
		return Artifact{}, false
	}
	return r.chosenByServer(q, q.Jobs[0]), true
}

// asServer reports whether the query asks for nothing that the server's own choice of a
// job of a ref doesn't look at.
func (q Query) asServer() bool {
	return q.Before == 0 && len(q.Sources) == 0 && !q.RequireSuccess && q.MaxAge == 0 && len(q.Reports) == 0
}

func (r *Resolver) chosenByServer(q Query, job string) Artifact {
	return Artifact{
		Project: q.Project, Ref: q.Ref, JobName: job, Found: ByRef,
		URL: r.api.RefArchiveURL(gitlab.Project(q.Project), q.Ref, job),
	}
}

// newestJobs is how many rows of the project's list of jobs are asked for first: enough
// for most pipelines, and few enough to arrive with the first packets.
const newestJobs = 20

// OnRef finds the job that GitLab chooses for a query for which [Resolver.ByRef] reports
// true. That is one request if the newest jobs of the project settle it, and else those
// of [Resolver.Artifacts] besides. If the token can't list enough, it returns what ByRef
// does.
func (r *Resolver) OnRef(ctx context.Context, q Query) (Artifact, error) {
	q = r.Settle(q)
	jobs, all, err := r.newest(ctx, q.Project, completed, newestJobs)
	a, settled := r.among(q, jobs, all)
	switch {
	case Refused(err):
		return r.chosenByServer(q, q.Jobs[0]), nil
	case err != nil || settled:
		return a, r.unlistable(err, q)
	case q.Recent:
		return r.further(ctx, q, jobs, all)
	}
	a, settled, err = r.inNewestPipelines(ctx, q)
	if Refused(err) {
		if a, settled, err = r.inNewestJobs(ctx, q, pageSize); err == nil && !settled {
			a = r.chosenByServer(q, q.Jobs[0])
		}
		return a, r.unlistable(err, q)
	}
	if err != nil || settled {
		return a, r.unlistable(err, q)
	}
	return r.further(ctx, q, jobs, all)
}

// further finds the job in the full lists, if the newest jobs don't settle which one is
// meant. They may still tell when what the ref means changed last.
func (r *Resolver) further(ctx context.Context, q Query, jobs []gitlab.Job, all bool) (Artifact, error) {
	found, err := r.Artifacts(ctx, q)
	if err != nil {
		return Artifact{}, err
	}
	a := found[0]
	for _, job := range jobs {
		if job.Pipeline.ID == a.PipelineID && isRoot(q, job.Pipeline) && reachBack(jobs, all, job.Pipeline) {
			a.Settled = changed(jobs, job.Pipeline)
			break
		}
	}
	return a, nil
}

// newestPipelines is how many of a ref's pipelines are looked at, whatever their status.
const newestPipelines = 20

// inNewestPipelines finds the job in the newest successful pipeline, or below it, if that
// is among the ref's newest pipelines. Those that haven't succeeded are listed as well,
// because they tell when what the ref means may have changed last.
func (r *Resolver) inNewestPipelines(ctx context.Context, q Query) (a Artifact, settled bool, err error) {
	var last time.Time
	known, seen := true, 0
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref, PerPage: newestPipelines}) {
		if err != nil {
			return Artifact{}, false, err
		}
		if known = known && p.UpdatedAt != nil; known && p.UpdatedAt.After(last) {
			last = *p.UpdatedAt
		}
		if isRoot(q, p) {
			found, err := r.inSuccessful(ctx, q, p)
			if err != nil {
				return Artifact{}, false, err
			}
			if known {
				found[0].Settled = last
			}
			return found[0], true, nil
		}
		if seen++; seen == newestPipelines {
			break
		}
	}
	return Artifact{}, false, nil
}

// inNewestJobs finds the job among the newest completed jobs of the project. That
// settles it if the list goes back to a job that is older than the pipeline, because every
// job of a pipeline is younger than the pipeline. Children are left to the full lists,
// since a list of jobs doesn't tell for certain whose children they are.
func (r *Resolver) inNewestJobs(ctx context.Context, q Query, rows int) (a Artifact, settled bool, err error) {
	jobs, all, err := r.newest(ctx, q.Project, completed, rows)
	if err != nil {
		return Artifact{}, false, err
	}
	a, settled = r.among(q, jobs, all)
	return a, settled, nil
}

// among finds the job among the newest jobs of the project, if they settle it.
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
		return Artifact{}, false // the full lists say what is wrong
	}
	found[0].Settled = changed(jobs, root)
	return found[0], true
}

// reachBack reports whether the newest jobs include all of a pipeline, and of every newer
// one.
func reachBack(jobs []gitlab.Job, all bool, p gitlab.Pipeline) bool {
	return all || isBefore(jobs[len(jobs)-1].CreatedAt, p.CreatedAt)
}

// completed are the statuses of jobs that may have an archive. In a pipeline that has
// succeeded, no attempt at a job has another one after an attempt with one of these.
var completed = []string{"success", "failed", "canceled"}

// newest lists the newest jobs with these statuses, one page of them. all says that there
// are no others.
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

// changed is when a pipeline of the root's ref that isn't older than the root was updated
// last. It is zero if that isn't known of all.
func changed(jobs []gitlab.Job, root gitlab.Pipeline) time.Time {
	var last time.Time
	for _, job := range jobs {
		p := job.Pipeline
		switch {
		case p.Ref != root.Ref || p.ID < root.ID:
		case p.UpdatedAt == nil:
			return time.Time{}
		case p.UpdatedAt.After(last):
			last = *p.UpdatedAt
		}
	}
	return last
}
