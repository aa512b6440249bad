package gitlabtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// authenticated is lib/api/helpers.rb's authenticate!: nobody gets 401, before
// anything else is looked at.
func (c *call) authenticated(permission string) bool {
	caller, ok := c.s.identify(c.w, c.r, permission != "")
	if ok && caller.token == nil {
		unauthorized(c.w)
		ok = false
	}
	return ok
}

// scope reads scope and scope[]; false means that the answer was given.
func (c *call) scope() ([]string, bool) {
	query := c.r.URL.Query()
	scope := slices.Concat(query["scope"], query["scope[]"])
	for _, status := range scope {
		if !slices.Contains(statuses, status) {
			invalid(c.w, "scope does not have a valid value")
			return nil, false
		}
	}
	return scope, true
}

// listProjectJobs is GET /projects/:id/jobs: with job tokens since about 18.5,
// retried jobs included, no totals.
func (c *call) listProjectJobs(project string) {
	permission := c.s.flagged(readJobs, 18, 5)
	if !c.authenticated(permission) {
		return
	}
	scope, ok := c.scope()
	if !ok || !c.enter(project, permission) {
		return
	}
	var rows []jobEntity
	c.project.each(func(pipeline, _ *Pipeline) {
		rows = append(rows, c.jobs(pipeline, scope, true)...)
	})
	slices.SortFunc(rows, func(a, b jobEntity) int { return cmp.Compare(b.ID, a.ID) })
	query := c.r.URL.Query()
	size, number := c.pageSize(query), positive(query.Get("page"), 1)
	switch {
	case query.Get("pagination") == "keyset":
		keyset(c, rows)
	case number > c.s.opts.MaxOffset/size:
		offsetTooLarge(c.w, c.s.opts.MaxOffset)
	default:
		paged(c, rows, false)
	}
}

// listPipelineJobs is GET /projects/:id/pipelines/:pipeline_id/jobs: with job
// tokens since about 18.5; before, they are nobody's.
func (c *call) listPipelineJobs(project string) {
	scope, ok := c.scope() // validated before anything else
	if !ok {
		return
	}
	pipeline, ok := c.enterPipeline(project, c.s.flagged(readJobs, 18, 5))
	if !ok {
		return
	}
	rows := c.jobs(pipeline, scope, c.includeRetried())
	slices.SortFunc(rows, func(a, b jobEntity) int { return cmp.Compare(b.ID, a.ID) })
	paged(c, rows, true)
}

func (c *call) includeRetried() bool { return c.r.URL.Query().Get("include_retried") == "true" }

func (c *call) jobs(pipeline *Pipeline, scope []string, retried bool) []jobEntity {
	var rows []jobEntity
	for _, j := range pipeline.Jobs {
		c.s.world.look(j, pipeline)
		if (retried || !j.Retried) && (len(scope) == 0 || slices.Contains(scope, j.status())) {
			rows = append(rows, c.jobEntity(j, pipeline))
		}
	}
	return rows
}

// listBridges is GET …/bridges, and …/trigger_jobs since 19.2.
func (c *call) listBridges(project string) {
	scope, ok := c.scope() // validated before anything else
	if !ok {
		return
	}
	pipeline, ok := c.enterPipeline(project, c.s.flagged(readPipelines, 19, 2))
	if !ok {
		return
	}
	var rows []bridgeEntity
	for _, b := range pipeline.Bridges {
		if (!b.Retried || c.includeRetried()) && (len(scope) == 0 || slices.Contains(scope, b.status())) {
			rows = append(rows, c.bridgeEntity(b, pipeline))
		}
	}
	slices.SortFunc(rows, func(a, b bridgeEntity) int { return cmp.Compare(b.ID, a.ID) })
	paged(c, rows, true)
}

// showJob is GET /projects/:id/jobs/:job_id, for which job tokens do not do.
func (c *call) showJob(project, id string) {
	if job, pipeline := c.enterJob(project, id); job != nil {
		c.s.world.look(job, pipeline)
		respond(c.w, http.StatusOK, c.jobEntity(job, pipeline))
	}
}

// trace is GET /projects/:id/jobs/:job_id/trace: all of the log so far, and never
// a range of it.
func (c *call) trace(project, id string) {
	job, pipeline := c.enterJob(project, id)
	if job == nil {
		return
	}
	if job.DebugTrace && !c.caller.atLeast(c.project, "developer") { // app/policies/ci/build_policy.rb
		forbidden(c.w, "")
		return
	}
	c.s.world.look(job, pipeline)
	h := c.w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Disposition", `infile; filename="`+strconv.FormatInt(job.ID, 10)+`.log"`)
	_, _ = c.w.Write([]byte(job.readLog()))
}

// enterJob finds a job for a route of lib/api/ci/jobs.rb that reads one; it
// answers itself, and returns nil, if there is none.
func (c *call) enterJob(project, id string) (*Job, *Pipeline) {
	if !c.act(project, id) {
		return nil, nil
	}
	return c.findJob()
}

// findJob is find_build! of lib/api/helpers.rb: trigger jobs are none.
func (c *call) findJob() (*Job, *Pipeline) {
	job, pipeline := c.project.job(c.id)
	if job == nil {
		recordNotFound(c.w)
	}
	return job, pipeline
}

// currentJob is GET /job, for job tokens alone. Fine-grained permissions do not
// touch it.
func (c *call) currentJob() {
	caller, ok := c.s.identify(c.w, c.r, true)
	switch {
	case !ok:
	case caller.token == nil:
		unauthorized(c.w)
	case !caller.job:
		notFound(c.w, "Job")
	default:
		if c.project, _ = c.s.findProject(strconv.FormatInt(caller.token.Project, 10)); c.project != nil {
			if job, pipeline := c.project.job(caller.token.Job); job != nil {
				respond(c.w, http.StatusOK, c.jobEntity(job, pipeline))
				return
			}
		}
		notFound(c.w, "Job")
	}
}
