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
	broken, ok := c.filters(query) // validated before anything else
	if !ok || !c.enterBuilds(project, c.s.flagged(access.ReadPipelines, feature.TokenPipelines)) {
		return
	}
	wanted := c.project.Matching(query, c.s.has(feature.WideRefs))
	if broken { // no pipeline here has errors in its configuration
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

// filters validates the parameters of a list of pipelines, in the order in which
// lib/api/ci/pipelines.rb declares them. yamlErrors is one of them; false means
// that the answer was given.
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

// showPipeline is GET /projects/:id/pipelines/:pipeline_id, of child pipelines
// too. The pipeline is looked for before the caller is asked about: a missing one
// is 404 even for those who may not see any.
func (c *call) showPipeline(project string) {
	if !c.enter(project, c.s.flagged(access.ReadPipelines, feature.TokenPipelines)) {
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

// latestPipeline is GET /projects/:id/pipelines/latest, which ignores job tokens:
// the newest pipeline of the commit that the ref points at. Without one the answer
// is forbidden and not missing: the permission is asked of nothing.
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

// findPipeline finds the pipeline that the address names; it answers itself, and
// returns nil, if there is none.
func (c *call) findPipeline() *Pipeline {
	pipeline := c.project.Pipeline(c.id)
	if pipeline == nil {
		answer.RecordNotFound(c.w)
	}
	return pipeline
}
