package resolve

import (
	"context"
	"sort"
	"strconv"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// roots returns the query's pipelines, newest first.
func (r *Resolver) roots(ctx context.Context, q Query) ([]node, error) {
	if q.PipelineID != 0 {
		return []node{{project: q.Project, id: q.PipelineID}}, nil
	}
	var roots []node
	for _, o := range pipelineFilters(q) {
		seen := 0
		for p, err := range r.lists.pipelines(ctx, q.Project, o) {
			if err != nil {
				return nil, err
			}
			if isRoot(q, p) {
				roots = append(roots, node{project: q.Project, id: p.ID})
			}
			if seen++; q.Latest && len(roots) > 0 || seen == maxRecent {
				break
			}
		}
	}
	sort.Slice(roots, func(i, j int) bool { return roots[i].id > roots[j].id })
	return roots[:min(len(roots), maxRecent)], nil
}

// pipelineFilters returns the lists that contain the query's pipelines. A merge request
// has pipelines of its source branch, of merged results and of merge trains, each with
// its own ref (app/models/merge_request.rb: ref_path, merge_ref_path, train_ref_path).
// https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/
func pipelineFilters(q Query) []gitlab.PipelinesOptions {
	switch {
	case q.SHA != "":
		return []gitlab.PipelinesOptions{{SHA: q.SHA}}
	case q.MergeRequest != 0:
		refs := "refs/merge-requests/" + strconv.FormatInt(q.MergeRequest, 10)
		return []gitlab.PipelinesOptions{{Ref: refs + "/head"}, {Ref: refs + "/merge"}, {Ref: refs + "/train"}}
	}
	return []gitlab.PipelinesOptions{{Ref: q.Ref}}
}

// root returns the root of the query's pipeline: the pipeline itself, unless it is a
// child. GitLab calls it the root ancestor (Ci::Pipeline#root_ancestor); it is always in
// the same project. The API doesn't return parents, so root looks for the child below the
// other pipelines of its commit.
func (r *Resolver) root(ctx context.Context, q Query) (int64, error) {
	child, err := r.pipeline(ctx, q.Project, q.PipelineID)
	switch {
	case Refused(err):
		return 0, r.unlistable(err, q)
	case err != nil:
		return 0, r.pipelineMissing(err, q)
	case child.Source != childSource:
		return q.PipelineID, nil
	}
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{SHA: child.SHA}) {
		if err != nil {
			return 0, r.unlistable(err, q)
		}
		if p.ID > q.PipelineID {
			continue // parents are older
		}
		below, err := r.isBelow(ctx, node{project: q.Project, id: p.ID}, q.PipelineID)
		if err != nil {
			return 0, r.unlistable(err, q)
		}
		if below {
			return p.ID, nil
		}
	}
	return 0, &NotFoundError{Query: q, What: "pipeline"}
}

// pipeline returns one pipeline, or what its jobs show of it, if the token can only list
// those.
func (r *Resolver) pipeline(ctx context.Context, project string, id int64) (gitlab.Pipeline, error) {
	p, err := r.api.Pipeline(ctx, gitlab.Project(project), id)
	if !Refused(err) {
		return p, err
	}
	for job, jobsErr := range r.lists.jobs(ctx, project, id, gitlab.JobsOptions{}) {
		if jobsErr == nil && job.Pipeline.Source != "" {
			return job.Pipeline, nil
		}
		break
	}
	return p, err
}

// isBelow reports whether a pipeline is a descendant of another one.
func (r *Resolver) isBelow(ctx context.Context, top node, pipeline int64) (bool, error) {
	queue, known := []node{top}, map[int64]bool{top.id: true}
	for visited := 0; len(queue) > 0 && visited < maxNodes; visited++ {
		children, err := r.children(ctx, queue[0], false)
		if err != nil {
			return false, err
		}
		queue = queue[1:]
		for _, child := range children {
			if child.id == pipeline {
				return true, nil
			}
			if !known[child.id] && child.id < pipeline {
				known[child.id] = true
				queue = append(queue, child)
			}
		}
	}
	return false, nil
}
