package entity

import (
	"fmt"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// Pipeline is PipelineBasic (lib/api/entities/ci/pipeline_basic.rb).
type Pipeline struct {
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

// PipelineRow is a pipeline in a list
// (lib/api/entities/ci/pipeline_basic_with_metadata.rb).
type PipelineRow struct {
	Pipeline
	Name any `json:"name"`
}

// PipelineDetails is Pipeline (lib/api/entities/ci/pipeline.rb).
type pipelineDetails struct {
	Pipeline
	Name           any    `json:"name"`
	BeforeSHA      string `json:"before_sha"`
	Tag            bool   `json:"tag"`
	YAMLErrors     any    `json:"yaml_errors"`
	User           User   `json:"user"`
	StartedAt      any    `json:"started_at"`
	FinishedAt     any    `json:"finished_at"`
	CommittedAt    any    `json:"committed_at"`
	Duration       any    `json:"duration"`
	QueuedDuration any    `json:"queued_duration"`
	Coverage       any    `json:"coverage"`
	DetailedStatus any    `json:"detailed_status"`
	Archived       bool   `json:"archived"`
	MergeRequest   any    `json:"merge_request,omitempty"`
}

// Pipeline makes the entity of a pipeline of the project.
func (in Instance) Pipeline(p *world.Pipeline) Pipeline {
	return PipelineOf(p, in.Project, in.Web)
}

// PipelineOf makes the entity of any project's pipeline. web is the instance's address.
func PipelineOf(p *world.Pipeline, of *world.Project, web string) Pipeline {
	return Pipeline{
		ID: p.ID, IID: p.ID % 100, ProjectID: of.ID, SHA: p.SHA, Ref: p.Ref, Status: p.Status, Source: p.SourceName(),
		CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.Updated()),
		WebURL: fmt.Sprintf("%s/%s/-/pipelines/%d", web, of.Path, p.ID),
	}
}

// PipelineDetails makes the entity of a single pipeline.
func (in Instance) PipelineDetails(p *world.Pipeline) pipelineDetails {
	e := pipelineDetails{
		Pipeline: in.Pipeline(p), Name: answer.OrNull(p.Name), BeforeSHA: strings.Repeat("0", 40), Tag: p.Tag,
		User: in.User(p.Starter()), StartedAt: stamp(p.CreatedAt), Coverage: coverage(p),
		DetailedStatus: map[string]any{"icon": "status_" + p.Status, "text": p.Status, "label": p.Status, "group": p.Status, "has_details": true},
	}
	if slices.Contains(world.Completed, p.Status) {
		e.FinishedAt, e.Duration = stamp(p.Updated()), int(p.Updated().Sub(p.CreatedAt).Seconds())
	}
	if m, _ := in.Project.MergeRequestOf(p); m != nil && in.PipelineMR {
		e.MergeRequest = map[string]any{"iid": m.IID, "title": Title(m), "web_url": in.mergeRequestURL(m)}
	}
	return e
}

// coverage returns the average coverage of the jobs as a string; nil if no job has one.
func coverage(p *world.Pipeline) any {
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
