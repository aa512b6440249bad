package gitlabtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// mergeRequestEntity is MergeRequest (lib/api/entities/merge_request.rb), as far
// as it is about branches, commits and pipelines.
type mergeRequestEntity struct {
	ID              int64             `json:"id"`
	IID             int64             `json:"iid"`
	ProjectID       int64             `json:"project_id"`
	Title           string            `json:"title"`
	Description     string            `json:"description"`
	State           string            `json:"state"`
	CreatedAt       string            `json:"created_at"`
	UpdatedAt       string            `json:"updated_at"`
	MergedAt        any               `json:"merged_at"`
	ClosedAt        any               `json:"closed_at"`
	TargetBranch    string            `json:"target_branch"`
	SourceBranch    string            `json:"source_branch"`
	Author          userEntity        `json:"author"`
	SourceProjectID int64             `json:"source_project_id"`
	TargetProjectID int64             `json:"target_project_id"`
	Labels          []string          `json:"labels"`
	Draft           bool              `json:"draft"`
	SHA             any               `json:"sha"`
	MergeCommitSHA  any               `json:"merge_commit_sha"`
	SquashCommitSHA any               `json:"squash_commit_sha"`
	Reference       string            `json:"reference"`
	References      map[string]string `json:"references"`
	WebURL          string            `json:"web_url"`
	Pipeline        *pipelineEntity   `json:"pipeline"`
	HeadPipeline    *pipelineDetails  `json:"head_pipeline"`
	DiffRefs        map[string]any    `json:"diff_refs"`
	HasConflicts    bool              `json:"has_conflicts"`
}

// projectMergeRequests routes /projects/:id/merge_requests/….
func (c *call) projectMergeRequests(project string, parts []string) {
	switch {
	case len(parts) == 0 || len(parts) > 2:
		noRoute(c.w) // not simulated
	case !c.number(parts[0]):
		invalid(c.w, "merge_request_iid is invalid")
	case len(parts) == 1:
		c.showMergeRequest(project)
	case parts[1] == "pipelines":
		c.listMergeRequestPipelines(project)
	default:
		noRoute(c.w)
	}
}

// findMergeRequest is find_merge_request_with_access (lib/api/helpers.rb): it
// answers itself, and returns nil, if there is none or the caller may not read it.
func (c *call) findMergeRequest() *MergeRequest {
	m := c.project.MergeRequest(c.id)
	switch {
	case m == nil:
		recordNotFound(c.w)
	case !c.caller.mayReadCode(c.project):
		forbidden(c.w, "")
	default:
		return m
	}
	return nil
}

// showMergeRequest is GET /projects/:id/merge_requests/:merge_request_iid
// (lib/api/merge_requests.rb), with job tokens on newer versions.
func (c *call) showMergeRequest(project string) {
	if !c.enter(project, c.s.flagged(readMergeRequests, featTokenMR)) {
		return
	}
	if m := c.findMergeRequest(); m != nil {
		respond(c.w, http.StatusOK, c.mergeRequestEntity(m))
	}
}

// listMergeRequestPipelines is GET …/merge_requests/:merge_request_iid/pipelines,
// which ignores job tokens. Of a fork it lists only what the caller may read there
// (app/finders/ci/pipelines_for_merge_request_finder.rb).
func (c *call) listMergeRequestPipelines(project string) {
	if !integers(c.w, c.r.URL.Query(), "page", "per_page") || !c.enter(project, "") {
		return
	}
	m := c.findMergeRequest()
	if m == nil {
		return
	}
	rows := []pipelineEntity{}
	for _, p := range c.s.world.MergeRequestPipelines(c.project, m) {
		owner := c.s.world.Owner(p)
		if maySee(c.caller.token, owner) && c.caller.mayReadBuilds(owner) {
			rows = append(rows, pipelineOf(p, owner, c.webURL()))
		}
	}
	paged(c, rows, true)
}

func title(m *MergeRequest) string { return cmp.Or(m.Title, "A change") }

func (c *call) mergeRequestURL(m *MergeRequest) string {
	return fmt.Sprintf("%s/%s/-/merge_requests/%d", c.webURL(), c.project.Path, m.IID)
}

func (c *call) mergeRequestEntity(m *MergeRequest) mergeRequestEntity {
	p := c.project
	e := mergeRequestEntity{
		ID: m.ID(p), IID: m.IID, ProjectID: p.ID, Title: title(m), State: m.Status(), Draft: m.Draft,
		CreatedAt: stamp(m.CreatedAt), UpdatedAt: stamp(m.CreatedAt), TargetBranch: m.TargetBranch, SourceBranch: m.SourceBranch,
		Author:          c.userEntity(cmp.Or(m.Author, world.FixtureUser)),
		SourceProjectID: cmp.Or(m.SourceProject, p.ID), TargetProjectID: p.ID, Labels: []string{}, SHA: orNull(m.SHA),
		Reference:  fmt.Sprintf("!%d", m.IID),
		References: map[string]string{"short": fmt.Sprintf("!%d", m.IID), "relative": fmt.Sprintf("!%d", m.IID), "full": fmt.Sprintf("%s!%d", p.Path, m.IID)},
		WebURL:     c.mergeRequestURL(m),
		DiffRefs:   map[string]any{"base_sha": orNull(m.BaseSHA), "head_sha": orNull(m.SHA), "start_sha": orNull(m.StartSHA)},
	}
	if head := c.headPipeline(m); head != nil && c.caller.mayReadBuilds(p) {
		basic, details := c.pipelineEntity(head), c.pipelineDetails(head)
		e.Pipeline, e.HeadPipeline = &basic, &details
	}
	return e
}

// headPipeline is the newest pipeline of the merge request in its own project for
// its head, or for the merge of it.
func (c *call) headPipeline(m *MergeRequest) *Pipeline {
	all := c.s.world.MergeRequestPipelines(c.project, m)
	i := slices.IndexFunc(all, func(p *Pipeline) bool { return c.s.world.Owner(p) == c.project })
	if i < 0 {
		return nil
	}
	return all[i]
}
