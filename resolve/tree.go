package resolve

import (
	"context"
	"errors"
	"net/http"
	"sort"
	"strconv"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// node is a pipeline in a tree of pipelines.
type node struct {
	project string
	id      int64
	depth   int
}

// GitLab nests child pipelines two levels deep; pipelines of other projects may nest
// deeper. The limits only stop cycles.
const (
	maxDepth = 10
	maxNodes = 200
)

// walk offers the jobs of a pipeline and its descendants to the picker until it is done.
// With oldest, descendants come in the server's own order, by their IDs. Otherwise walk
// goes from level to level, the newest child first. It makes two requests for each
// pipeline, one for the last.
func (r *Resolver) walk(ctx context.Context, root node, p *picker, oldest bool) error {
	p.root = root.id
	queue, known := []node{root}, map[int64]bool{root.id: true}
	for visited := 0; len(queue) > 0; visited++ {
		if visited == maxNodes {
			p.cut = true
			return nil
		}
		n := queue[0]
		queue = queue[1:]
		children, err := r.visit(ctx, n, root, p)
		switch {
		case err != nil && n.project != root.project && notReadable(err):
			p.closed = append(p.closed, &DownstreamError{Query: p.query, Project: n.project, PipelineID: n.id, Err: err})
		case n.id != root.id && absent(err): // deleted since its parent was listed
		case err != nil:
			return err
		}
		if p.done() {
			return nil
		}
		queue = appendNew(queue, children, known)
		if oldest {
			sort.Slice(queue, func(i, j int) bool { return queue[i].id < queue[j].id })
		}
	}
	return nil
}

// appendNew adds the children that aren't known yet to the queue.
func appendNew(queue, children []node, known map[int64]bool) []node {
	for _, child := range children {
		if !known[child.id] {
			known[child.id] = true
			queue = append(queue, child)
		}
	}
	return queue
}

// visit offers the jobs of one pipeline. It returns the pipelines that it has triggered,
// if they matter.
func (r *Resolver) visit(ctx context.Context, n, root node, p *picker) ([]node, error) {
	for job, err := range r.lists.jobs(ctx, n.project, n.id, p.query.jobs()) {
		if err != nil {
			return nil, err
		}
		p.offer(n.candidate(job, root))
	}
	if p.done() || n.depth == maxDepth {
		return nil, nil
	}
	return r.children(ctx, n, p.query.Downstream)
}

// absent reports whether GitLab says that something doesn't exist in a project that the
// token can see.
func absent(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && refusal.StatusCode == http.StatusNotFound && !refusal.FromStorage && !refusal.ProjectNotFound()
}

// notReadable reports whether the token can't see the pipeline.
func notReadable(err error) bool { return Refused(err) || absent(err) }

// candidate adds the project to a job of the pipeline. GitLab omits it from some rows.
func (n node) candidate(job gitlab.Job, root node) candidate {
	if n.project == root.project {
		return candidate{job, root.project}
	}
	if job.Pipeline.ProjectID == 0 {
		job.Pipeline.ProjectID, _ = strconv.ParseInt(n.project, 10, 64) // the project is a number
	}
	return candidate{job, strconv.FormatInt(job.Pipeline.ProjectID, 10)}
}

// children lists the pipelines that a pipeline has triggered, newest first, including
// those of trigger jobs that were retried.
func (r *Resolver) children(ctx context.Context, n node, downstream bool) ([]node, error) {
	var children []node
	for b, err := range r.lists.bridges(ctx, n.project, n.id) {
		if err != nil {
			return nil, err
		}
		child := b.DownstreamPipeline
		if child == nil {
			continue
		}
		project := n.project
		if child.Source != "parent_pipeline" { // "pipeline": triggered in another project, or in this one
			if !downstream {
				continue
			}
			project = strconv.FormatInt(child.ProjectID, 10)
		}
		children = append(children, node{project, child.ID, n.depth + 1})
	}
	sort.Slice(children, func(i, j int) bool { return children[i].id > children[j].id })
	return children, nil
}

// fromTree returns the jobs from one pipeline, or from the newest of several that has
// them.
func (r *Resolver) fromTree(ctx context.Context, q Query) ([]Artifact, error) {
	found, refusal, err := r.inTrees(ctx, q)
	if refusal != nil {
		return r.withoutTree(ctx, q, refusal)
	}
	return found, err
}

// inTrees is fromTree for a token that can list pipelines. refusal says that it can't.
func (r *Resolver) inTrees(ctx context.Context, q Query) (found []Artifact, refusal, err error) {
	roots, err := r.roots(ctx, q)
	if Refused(err) {
		return nil, err, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var first error
	for _, root := range roots {
		p := newPicker(q, r.finished(q, ByListing))
		err := r.walk(ctx, root, p, false)
		if Refused(err) {
			return nil, err, nil
		}
		if err != nil {
			return nil, nil, r.pipelineMissing(err, q)
		}
		found, err := r.picked(p)
		if err == nil {
			return found, nil, nil
		}
		first = likelier(first, err)
		if _, elsewhere := errors.AsType[*NotFoundError](err); !elsewhere && !(q.good() && mayBeElsewhere(err)) {
			return nil, nil, err
		}
	}
	if first == nil {
		first = &NotFoundError{Query: q, What: "pipeline"}
	}
	return nil, nil, first
}

// picked returns the picker's result. It reports pipelines that couldn't be searched even
// if the jobs were found elsewhere: theirs may be the wanted ones.
func (r *Resolver) picked(p *picker) ([]Artifact, error) {
	found, err := p.result()
	for _, closed := range p.closed {
		if err == nil {
			r.onSkip(closed)
		}
	}
	return found, err
}

// withoutTree finds the jobs in the project's list of jobs, after GitLab refused a list
// of pipelines. That list doesn't contain other projects' jobs.
func (r *Resolver) withoutTree(ctx context.Context, q Query, refusal error) ([]Artifact, error) {
	found, err := r.fromProject(ctx, q)
	return found, orDownstream(q, err, refusal)
}

// orDownstream adds to the error about a missing job that it may be in another project,
// after GitLab refused a list of pipelines.
func orDownstream(q Query, err, refusal error) error {
	if missing, ok := errors.AsType[*NotFoundError](err); ok && missing.What == "job" && q.Downstream && refusal != nil {
		return &DownstreamError{Query: q, Job: missing.Job, Err: refusal}
	}
	return err
}

// pipelineMissing explains the 404 for a pipeline that isn't in the project.
func (r *Resolver) pipelineMissing(err error, q Query) error {
	if errors.Is(err, gitlab.ErrNotFound) && q.PipelineID != 0 {
		return &NotFoundError{Query: q, What: "pipeline", Err: err}
	}
	return err
}

// finished is a judge for jobs of a given pipeline. The pipeline may be running or have
// failed, but the job must have succeeded.
func (r *Resolver) finished(q Query, how Method) judge {
	return func(c candidate) verdict {
		if q.Bare {
			a := r.artifact(c, how)
			a.Job = &c.Job
			return verdict{artifact: a}
		}
		if q.good() {
			return r.onlyGood(q, c, how)
		}
		if c.Status != "success" && !q.AnyStatus {
			return verdict{err: r.stateError(c, how)}
		}
		a, err := r.available(q, c, how)
		return verdict{artifact: a, err: err}
	}
}

// stateError returns the error for an unsuccessful job.
func (r *Resolver) stateError(c candidate, how Method) *StateError {
	return &StateError{Artifact: r.artifact(c, how), FailureReason: c.FailureReason}
}
