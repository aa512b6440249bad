package gitlab

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Pipeline is a pipeline in a list. https://docs.gitlab.com/api/pipelines/
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
	SHA    string // unabbreviated
	Source string // "parent_pipeline" lists children, which are omitted otherwise
	// PerPage is the number of rows per page; zero means the server's maximum.
	PerPage int
}

// maxForeign is how many consecutive pipelines of other refs end a ref's list.
const maxForeign = 1000

// Pipelines lists the pipelines of a project, highest ID first, without children. GET
// /projects/:id/pipelines
//
// Since 19.2, GitLab's list for a branch contains those of its merge requests, which have
// their own refs; they are omitted.
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
	address := c.address(query, "projects", segment(string(project)), "pipelines")
	rows := rowsOf(c, list(ctx, c, address, Pipeline.id), address, place{project: project}, func(p Pipeline) Pipeline { return p })
	if o.Ref == "" {
		return rows
	}
	return func(yield func(Pipeline, error) bool) {
		foreign := 0
		for p, err := range rows {
			if err != nil || p.Ref == o.Ref {
				if foreign = 0; !yield(p, err) {
					return
				}
			} else if foreign++; foreign == maxForeign {
				return
			}
		}
	}
}

func (p Pipeline) id() int64 { return p.ID }

// Pipeline returns one pipeline, children included.
// GET /projects/:id/pipelines/:pipeline_id
func (c *Client) Pipeline(ctx context.Context, project Project, pipeline int64) (Pipeline, error) {
	var p Pipeline
	a, err := c.get(ctx, c.address(nil, "projects", segment(string(project)), "pipelines", id(pipeline)), &p)
	if err == nil {
		err = a.of(c, place{project, pipeline}, p)
	}
	return p, err
}
