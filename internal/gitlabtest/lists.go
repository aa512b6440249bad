package gitlabtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// authenticated is lib/api/helpers.rb's authenticate!: nobody gets 401, before
// anything else is looked at.
func (c *call) authenticated(takesJobs bool) bool {
	caller, ok := c.s.identify(c.w, c.r, takesJobs)
	if ok && caller.token == nil {
		unauthorized(c.w)
		ok = false
	}
	return ok
}

// statuses of a job: app/models/concerns/ci/has_status.rb.
var statuses = []string{
	"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "success",
	"failed", "canceling", "canceled", "skipped", "manual", "scheduled",
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
	takesJobs := c.s.since(18, 5)
	if !c.authenticated(takesJobs) {
		return
	}
	scope, ok := c.scope()
	if !ok || !c.enter(project, takesJobs) {
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
	case number > maxOffset/size:
		offsetTooLarge(c.w)
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
	pipeline, ok := c.enterPipeline(project, c.s.since(18, 5))
	if !ok {
		return
	}
	rows := c.jobs(pipeline, scope, c.r.URL.Query().Get("include_retried") == "true")
	slices.SortFunc(rows, func(a, b jobEntity) int { return cmp.Compare(b.ID, a.ID) })
	paged(c, rows, true)
}

func (c *call) enterPipeline(project string, takesJobs bool) (*Pipeline, bool) {
	if !c.enter(project, takesJobs) {
		return nil, false
	}
	pipeline := c.project.pipeline(c.id)
	if pipeline == nil {
		recordNotFound(c.w)
	}
	return pipeline, pipeline != nil
}

func (c *call) jobs(pipeline *Pipeline, scope []string, retried bool) []jobEntity {
	var rows []jobEntity
	c.s.mu.Lock()
	for _, j := range pipeline.Jobs {
		j.advance()
	}
	c.s.mu.Unlock()
	for _, j := range pipeline.Jobs {
		if (retried || !j.Retried) && (len(scope) == 0 || slices.Contains(scope, j.status())) {
			rows = append(rows, c.jobEntity(j, pipeline))
		}
	}
	return rows
}

// listPipelines is GET /projects/:id/pipelines: with job tokens since 19.2;
// children are left out unless source=parent_pipeline asks for them.
func (c *call) listPipelines(project string) {
	if !c.enter(project, c.s.since(19, 2)) {
		return
	}
	query := c.r.URL.Query()
	wants := func(name, value string) bool { return !query.Has(name) || query.Get(name) == value }
	var rows []pipelineEntity
	c.project.each(func(p, parent *Pipeline) {
		if (parent == nil || query.Get("source") == "parent_pipeline") &&
			wants("ref", p.Ref) && wants("status", p.Status) && wants("sha", p.SHA) && wants("source", p.source()) {
			rows = append(rows, c.pipelineEntity(p))
		}
	})
	slices.SortFunc(rows, func(a, b pipelineEntity) int { return cmp.Compare(b.ID, a.ID) })
	if query.Get("sort") == "asc" {
		slices.Reverse(rows)
	}
	paged(c, rows, true)
}

// showPipeline is GET /projects/:id/pipelines/:pipeline_id.
func (c *call) showPipeline(project string) {
	if pipeline, ok := c.enterPipeline(project, c.s.since(19, 2)); ok {
		respond(c.w, http.StatusOK, c.pipelineEntity(pipeline))
	}
}

// showJob is GET /projects/:id/jobs/:job_id, for which job tokens do not do.
func (c *call) showJob(project, id string) {
	if !c.authenticated(false) {
		return
	}
	if !c.number(id) {
		invalid(c.w, "job_id is invalid")
		return
	}
	if !c.enter(project, false) {
		return
	}
	job, pipeline := c.project.job(c.id)
	if job == nil {
		recordNotFound(c.w)
		return
	}
	c.s.mu.Lock()
	job.advance()
	c.s.mu.Unlock()
	respond(c.w, http.StatusOK, c.jobEntity(job, pipeline))
}

// listBridges is GET …/bridges, and …/trigger_jobs since 19.2.
func (c *call) listBridges(project string) {
	pipeline, ok := c.enterPipeline(project, c.s.since(19, 2))
	if !ok {
		return
	}
	var rows []bridgeEntity
	for _, b := range pipeline.Bridges {
		if !b.Retried || c.r.URL.Query().Get("include_retried") == "true" {
			rows = append(rows, c.bridgeEntity(b, pipeline))
		}
	}
	slices.SortFunc(rows, func(a, b bridgeEntity) int { return cmp.Compare(b.ID, a.ID) })
	paged(c, rows, true)
}

// currentJob is GET /job, for job tokens alone.
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

// currentUser is GET /user, which clients ask to see whether their token is
// alive. Job tokens do not do for it.
// https://docs.gitlab.com/api/users/#retrieve-the-current-user
func (c *call) currentUser() {
	if c.authenticated(false) {
		respond(c.w, http.StatusOK, map[string]any{"id": 7, "username": "fixture", "name": "Fixture", "state": "active", "web_url": origin(c.r) + "/fixture"})
	}
}
