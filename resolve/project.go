package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"gitlab.com/artifetch/artifetch/gitlab"
)

const (
	pageSize = 100  // rows of a page, the server's maximum
	maxJobs  = 2000 // how far back fromProject looks
)

// fromProject finds jobs in the project's list of jobs, where pipelines are
// closed to the token: the newest pipeline that is meant, then its children,
// which are told by their source and commit.
func (r *Resolver) fromProject(ctx context.Context, q Query) ([]Artifact, error) {
	jobs, roots, err := r.family(ctx, q)
	if err != nil {
		return nil, err
	}
	first := error(nil)
	for back, root := range roots {
		p := newPicker(q, r.judge(q, ByProject))
		for _, job := range tree(jobs, root, !q.exact()) {
			p.offer(job)
		}
		found, err := p.result()
		if err == nil {
			for i := range found {
				found[i].Back = back
			}
			return found, nil
		}
		if first == nil {
			first = err
		}
		if !q.Recent && q.SHA == "" && q.MergeRequest == 0 || !mayBeElsewhere(err) {
			return nil, first
		}
	}
	if first == nil {
		what := "successful pipeline"
		if q.exact() {
			what = "pipeline"
		}
		first = &NotFoundError{Query: q, What: what, Seen: fmt.Sprintf("among the project's newest %d jobs", len(jobs))}
	}
	return nil, first
}

func (r *Resolver) judge(q Query, how Method) func(gitlab.Job) verdict {
	if q.exact() {
		return r.finished(q, how)
	}
	return r.asServer(q, how)
}

// family reads the project's jobs as far back as it helps. roots are the
// pipelines that are meant, newest first.
func (r *Resolver) family(ctx context.Context, q Query) (jobs []gitlab.Job, roots []gitlab.Pipeline, err error) {
	last := 0 // the last row that was of any use
	for job, err := range r.rungs().projectJobs(ctx, q.Project) {
		if err != nil {
			return nil, nil, err
		}
		jobs = append(jobs, job)
		switch {
		case isRoot(q, job.Pipeline):
			last = len(jobs)
			if !slices.ContainsFunc(roots, func(p gitlab.Pipeline) bool { return p.ID == job.Pipeline.ID }) {
				roots = append(roots, job.Pipeline)
			}
		case len(roots) > 0 && job.Pipeline.Source == "parent_pipeline" && job.Pipeline.SHA == roots[0].SHA:
			last = len(jobs)
		}
		if len(jobs) == maxJobs || !q.Recent && len(roots) > 0 && len(jobs)-last > pageSize {
			break // a page without the family: it has been seen
		}
	}
	slices.SortFunc(roots, func(a, b gitlab.Pipeline) int { return cmp.Compare(b.ID, a.ID) })
	return jobs, roots, nil
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

// tree puts the jobs of a pipeline and of its children in order: the parent's
// first, then those of the oldest child, as the server has it, or of the newest.
// Of several attempts at a job, the newest comes first in jobs, and stays so.
func tree(jobs []gitlab.Job, root gitlab.Pipeline, oldest bool) []gitlab.Job {
	var family []gitlab.Job
	for _, job := range jobs {
		child := job.Pipeline.Source == "parent_pipeline" && job.Pipeline.SHA == root.SHA && job.Pipeline.ID > root.ID
		if child || job.Pipeline.ID == root.ID {
			family = append(family, job)
		}
	}
	slices.SortStableFunc(family, func(a, b gitlab.Job) int {
		x, y := a.Pipeline.ID, b.Pipeline.ID
		switch {
		case x == y:
			return 0
		case x == root.ID:
			return -1
		case y == root.ID:
			return 1
		case oldest:
			return cmp.Compare(x, y)
		}
		return cmp.Compare(y, x)
	})
	return family
}
