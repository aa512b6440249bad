package gitlabtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// pipelineEntity is PipelineBasic (lib/api/entities/ci/pipeline_basic.rb).
type pipelineEntity struct {
	ID        int64  `json:"id"`
	IID       int64  `json:"iid"`
	ProjectID int64  `json:"project_id"`
	SHA       string `json:"sha"`
	Ref       string `json:"ref"`
	Status    string `json:"status"`
	Source    string `json:"source"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
	WebURL    string `json:"web_url"`
}

// pipelineRow is one of a list
// (lib/api/entities/ci/pipeline_basic_with_metadata.rb).
type pipelineRow struct {
	pipelineEntity
	Name any `json:"name"`
}

// pipelineDetails is Pipeline (lib/api/entities/ci/pipeline.rb).
type pipelineDetails struct {
	pipelineEntity
	Name           any        `json:"name"`
	BeforeSHA      string     `json:"before_sha"`
	Tag            bool       `json:"tag"`
	YAMLErrors     any        `json:"yaml_errors"`
	User           userEntity `json:"user"`
	StartedAt      any        `json:"started_at"`
	FinishedAt     any        `json:"finished_at"`
	CommittedAt    any        `json:"committed_at"`
	Duration       any        `json:"duration"`
	QueuedDuration any        `json:"queued_duration"`
	Coverage       any        `json:"coverage"`
	DetailedStatus any        `json:"detailed_status"`
	Archived       bool       `json:"archived"`
	MergeRequest   any        `json:"merge_request,omitempty"`
}

func (c *call) pipelineEntity(p *Pipeline) pipelineEntity {
	return pipelineOf(p, c.project, c.webURL())
}

func pipelineOf(p *Pipeline, of *Project, web string) pipelineEntity {
	return pipelineEntity{
		ID: p.ID, IID: p.ID % 100, ProjectID: of.ID, SHA: p.SHA, Ref: p.Ref, Status: p.Status, Source: p.SourceName(),
		CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.Updated()),
		WebURL: fmt.Sprintf("%s/%s/-/pipelines/%d", web, of.Path, p.ID),
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (c *call) pipelineDetails(p *Pipeline) pipelineDetails {
	e := pipelineDetails{
		pipelineEntity: c.pipelineEntity(p), Name: orNull(p.Name), BeforeSHA: strings.Repeat("0", 40), Tag: p.Tag,
		User: c.userEntity(p.Starter()), StartedAt: stamp(p.CreatedAt), Coverage: coverage(p),
		DetailedStatus: map[string]any{"icon": "status_" + p.Status, "text": p.Status, "label": p.Status, "group": p.Status, "has_details": true},
	}
	if slices.Contains(world.Completed, p.Status) {
		e.FinishedAt, e.Duration = stamp(p.Updated()), int(p.Updated().Sub(p.CreatedAt).Seconds())
	}
	if m, _ := c.project.MergeRequestOf(p); m != nil && c.s.has(featPipelineMR) {
		e.MergeRequest = map[string]any{"iid": m.IID, "title": title(m), "web_url": c.mergeRequestURL(m)}
	}
	return e
}

// coverage of a pipeline is the average of its jobs', as a string; without any,
// it is null.
func coverage(p *Pipeline) any {
	sum, count := 0.0, 0
	for _, j := range p.Jobs {
		if j.Coverage != nil && !j.Retried {
			sum, count = sum+*j.Coverage, count+1
		}
	}
	if count == 0 {
		return nil
	}
	return fmt.Sprintf("%.2f", sum/float64(count))
}

// listPipelines is GET /projects/:id/pipelines.
func (c *call) listPipelines(project string) {
	query := c.r.URL.Query()
	broken, ok := c.filters(query) // validated before anything else
	if !ok || !c.enterBuilds(project, c.s.flagged(readPipelines, featTokenPipelines)) {
		return
	}
	wanted := c.project.Matching(query, c.s.has(featWideRefs))
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
	rows := make([]pipelineRow, len(wanted))
	for i, p := range wanted {
		rows[i] = pipelineRow{c.pipelineEntity(p), orNull(p.Name)}
	}
	paged(c, rows, true)
}

// filters validates the parameters of a list of pipelines, in the order in which
// lib/api/ci/pipelines.rb declares them. yamlErrors is one of them; false means
// that the answer was given.
func (c *call) filters(query url.Values) (yamlErrors, ok bool) {
	ok = integers(c.w, query, "page", "per_page") &&
		oneOf(c.w, query, "scope", []string{"running", "pending", "finished", "branches", "tags"}) &&
		oneOf(c.w, query, "status", world.Statuses)
	if !ok {
		return false, false
	}
	yamlErrors, ok = boolean(c.w, query, "yaml_errors")
	ok = ok && moments(c.w, query, "updated_before", "updated_after", "created_before", "created_after") &&
		oneOf(c.w, query, "order_by", []string{"id", "status", "ref", "updated_at", "user_id"}) &&
		oneOf(c.w, query, "sort", []string{"asc", "desc"}) &&
		oneOf(c.w, query, "source", world.Sources)
	return yamlErrors, ok
}

// showPipeline is GET /projects/:id/pipelines/:pipeline_id, of child pipelines
// too. The pipeline is looked for before the caller is asked about: a missing one
// is 404 even for those who may not see any.
func (c *call) showPipeline(project string) {
	if !c.enter(project, c.s.flagged(readPipelines, featTokenPipelines)) {
		return
	}
	pipeline := c.findPipeline()
	switch {
	case pipeline == nil:
	case !c.caller.mayReadBuilds(c.project):
		forbidden(c.w, "")
	default:
		respond(c.w, http.StatusOK, c.pipelineDetails(pipeline))
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
	if latest == nil || !c.caller.mayReadBuilds(c.project) {
		forbidden(c.w, "")
		return
	}
	respond(c.w, http.StatusOK, c.pipelineDetails(latest))
}

// findPipeline finds the pipeline that the address names; it answers itself, and
// returns nil, if there is none.
func (c *call) findPipeline() *Pipeline {
	pipeline := c.project.Pipeline(c.id)
	if pipeline == nil {
		recordNotFound(c.w)
	}
	return pipeline
}
