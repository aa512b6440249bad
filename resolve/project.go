package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

const (
	pageSize = 100  // rows of a page, the server's maximum
	maxJobs  = 2000 // how far back fromProject looks
)

// fromProject finds jobs in the project's list of jobs, if the token may not list
// pipelines: in the newest pipeline that is meant, then in its children, which have its
// commit.
func (r *Resolver) fromProject(ctx context.Context, q Query) ([]Artifact, error) {
	jobs, roots, err := r.family(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, noRoots(q, jobs)
	}
	severalCount := q.Recent || q.SHA != "" || q.MergeRequest != 0
	var first error
	for back, root := range roots {
		p := newPicker(q, r.judge(q, ByProject))
		for _, job := range tree(jobs, root, !q.Exact()) {
			p.offer(candidate{job, q.Project})
		}
		found, err := p.result()
		if err == nil {
			return passed(found, back), nil
		}
		first = cmp.Or(first, err)
		if !severalCount || !mayBeElsewhere(err) || q.Exact() && !is[*NotFoundError](err) {
			break
		}
	}
	return nil, first
}

// passed notes how many newer pipelines were passed over.
func passed(found []Artifact, back int) []Artifact {
	for i := range found {
		found[i].Back = back
	}
	return found
}

// noRoots is the error if no job of a pipeline that is meant is in the list.
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
	return r.asServer(how)
}

// LatestPipeline finds the newest pipeline of a ref in the project's list of jobs, if
// the token may not list pipelines.
func (r *Resolver) LatestPipeline(ctx context.Context, project, ref string) (int64, error) {
	q := Query{Project: project, Ref: ref, Latest: true}
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
	return fmt.Sprintf("among the project's newest %d jobs", len(jobs))
}

// family reads the project's list of jobs as far back as that can help. roots are the
// pipelines that are meant, newest first.
func (r *Resolver) family(ctx context.Context, q Query) (jobs []gitlab.Job, roots []gitlab.Pipeline, err error) {
	last := 0 // the last row that helped
	for job, err := range r.lists.projectJobs(ctx, q.Project) {
		if err != nil {
			return nil, nil, err
		}
		jobs = append(jobs, job)
		switch {
		case isRoot(q, job.Pipeline):
			last = len(jobs)
			if !slices.ContainsFunc(roots, func(p gitlab.Pipeline) bool { return p.ID == job.Pipeline.ID }) {
				roots = append(roots, job.Pipeline)
				sort.Slice(roots, func(i, j int) bool { return roots[i].ID > roots[j].ID }) // slices.SortFunc is 10 kB of code for each type
			}
		case len(roots) > 0 && job.Pipeline.Source == "parent_pipeline" && job.Pipeline.SHA == roots[0].SHA:
			last = len(jobs)
		}
		if len(jobs) == maxJobs || seen(q, job, roots, len(jobs)-last) {
			break
		}
	}
	return jobs, roots, nil
}

// seen reports whether nothing after this job in the list can help. Jobs come newest
// first, retried ones too, and every job of a pipeline was created after that pipeline:
// after a job that is older than a pipeline, the list has no job of that pipeline, of
// its children, or of a newer one. idle is how many rows in a row were no help.
func seen(q Query, job gitlab.Job, roots []gitlab.Pipeline, idle int) bool {
	switch {
	case q.Recent:
		return job.CreatedAt != nil && q.MaxAge > 0 && time.Since(*job.CreatedAt) > q.MaxAge
	case len(roots) == 0:
		return false
	case job.CreatedAt == nil || roots[0].CreatedAt == nil:
		return idle > pageSize // a page without the family
	case !job.CreatedAt.Before(*roots[0].CreatedAt):
		return false
	}
	several := q.SHA != "" || q.MergeRequest != 0 // pipelines: an older one may have the job
	return !several || idle > pageSize
}

// isRoot reports whether a pipeline is one that the query means.
func isRoot(q Query, p gitlab.Pipeline) bool {
	switch {
	case q.PipelineID != 0:
		return p.ID == q.PipelineID
	case !isCI(p):
		return false
	case q.SHA != "":
		return p.SHA == q.SHA
	case q.MergeRequest != 0:
		return slices.ContainsFunc(pipelineFilters(q), func(o gitlab.PipelinesOptions) bool { return p.Ref == o.Ref })
	case q.Latest:
		return p.Ref == q.Ref
	}
	return p.Ref == q.Ref && p.Status == "success" && !tooOld(p, q.MaxAge)
}

// tree returns the jobs of a pipeline and of its children: the parent's first, then
// those of the oldest child, which is the server's order, or of the newest. Of several
// attempts at a job, the newest comes first in jobs, and stays first.
func tree(jobs []gitlab.Job, root gitlab.Pipeline, oldest bool) []gitlab.Job {
	var family []gitlab.Job
	for _, job := range jobs {
		child := job.Pipeline.Source == "parent_pipeline" && job.Pipeline.SHA == root.SHA && job.Pipeline.ID > root.ID
		if child || job.Pipeline.ID == root.ID {
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
