package gitlab

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"time"
)

// Bridge is a trigger job. https://docs.gitlab.com/api/jobs/#list-all-trigger-jobs-for-a-pipeline
type Bridge struct {
	ID                 int64      `json:"id"`
	Name               string     `json:"name"`
	Stage              string     `json:"stage"`
	Status             string     `json:"status"`
	CreatedAt          *time.Time `json:"created_at"`
	WebURL             string     `json:"web_url"`
	Pipeline           Pipeline   `json:"pipeline"`            // the pipeline of the job
	DownstreamPipeline *Pipeline  `json:"downstream_pipeline"` // nil until it is created, or if that failed
}

// Bridges lists the trigger jobs of a pipeline, newest first, with the pipelines that
// they have created, in the same project (child pipelines) or in another. retried
// includes jobs that were retried, whose child pipelines still count as descendants.
//
// GET /projects/:id/pipelines/:pipeline_id/trigger_jobs since GitLab 19.2, and
// …/bridges before.
func (c *Client) Bridges(ctx context.Context, project Project, pipeline int64, retried bool) iter.Seq2[Bridge, error] {
	query := url.Values{"per_page": {perPage}}
	if retried {
		query.Set("include_retried", "true")
	}
	of := func(name string) iter.Seq2[Bridge, error] {
		address := c.address(query, "projects", segment(string(project)), "pipelines", id(pipeline), name)
		rows := list(ctx, c, address, func(b Bridge) int64 { return b.ID })
		return rowsOf(c, rows, address, place{project, pipeline}, func(b Bridge) Pipeline { return b.Pipeline })
	}
	return func(yield func(Bridge, error) bool) {
		if c.noTriggerJobs.Load() {
			of("bridges")(yield)
			return
		}
		for b, err := range of("trigger_jobs") {
			if tooOld(err) {
				c.noTriggerJobs.Store(true)
				of("bridges")(yield)
				return
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// tooOld reports whether the server doesn't have the route.
func tooOld(err error) bool {
	refusal, ok := errors.AsType[*Error](err)
	return ok && refusal.lacksRoute()
}
