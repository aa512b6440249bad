package gitlabtest

import (
	"cmp"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/entity"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// listParams are the parameters of a list of jobs or trigger jobs.
type listParams struct {
	scope   []string // statuses; empty means any
	retried bool
}

// takes reports whether a job with that status belongs in the list.
func (p listParams) takes(status string, retried bool) bool {
	return (p.retried || !retried) && (len(p.scope) == 0 || slices.Contains(p.scope, status))
}

// listParams validates them. If they are invalid, it writes the answer and returns false.
func (c *call) listParams() (listParams, bool) {
	query := c.r.URL.Query()
	scope, ok := answer.JobScope(c.w, query)
	if !ok || !answer.Integers(c.w, query, "page", "per_page") {
		return listParams{}, false
	}
	retried, ok := answer.Boolean(c.w, query, "include_retried")
	return listParams{scope, retried}, ok
}

// listProjectJobs is GET /projects/:id/jobs. It includes retried jobs and sends no
// totals.
func (c *call) listProjectJobs(project string) {
	permission := c.s.tokenPermission(access.ReadJobs, feature.TokenProjectJobs)
	if !c.authenticated(permission) {
		return
	}
	params, ok := c.listParams()
	if !ok || c.limited(limitJobsIndex) || !c.enterBuilds(project, permission) {
		return
	}
	params.retried = true
	var rows []entity.Job
	c.project.Each(func(pipeline, _ *Pipeline) {
		rows = append(rows, c.jobs(pipeline, params)...)
	})
	slices.SortFunc(rows, func(a, b entity.Job) int { return cmp.Compare(b.ID, a.ID) })
	query := c.r.URL.Query()
	size, number := c.pageSize(query), answer.Positive(query.Get("page"), 1)
	switch {
	case query.Get("pagination") == "keyset":
		keyset(c, rows)
	case number > c.s.opts.MaxOffset/size:
		offsetTooLarge(c.w, c.s.opts.MaxOffset)
	default:
		paged(c, rows, false)
	}
}

// listPipelineJobs is GET /projects/:id/pipelines/:pipeline_id/jobs. Older
// versions ignore job tokens.
func (c *call) listPipelineJobs(project string) {
	params, ok := c.listParams() // validated first
	if !ok || !c.enterBuilds(project, c.s.tokenPermission(access.ReadJobs, feature.TokenJobs)) {
		return
	}
	if pipeline := c.findPipeline(); pipeline != nil {
		rows := c.jobs(pipeline, params)
		slices.SortFunc(rows, func(a, b entity.Job) int { return cmp.Compare(b.ID, a.ID) })
		paged(c, rows, true)
	}
}

func (c *call) jobs(pipeline *Pipeline, params listParams) []entity.Job {
	var rows []entity.Job
	for _, j := range pipeline.Jobs {
		c.s.world.Look(j, pipeline)
		if params.takes(j.State(), j.Retried) {
			rows = append(rows, c.entities().Job(j, pipeline))
		}
	}
	return rows
}

// listBridges is GET …/bridges, and …/trigger_jobs in newer versions.
func (c *call) listBridges(project string) {
	params, ok := c.listParams() // validated first
	if !ok || !c.enterBuilds(project, c.s.tokenPermission(access.ReadPipelines, feature.TokenPipelines)) {
		return
	}
	pipeline := c.findPipeline()
	if pipeline == nil {
		return
	}
	var rows []entity.Bridge
	for _, b := range pipeline.Bridges {
		if params.takes(b.State(), b.Retried) {
			rows = append(rows, c.entities().Bridge(b, pipeline))
		}
	}
	slices.SortFunc(rows, func(a, b entity.Bridge) int { return cmp.Compare(b.ID, a.ID) })
	paged(c, rows, true)
}
