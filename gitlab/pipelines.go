package gitlab

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Pipeline is a pipeline as lists show it.
// https://docs.gitlab.com/api/pipelines/
type Pipeline struct {
	ID        int64      `json:"id"`
	IID       int64      `json:"iid"`
	ProjectID int64      `json:"project_id"`
	SHA       string     `json:"sha"`
	Ref       string     `json:"ref"`
	Status    string     `json:"status"`
	Source    string     `json:"source"`
	CreatedAt *time.Time `json:"created_at"`
	UpdatedAt *time.Time `json:"updated_at"`
	WebURL    string     `json:"web_url"`
}

// PipelinesOptions narrow a list of pipelines. The zero value lists all.
type PipelinesOptions struct {
	Ref    string
	Status string
	SHA    string // the full one
	Source string // "parent_pipeline" lists children, which are left out otherwise
	// PerPage is how many rows a page has; zero means as many as the server gives.
	PerPage int
}

// Pipelines lists the pipelines of a project, highest id first, without
// children. GET /projects/:id/pipelines
func (c *Client) Pipelines(ctx context.Context, project Project, o PipelinesOptions) iter.Seq2[Pipeline, error] {
	query := url.Values{"per_page": {perPage}, "order_by": {"id"}, "sort": {"desc"}}
	for name, value := range map[string]string{"ref": o.Ref, "status": o.Status, "sha": o.SHA, "source": o.Source} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if o.PerPage > 0 && o.PerPage < maxPerPage {
		query.Set("per_page", strconv.Itoa(o.PerPage))
	}
	return list(ctx, c, c.address(query, "projects", segment(string(project)), "pipelines"), Pipeline.id)
}

func (p Pipeline) id() int64 { return p.ID }

// Pipeline returns one pipeline, children included.
// GET /projects/:id/pipelines/:pipeline_id
func (c *Client) Pipeline(ctx context.Context, project Project, pipeline int64) (Pipeline, error) {
	var p Pipeline
	_, err := c.get(ctx, c.address(nil, "projects", segment(string(project)), "pipelines", id(pipeline)), &p)
	return p, err
}
