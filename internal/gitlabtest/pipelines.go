package gitlabtest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/entity"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// listPipelines is GET /projects/:id/pipelines.
func (c *call) listPipelines(project string) {
	query := c.r.URL.Query()
	broken, ok := c.filters(query) // validated first
	if !ok || !c.enterBuilds(project, c.s.tokenPermission(access.ReadPipelines, feature.TokenPipelines)) {
		return
	}
	wanted := c.project.Matching(query, c.s.has(feature.WideRefs))
	if broken { // no pipeline here has such errors
		wanted = nil
	}
	order, descending := world.Orders[cmp.Or(query.Get("order_by"), "id")], query.Get("sort") != "asc"
	slices.SortStableFunc(wanted, func(a, b *Pipeline) int {
		n := cmp.Or(order(a, b), cmp.Compare(a.ID, b.ID))
		if descending {
			return -n
		}
		return n
	})
	rows := make([]entity.PipelineRow, len(wanted))
	for i, p := range wanted {
		rows[i] = entity.PipelineRow{Pipeline: c.entities().Pipeline(p), Name: answer.OrNull(p.Name)}
	}
	paged(c, rows, true)
}

// filters validates the parameters of a list of pipelines in the order in which
// lib/api/ci/pipelines.rb declares them, and returns the value of yaml_errors. If they
// are invalid, it writes the answer and returns false.
func (c *call) filters(query url.Values) (yamlErrors, ok bool) {
	ok = answer.Integers(c.w, query, "page", "per_page") &&
		answer.OneOf(c.w, query, "scope", []string{"running", "pending", "finished", "branches", "tags"}) &&
		answer.OneOf(c.w, query, "status", world.Statuses)
	if !ok {
		return false, false
	}
	yamlErrors, ok = answer.Boolean(c.w, query, "yaml_errors")
	ok = ok && answer.Moments(c.w, query, "updated_before", "updated_after", "created_before", "created_after") &&
		answer.OneOf(c.w, query, "order_by", []string{"id", "status", "ref", "updated_at", "user_id"}) &&
		answer.OneOf(c.w, query, "sort", []string{"asc", "desc"}) &&
		answer.OneOf(c.w, query, "source", world.Sources)
	return yamlErrors, ok
}

// showPipeline is GET /projects/:id/pipelines/:pipeline_id, for child pipelines too. It
// looks for the pipeline before it checks permissions: a missing one is a 404 even for
// callers who can't see any.
func (c *call) showPipeline(project string) {
	if !c.enter(project, c.s.tokenPermission(access.ReadPipelines, feature.TokenPipelines)) {
		return
	}
	pipeline := c.findPipeline()
	switch {
	case pipeline == nil:
	case !c.caller.MayReadBuilds(c.project):
		answer.Forbidden(c.w, "")
	default:
		answer.Respond(c.w, http.StatusOK, c.entities().PipelineDetails(pipeline))
	}
}

// latestPipeline is GET /projects/:id/pipelines/latest, which ignores job tokens. It
// returns the newest pipeline of the ref's commit. If there is none, GitLab checks the
// permission on nil and answers 403 rather than 404.
// https://docs.gitlab.com/api/pipelines/#retrieve-the-latest-pipeline
func (c *call) latestPipeline(project string) {
	if !c.enter(project, "") {
		return
	}
	latest := c.project.Latest(cmp.Or(c.r.URL.Query().Get("ref"), c.project.DefaultBranch))
	if latest == nil || !c.caller.MayReadBuilds(c.project) {
		answer.Forbidden(c.w, "")
		return
	}
	answer.Respond(c.w, http.StatusOK, c.entities().PipelineDetails(latest))
}

// findPipeline finds the pipeline in the path. If it doesn't exist, findPipeline writes
// the answer and returns nil.
func (c *call) findPipeline() *Pipeline {
	pipeline := c.project.Pipeline(c.id)
	if pipeline == nil {
		answer.RecordNotFound(c.w)
	}
	return pipeline
}
