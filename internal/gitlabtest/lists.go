package gitlabtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// paged answers with one page of rows, which are sorted by id, newest first:
// lib/gitlab/pagination/offset_header_builder.rb. counts adds the totals.
func paged[T any](c *call, rows []T, counts bool) {
	query := c.r.URL.Query()
	size := min(atLeast(query.Get("per_page"), 20), c.s.opts.PerPage)
	if query.Get("pagination") == "keyset" {
		keyset(c, rows, size)
		return
	}
	number := atLeast(query.Get("page"), 1)
	from := min((number-1)*size, len(rows))
	to := min(from+size, len(rows))
	h := c.w.Header()
	h.Set("X-Page", strconv.Itoa(number))
	h.Set("X-Per-Page", strconv.Itoa(size))
	h.Set("X-Next-Page", "")
	h.Set("X-Prev-Page", "")
	if to < len(rows) {
		h.Set("X-Next-Page", strconv.Itoa(number+1))
		query.Set("page", strconv.Itoa(number+1))
		h.Set("Link", c.link(query))
	}
	if counts {
		h.Set("X-Total", strconv.Itoa(len(rows)))
		h.Set("X-Total-Pages", strconv.Itoa((len(rows)+size-1)/size))
	}
	respond(c.w, http.StatusOK, orEmpty(rows[from:to]))
}

// keyset pages carry a cursor and nothing but rel="next".
func keyset[T any](c *call, rows []T, size int) {
	query := c.r.URL.Query()
	from := min(atLeast(query.Get("cursor"), 1)-1, len(rows))
	to := min(from+size, len(rows))
	if to < len(rows) {
		query.Set("cursor", strconv.Itoa(to+1))
		c.w.Header().Set("Link", c.link(query))
	}
	respond(c.w, http.StatusOK, orEmpty(rows[from:to]))
}

// link is built from the host that the instance is configured with.
func (c *call) link(query url.Values) string {
	host := c.r.Host
	if c.s.opts.LinkHost != "" {
		host = c.s.opts.LinkHost
	}
	return fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, host, c.r.URL.EscapedPath(), query.Encode())
}

func atLeast(value string, least int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return least
	}
	return n
}

func orEmpty[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

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
	if !c.authenticated(takesJobs) || !c.enter(project, takesJobs) {
		return
	}
	scope, ok := c.scope()
	if !ok {
		return
	}
	var rows []jobEntity
	c.project.each(func(pipeline, _ *Pipeline) {
		rows = append(rows, c.jobs(pipeline, scope, true)...)
	})
	slices.SortFunc(rows, func(a, b jobEntity) int { return cmp.Compare(b.ID, a.ID) })
	paged(c, rows, false)
}

// listPipelineJobs is GET /projects/:id/pipelines/:pipeline_id/jobs: with job
// tokens since about 18.5; before, they are nobody's.
func (c *call) listPipelineJobs(project string) {
	pipeline, ok := c.enterPipeline(project, c.s.since(18, 5))
	if !ok {
		return
	}
	scope, ok := c.scope()
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
func (c *call) showJob(project string) {
	if !c.authenticated(false) || !c.enter(project, false) {
		return
	}
	job, pipeline := c.project.job(c.id)
	if job == nil {
		recordNotFound(c.w)
		return
	}
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
		if !b.Retried {
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
		p, _ := c.s.findProject(strconv.FormatInt(caller.token.Project, 10))
		c.project = p
		if job, pipeline := p.job(caller.token.Job); job != nil {
			respond(c.w, http.StatusOK, c.jobEntity(job, pipeline))
			return
		}
		notFound(c.w, "Job")
	}
}
