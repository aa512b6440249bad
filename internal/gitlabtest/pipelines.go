package gitlabtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
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

// pipelineRow is one of a list.
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
}

func (c *call) pipelineEntity(p *Pipeline) pipelineEntity {
	return pipelineOf(p, c.project, c.webURL())
}

func pipelineOf(p *Pipeline, of *Project, web string) pipelineEntity {
	return pipelineEntity{
		ID: p.ID, IID: p.ID % 100, ProjectID: of.ID, SHA: p.SHA, Ref: p.Ref, Status: p.Status, Source: p.source(),
		CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.updatedAt()),
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
		User: c.userEntity(p.user()), StartedAt: stamp(p.CreatedAt),
		DetailedStatus: map[string]any{"icon": "status_" + p.Status, "text": p.Status, "label": p.Status, "group": p.Status, "has_details": true},
	}
	if slices.Contains(completed, p.Status) {
		e.FinishedAt, e.Duration = stamp(p.updatedAt()), int(p.updatedAt().Sub(p.CreatedAt).Seconds())
	}
	return e
}

// listPipelines is GET /projects/:id/pipelines: with job tokens since 19.2.
func (c *call) listPipelines(project string) {
	query := c.r.URL.Query()
	if wrong := wrongFilter(query); wrong != "" { // validated before anything else
		invalid(c.w, wrong)
		return
	}
	if !c.enter(project, c.s.flagged(readPipelines, 19, 2)) {
		return
	}
	wanted := c.project.matching(query)
	order, descending := orders[firstOf(query.Get("order_by"), "id")], query.Get("sort") != "asc"
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

var orders = map[string]func(a, b *Pipeline) int{
	"id":         func(a, b *Pipeline) int { return cmp.Compare(a.ID, b.ID) },
	"status":     func(a, b *Pipeline) int { return cmp.Compare(a.Status, b.Status) },
	"ref":        func(a, b *Pipeline) int { return cmp.Compare(a.Ref, b.Ref) },
	"updated_at": func(a, b *Pipeline) int { return a.updatedAt().Compare(b.updatedAt()) },
	"user_id":    func(a, b *Pipeline) int { return cmp.Compare(a.user(), b.user()) },
}

// sources of a pipeline (app/models/concerns/enums/ci/pipeline.rb).
var sources = slices.Concat([]string{
	"push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "merge_request_event",
	"external_pull_request_event", "unknown",
}, notCISources)

// wrongFilter says which filter of a list of pipelines does not validate.
func wrongFilter(query url.Values) string {
	for name, values := range map[string][]string{
		"scope": {"running", "pending", "finished", "branches", "tags"}, "status": statuses, "source": sources,
		"order_by": {"id", "status", "ref", "updated_at", "user_id"}, "sort": {"asc", "desc"},
	} {
		if query.Has(name) && !slices.Contains(values, query.Get(name)) {
			return name + " does not have a valid value"
		}
	}
	for _, name := range []string{"updated_before", "updated_after", "created_before", "created_after"} {
		if _, err := moment(query.Get(name)); query.Has(name) && err != nil {
			return name + " is invalid"
		}
	}
	return ""
}

// moment reads ISO 8601: a time, or a day.
func moment(value string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, value); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, value)
}

// matching is app/finders/ci/pipelines_finder.rb: children are left out unless
// source=parent_pipeline asks for them.
func (p *Project) matching(query url.Values) []*Pipeline {
	is := func(name, value string) bool { return !query.Has(name) || query.Get(name) == value }
	within := func(name string, at time.Time) bool {
		before, after := query.Get(name+"_before"), query.Get(name+"_after")
		earliest, _ := moment(after) // validated
		latest, _ := moment(before)  // validated
		return (after == "" || !at.Before(earliest)) && (before == "" || !at.After(latest))
	}
	var found []*Pipeline
	p.each(func(one, parent *Pipeline) {
		if (parent == nil || query.Get("source") == "parent_pipeline") && p.inScope(query.Get("scope"), one) &&
			is("ref", one.Ref) && is("status", one.Status) && is("sha", one.SHA) && is("source", one.source()) &&
			is("name", one.Name) && is("username", one.user()) && query.Get("yaml_errors") != "true" &&
			within("updated", one.updatedAt()) && within("created", one.CreatedAt) {
			found = append(found, one)
		}
	})
	return found
}

// inScope is by_scope of the same finder: of branches and of tags, the newest
// pipeline of each.
func (p *Project) inScope(scope string, one *Pipeline) bool {
	switch scope {
	case "running", "pending":
		return one.Status == scope
	case "finished":
		return slices.Contains([]string{"success", "failed", "canceled"}, one.Status)
	case "branches", "tags":
		return one.Tag == (scope == "tags") && !strings.HasPrefix(one.Ref, "refs/") &&
			!slices.ContainsFunc(p.Pipelines, func(other *Pipeline) bool {
				return other.Ref == one.Ref && other.Tag == one.Tag && other.ID > one.ID
			})
	}
	return true
}

// showPipeline is GET /projects/:id/pipelines/:pipeline_id, of children too.
func (c *call) showPipeline(project string) {
	if pipeline, ok := c.enterPipeline(project, c.s.flagged(readPipelines, 19, 2)); ok {
		respond(c.w, http.StatusOK, c.pipelineDetails(pipeline))
	}
}

// latestPipeline is GET /projects/:id/pipelines/latest, for which job tokens do
// not do: the newest pipeline of the commit that the ref points at. Where there
// is none, that is forbidden and not missing: the permission is asked of nothing.
// https://docs.gitlab.com/api/pipelines/#retrieve-the-latest-pipeline
func (c *call) latestPipeline(project string) {
	if !c.enter(project, "") {
		return
	}
	newest := c.project.latest(firstOf(c.r.URL.Query().Get("ref"), c.project.DefaultBranch))
	if newest == nil {
		forbidden(c.w, "")
		return
	}
	respond(c.w, http.StatusOK, c.pipelineDetails(newest))
}

// latest is Project#latest_pipeline (app/models/project.rb).
func (p *Project) latest(ref string) *Pipeline {
	head, known := p.Heads[ref]
	var newest *Pipeline
	for _, one := range p.Pipelines {
		fits := one.Ref == ref && (!known || one.SHA == head) && !slices.Contains(notCISources, one.source())
		if fits && (newest == nil || one.ID > newest.ID) {
			newest = one
		}
	}
	if known && head == "" {
		return nil
	}
	return newest
}

// enterPipeline is enter for what is below one pipeline.
func (c *call) enterPipeline(project, permission string) (*Pipeline, bool) {
	if !c.enter(project, permission) {
		return nil, false
	}
	pipeline := c.project.pipeline(c.id)
	if pipeline == nil {
		recordNotFound(c.w)
	}
	return pipeline, pipeline != nil
}
