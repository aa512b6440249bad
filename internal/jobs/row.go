package jobs

import (
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Row has the fields that a job always has in JSON. Unknown values are null. Most are
// GitLab's; sha, pipeline_id, project_id, tags and archive_size are ours, and come from
// fields that GitLab nests or omits if they have no value.
type Row struct {
	ID                int64      `json:"id"`
	Name              string     `json:"name"`
	Stage             string     `json:"stage"`
	Status            string     `json:"status"             doc:"GitLab's: success, failed, running, …"`
	FailureReason     *string    `json:"failure_reason"     doc:"of a failed job"`
	AllowFailure      bool       `json:"allow_failure"`
	Ref               string     `json:"ref"                doc:"branch, tag or refs/merge-requests/…"`
	Tag               bool       `json:"tag"                doc:"whether the ref is a tag"`
	SHA               *string    `json:"sha"                doc:"of the commit"`
	PipelineID        *int64     `json:"pipeline_id"`
	ProjectID         *int64     `json:"project_id"`
	CreatedAt         *time.Time `json:"created_at"`
	StartedAt         *time.Time `json:"started_at"`
	FinishedAt        *time.Time `json:"finished_at"`
	ErasedAt          *time.Time `json:"erased_at"`
	Duration          *float64   `json:"duration"           doc:"seconds"`
	QueuedDuration    *float64   `json:"queued_duration"    doc:"seconds"`
	Coverage          *float64   `json:"coverage"           doc:"percent"`
	Tags              []string   `json:"tags"               doc:"of the runner that the job asks for: GitLab's tag_list, never null"`
	User              *User      `json:"user"               doc:"who started it: id, username, name, …"`
	ArchiveSize       *int64     `json:"archive_size"       doc:"bytes; null if there is no archive, it has expired, or its size is unknown"`
	ArtifactsExpireAt *time.Time `json:"artifacts_expire_at"`
	Artifacts         []File     `json:"artifacts"          doc:"every file the job uploaded, reports and log included, expired or not"`
	WebURL            *string    `json:"web_url"`
}

// User is who started a job.
type User struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

// File is a file that a job uploaded.
type File struct {
	FileType   string `json:"file_type"   doc:"archive, metadata, trace, junit, …"`
	Size       int64  `json:"size"        doc:"bytes"`
	Filename   string `json:"filename"`
	FileFormat string `json:"file_format" doc:"zip, gzip or raw; may be null"`
}

// NewRow returns the row of a job.
func NewRow(j gitlab.Job) Row {
	row := Row{
		ID: j.ID, Name: j.Name, Stage: j.Stage, Status: j.Status, FailureReason: known(j.FailureReason), AllowFailure: j.AllowFailure,
		Ref: j.Ref, Tag: j.Tag, SHA: known(j.Pipeline.SHA), PipelineID: known(j.Pipeline.ID), ProjectID: known(j.Pipeline.ProjectID),
		CreatedAt: j.CreatedAt, StartedAt: j.StartedAt, FinishedAt: j.FinishedAt, ErasedAt: j.ErasedAt,
		Duration: j.Duration, QueuedDuration: j.QueuedDuration, Coverage: j.Coverage,
		Tags: append([]string{}, j.TagList...), ArtifactsExpireAt: j.ArtifactsExpireAt, Artifacts: []File{}, WebURL: known(j.WebURL),
	}
	if j.User != nil {
		row.User = known(User(*j.User))
	}
	if j.ArtifactsFile != nil {
		row.ArchiveSize = known(max(j.ArtifactsFile.Size, 0)) // GitLab may not know it
	}
	for _, f := range j.Artifacts {
		f.Size = max(f.Size, 0)
		row.Artifacts = append(row.Artifacts, File(f))
	}
	return row
}

// known returns nil for the zero value.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
