package resolve

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

const (
	pageSize = 100  // rows per page, the server's maximum
	maxJobs  = 2000 // how far back fromProject looks
)

// fromProject finds jobs in the project's list of jobs, if the token can't list
// pipelines: in the query's newest pipeline, then in its children, which have the same
// commit.
func (r *Resolver) fromProject(ctx context.Context, q Query) ([]Artifact, error) {
	jobs, roots, err := r.family(ctx, q)
	if err != nil {
		return nil, err
	}
	return r.inList(q, jobs, roots)
}

// inList returns the jobs from the newest pipeline that has them, in a list of jobs.
func (r *Resolver) inList(q Query, jobs []gitlab.Job, roots []gitlab.Pipeline) ([]Artifact, error) {
	if len(roots) == 0 {
		return nil, noRoots(q, jobs)
	}
	var first error
	for back, root := range roots {
		found, err := r.inFamily(q, jobs, root)
		if orphaned(q, jobs, root) {
			return nil, &ClosedError{Query: q, Err: r.lists.refusal("pipelines of " + q.Project)}
		}
		if err == nil && q.good() {
			return found, nil
		}
		if err == nil {
			return passed(found, back), nil
		}
		first = likelier(first, err)
		if !q.several() || !mayBeElsewhere(err) || q.Exact() && !q.good() && !is[*NotFoundError](err) {
			break
		}
	}
	return nil, first
}

// orphaned reports whether a matching job is in a child pipeline whose parent isn't in
// the list. If the list is complete, the parent only has trigger jobs, and may be newer
// than root.
func orphaned(q Query, jobs []gitlab.Job, root gitlab.Pipeline) bool {
	p := newPicker(q, nil)
	for i := range jobs {
		is := jobs[i].Pipeline
		meant := is.SHA == q.SHA || q.SHA == "" && is.Ref == root.Ref
		if is.Source == childSource && is.ID > root.ID && meant && p.wants(jobs[i].Name) && serverTakes(jobs[i]) && parent(jobs, is) == 0 {
			return true
		}
	}
	return false
}

// rootsIn returns the query's pipelines among those of the jobs.
func rootsIn(q Query, jobs []gitlab.Job) (roots []gitlab.Pipeline) {
	for _, job := range jobs {
		if isRoot(q, job.Pipeline) {
			roots = addRoot(roots, job.Pipeline)
		}
	}
	return roots
}

// inFamily returns the jobs from a pipeline and its children, in a list of jobs.
func (r *Resolver) inFamily(q Query, jobs []gitlab.Job, root gitlab.Pipeline) ([]Artifact, error) {
	p := newPicker(q, r.judge(q, ByProject))
	for _, job := range q.attempts(tree(jobs, root, !q.Exact())) {
		p.offer(candidate{job, q.Project})
	}
	return p.result()
}

// attempts drops older attempts at a job, which a project's list contains and a
// pipeline's list doesn't. For good jobs, they count.
func (q Query) attempts(jobs []gitlab.Job) []gitlab.Job {
	if q.good() {
		return jobs
	}
	var newest []gitlab.Job
	seen := map[string]bool{}
	for i := range jobs {
		this := fmt.Sprint(jobs[i].Pipeline.ID, " ", jobs[i].Name)
		if !seen[this] {
			seen[this] = true
			newest = append(newest, jobs[i])
		}
	}
	return newest
}

// several reports whether an older pipeline may have the jobs if the newest one doesn't.
func (q Query) several() bool { return q.Recent || q.SHA != "" || q.MergeRequest != 0 || q.good() }

// passed records how many newer pipelines were skipped.
func passed(found []Artifact, back int) []Artifact {
	for i := range found {
		found[i].Back = back
	}
	return found
}

// noRoots returns the error if the list contains no job of the query's pipelines.
func noRoots(q Query, jobs []gitlab.Job) error {
	what := "successful pipeline"
	if q.Exact() {
		what = "pipeline"
	}
	return &NotFoundError{Query: q, What: what, Seen: amongNewest(jobs), cut: len(jobs) == maxJobs || len(jobs) == 0}
}

func (r *Resolver) judge(q Query, how Method) judge {
	if q.Exact() {
		return r.finished(q, how)
	}
	return r.asServer(q, how)
}

// LatestPipeline finds the newest pipeline of q.Ref in the project's list of jobs, if the
// token can't list pipelines.
func (r *Resolver) LatestPipeline(ctx context.Context, q Query) (int64, error) {
	q.Latest = true
	jobs, roots, err := r.family(ctx, q)
	switch {
	case err != nil:
		return 0, err
	case len(roots) == 0:
		return 0, &NotFoundError{Query: q, What: "pipeline", Seen: amongNewest(jobs)}
	}
	return roots[0].ID, nil
}

func amongNewest(jobs []gitlab.Job) string {
	switch len(jobs) {
	case 0:
		return "in the project's list of jobs, which is empty"
	case 1:
		return "in the project's list of jobs, which has one"
	}
	return fmt.Sprintf("among the project's newest %d jobs", len(jobs))
}

// family reads the project's list of jobs as far back as necessary. roots are the query's
// pipelines, newest first.
func (r *Resolver) family(ctx context.Context, q Query) (jobs []gitlab.Job, roots []gitlab.Pipeline, err error) {
	last := 0 // the last row that helped
	settled, enough := r.settler(q), false
	for job, err := range r.lists.projectJobs(ctx, q.Project, gitlab.JobsOptions{}) {
		if err != nil {
			return nil, nil, err
		}
		jobs = append(jobs, job)
		switch {
		case isRoot(q, job.Pipeline):
			last = len(jobs)
			roots = addRoot(roots, job.Pipeline)
		case mayDescend(job.Pipeline, roots):
			last = len(jobs)
		}
		if len(jobs) == maxJobs {
			break
		}
		if enough && len(jobs)%pageSize != 0 {
			continue // it may be a child's parent; see orphaned
		}
		enough = enough || seen(q, job, roots, len(jobs)-last) || settled(jobs, roots)
		if enough && (len(roots) == 0 || !orphaned(q, jobs, roots[len(roots)-1])) {
			break
		}
	}
	return jobs, roots, nil
}

// mayDescend reports whether a child pipeline has the commit of the newest root.
func mayDescend(p gitlab.Pipeline, roots []gitlab.Pipeline) bool {
	return len(roots) > 0 && p.Source == childSource && p.SHA == roots[0].SHA
}

// addRoot adds a pipeline to the roots, newest first, unless it is among them.
func addRoot(roots []gitlab.Pipeline, p gitlab.Pipeline) []gitlab.Pipeline {
	if !slices.ContainsFunc(roots, func(known gitlab.Pipeline) bool { return known.ID == p.ID }) {
		roots = append(roots, p)
		sort.Slice(roots, func(i, j int) bool { return roots[i].ID > roots[j].ID }) // slices.SortFunc adds 10 kB of code for each type
	}
	return roots
}

// seen reports whether the rest of the list can't contain a wanted job. The newest jobs
// come first, including retried ones, and every job of a pipeline was created after that
// pipeline: after a job that is older than a pipeline, the list has no job of that
// pipeline, of its children, or of a newer one. idle is how many consecutive rows were
// useless.
func seen(q Query, job gitlab.Job, roots []gitlab.Pipeline, idle int) bool {
	switch {
	case q.Recent, q.good():
		return job.CreatedAt != nil && q.MaxAge > 0 && time.Since(*job.CreatedAt) > q.MaxAge
	case len(roots) == 0:
		return false
	case job.CreatedAt == nil || roots[0].CreatedAt == nil:
		return idle > pageSize // a page without a family member
	case !job.CreatedAt.Before(*roots[0].CreatedAt):
		return false
	}
	return !q.several() || idle > pageSize
}

// settler returns a function that reports whether the roots so far have the jobs of a
// query that takes them from the newest pipeline in which they have succeeded. It checks
// each root once, when the list has reached a job that is older than the root.
func (r *Resolver) settler(q Query) func([]gitlab.Job, []gitlab.Pipeline) bool {
	looked := 0
	return func(jobs []gitlab.Job, roots []gitlab.Pipeline) bool {
		if !q.good() {
			return false
		}
		for ; looked < len(roots) && isBefore(jobs[len(jobs)-1].CreatedAt, roots[looked].CreatedAt); looked++ {
			if _, err := r.inFamily(q, jobs, roots[looked]); err == nil {
				return true
			}
		}
		return false
	}
}

// isRoot reports whether a pipeline is one of the query's.
func isRoot(q Query, p gitlab.Pipeline) bool {
	switch {
	case q.PipelineID != 0:
		return p.ID == q.PipelineID
	case !q.counts(p):
		return false
	case q.SHA != "":
		return p.SHA == q.SHA
	case q.MergeRequest != 0:
		return slices.ContainsFunc(pipelineFilters(q), func(o gitlab.PipelinesOptions) bool { return p.Ref == o.Ref })
	case p.Ref != q.Ref: // newer servers also list the pipelines of a branch's merge requests
		return false
	case q.Latest:
		return true
	}
	return (q.AnyPipeline || p.Status == "success") && !tooOld(p, q.MaxAge) && q.isBefore(p)
}

// isBefore reports whether a pipeline is old enough for the query.
func (q Query) isBefore(p gitlab.Pipeline) bool {
	return q.Before == 0 || p.ID < q.Before && (q.Besides == "" || p.SHA != q.Besides)
}

// parent returns a child pipeline's parent, as far as a list of jobs shows it: the newest
// older pipeline with the same commit, or 0.
func parent(jobs []gitlab.Job, child gitlab.Pipeline) (id int64) {
	for _, job := range jobs {
		if p := job.Pipeline; p.Source != childSource && p.SHA == child.SHA && p.ID < child.ID {
			id = max(id, p.ID)
		}
	}
	return id
}

// tree returns the jobs of a pipeline and of its children: the parent's first, then those
// of the oldest child, which is the server's order, or of the newest. If a job has
// several attempts, the newest comes first in jobs, and stays first.
func tree(jobs []gitlab.Job, root gitlab.Pipeline, oldest bool) []gitlab.Job {
	var family []gitlab.Job
	for _, job := range jobs {
		if job.Pipeline.ID == root.ID || job.Pipeline.Source == childSource && parent(jobs, job.Pipeline) == root.ID {
			family = append(family, job)
		}
	}
	sort.SliceStable(family, func(i, j int) bool {
		x, y := family[i].Pipeline.ID, family[j].Pipeline.ID
		switch {
		case x == y || y == root.ID:
			return false
		case x == root.ID:
			return true
		}
		return (x < y) == oldest
	})
	return family
}
