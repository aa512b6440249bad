package entity

import (
	"cmp"
	"fmt"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// MergeRequest is MergeRequest (lib/api/entities/merge_request.rb):
// only what concerns branches, commits and pipelines.
type MergeRequest struct {
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
	Author          User              `json:"author"`
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
	Pipeline        *Pipeline         `json:"pipeline"`
	HeadPipeline    *pipelineDetails  `json:"head_pipeline"`
	DiffRefs        map[string]any    `json:"diff_refs"`
	HasConflicts    bool              `json:"has_conflicts"`
}

// Title returns the title, or a default one.
func Title(m *world.MergeRequest) string { return cmp.Or(m.Title, "A change") }

func (in Instance) mergeRequestURL(m *world.MergeRequest) string {
	return fmt.Sprintf("%s/%s/-/merge_requests/%d", in.Web, in.Project.Path, m.IID)
}

// MergeRequest makes the entity of a merge request. head is its newest pipeline, or nil.
func (in Instance) MergeRequest(m *world.MergeRequest, head *world.Pipeline) MergeRequest {
	p := in.Project
	e := MergeRequest{
		ID: m.ID(p), IID: m.IID, ProjectID: p.ID, Title: Title(m), State: m.Status(), Draft: m.Draft,
		CreatedAt: stamp(m.CreatedAt), UpdatedAt: stamp(m.CreatedAt), TargetBranch: m.TargetBranch, SourceBranch: m.SourceBranch,
		Author:          in.User(cmp.Or(m.Author, world.FixtureUser)),
		SourceProjectID: cmp.Or(m.SourceProject, p.ID), TargetProjectID: p.ID, Labels: []string{}, SHA: answer.OrNull(m.SHA),
		Reference:  fmt.Sprintf("!%d", m.IID),
		References: map[string]string{"short": fmt.Sprintf("!%d", m.IID), "relative": fmt.Sprintf("!%d", m.IID), "full": fmt.Sprintf("%s!%d", p.Path, m.IID)},
		WebURL:     in.mergeRequestURL(m),
		DiffRefs:   map[string]any{"base_sha": answer.OrNull(m.BaseSHA), "head_sha": answer.OrNull(m.SHA), "start_sha": answer.OrNull(m.StartSHA)},
	}
	if head != nil {
		basic, details := in.Pipeline(head), in.PipelineDetails(head)
		e.Pipeline, e.HeadPipeline = &basic, &details
	}
	return e
}
