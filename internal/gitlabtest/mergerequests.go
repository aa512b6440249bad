package gitlabtest

import (
	"net/http"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/entity"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// projectMergeRequests routes /projects/:id/merge_requests/….
func (c *call) projectMergeRequests(project string, parts []string) {
	switch {
	case len(parts) == 0 || len(parts) > 2:
		answer.NoRoute(c.w) // not simulated
	case !c.number(parts[0]):
		answer.Invalid(c.w, "merge_request_iid is invalid")
	case len(parts) == 1:
		c.showMergeRequest(project)
	case parts[1] == "pipelines":
		c.listMergeRequestPipelines(project)
	default:
		answer.NoRoute(c.w)
	}
}

// findMergeRequest is find_merge_request_with_access (lib/api/helpers.rb). If the merge
// request doesn't exist or the caller can't read it, it writes the answer and returns
// nil.
func (c *call) findMergeRequest() *MergeRequest {
	m := c.project.MergeRequest(c.id)
	switch {
	case m == nil:
		answer.RecordNotFound(c.w)
	case !c.caller.MayReadCode(c.project):
		answer.Forbidden(c.w, "")
	default:
		return m
	}
	return nil
}

// showMergeRequest is GET /projects/:id/merge_requests/:merge_request_iid
// (lib/api/merge_requests.rb). Newer versions accept job tokens.
func (c *call) showMergeRequest(project string) {
	if !c.enter(project, c.s.tokenPermission(access.ReadMergeRequests, feature.TokenMR)) {
		return
	}
	if m := c.findMergeRequest(); m != nil {
		answer.Respond(c.w, http.StatusOK, c.entities().MergeRequest(m, c.headPipeline(m)))
	}
}

// listMergeRequestPipelines is GET …/merge_requests/:merge_request_iid/pipelines, which
// ignores job tokens. If the merge request comes from a fork, it lists only what the
// caller may read there (app/finders/ci/pipelines_for_merge_request_finder.rb).
func (c *call) listMergeRequestPipelines(project string) {
	if !answer.Integers(c.w, c.r.URL.Query(), "page", "per_page") || !c.enter(project, "") {
		return
	}
	m := c.findMergeRequest()
	if m == nil {
		return
	}
	rows := []entity.Pipeline{}
	for _, p := range c.s.world.MergeRequestPipelines(c.project, m) {
		owner := c.s.world.Owner(p)
		if access.MaySee(c.caller.Token, owner) && c.caller.MayReadBuilds(owner) {
			rows = append(rows, entity.PipelineOf(p, owner, c.webURL()))
		}
	}
	paged(c, rows, true)
}

// headPipeline returns the newest pipeline in the merge request's project for its head or
// its merge; nil if the caller can't read pipelines.
func (c *call) headPipeline(m *MergeRequest) *Pipeline {
	if !c.caller.MayReadBuilds(c.project) {
		return nil
	}
	all := c.s.world.MergeRequestPipelines(c.project, m)
	i := slices.IndexFunc(all, func(p *Pipeline) bool { return c.s.world.Owner(p) == c.project })
	if i < 0 {
		return nil
	}
	return all[i]
}
