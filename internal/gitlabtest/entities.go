package gitlabtest

import (
	"fmt"
	"time"
)

// The entities of lib/api/entities/ci, with all their keys: clients have to cope
// with those they do not know.

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
	Name      any    `json:"name"`
}

type fileEntity struct {
	FileType   string `json:"file_type"`
	Size       int64  `json:"size"`
	Filename   string `json:"filename"`
	FileFormat any    `json:"file_format"`
}

type archiveEntity struct {
	Filename string `json:"filename"`
	Size     int64  `json:"size"`
}

type jobEntity struct {
	ID                int64          `json:"id"`
	Status            string         `json:"status"`
	Stage             string         `json:"stage"`
	Name              string         `json:"name"`
	Ref               string         `json:"ref"`
	Tag               bool           `json:"tag"`
	Coverage          any            `json:"coverage"`
	AllowFailure      bool           `json:"allow_failure"`
	CreatedAt         string         `json:"created_at"`
	StartedAt         any            `json:"started_at"`
	FinishedAt        any            `json:"finished_at"`
	ErasedAt          any            `json:"erased_at"`
	Duration          any            `json:"duration"`
	QueuedDuration    any            `json:"queued_duration"`
	User              any            `json:"user"`
	Commit            any            `json:"commit"`
	Pipeline          pipelineEntity `json:"pipeline"`
	FailureReason     string         `json:"failure_reason,omitempty"`
	WebURL            string         `json:"web_url"`
	Project           any            `json:"project"`
	ArtifactsFile     *archiveEntity `json:"artifacts_file,omitempty"`
	Artifacts         []fileEntity   `json:"artifacts"`
	Runner            any            `json:"runner"`
	RunnerManager     any            `json:"runner_manager"`
	ArtifactsExpireAt *time.Time     `json:"artifacts_expire_at"`
	Archived          bool           `json:"archived"`
	TagList           []string       `json:"tag_list"`
}

type bridgeEntity struct {
	ID                 int64           `json:"id"`
	Status             string          `json:"status"`
	Stage              string          `json:"stage"`
	Name               string          `json:"name"`
	Ref                string          `json:"ref"`
	AllowFailure       bool            `json:"allow_failure"`
	CreatedAt          string          `json:"created_at"`
	Pipeline           pipelineEntity  `json:"pipeline"`
	WebURL             string          `json:"web_url"`
	DownstreamPipeline *pipelineEntity `json:"downstream_pipeline"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (c *call) pipelineEntity(p *Pipeline) pipelineEntity {
	return pipelineOf(p, c.project, c.webURL())
}

func pipelineOf(p *Pipeline, of *Project, web string) pipelineEntity {
	return pipelineEntity{
		ID: p.ID, IID: p.ID % 100, ProjectID: of.ID, SHA: p.SHA, Ref: p.Ref, Status: p.Status, Source: p.source(),
		CreatedAt: stamp(p.CreatedAt), UpdatedAt: stamp(p.CreatedAt.Add(time.Hour)),
		WebURL: fmt.Sprintf("%s/%s/-/pipelines/%d", web, of.Path, p.ID),
	}
}

func (c *call) webURL() string { return origin(c.r) + c.s.opts.RelativeRoot }

func (c *call) jobEntity(j *Job, p *Pipeline) jobEntity {
	e := jobEntity{
		ID: j.ID, Status: j.status(), Stage: firstOf(j.Stage, "test"), Name: j.Name, Ref: p.Ref, AllowFailure: j.AllowFailure,
		CreatedAt: stamp(p.CreatedAt), Pipeline: c.pipelineEntity(p), ArtifactsExpireAt: j.ExpireAt, TagList: []string{},
		WebURL:  fmt.Sprintf("%s/%s/-/jobs/%d", c.webURL(), c.project.Path, j.ID),
		Project: map[string]bool{"ci_job_token_scope_enabled": false}, Artifacts: []fileEntity{},
	}
	if e.Status == "failed" {
		e.FailureReason = "script_failure"
	}
	if j.Erased {
		e.ErasedAt = stamp(p.CreatedAt.Add(time.Hour))
	}
	if j.hasArchive() {
		size := c.s.size(j)
		e.Artifacts = append(e.Artifacts, fileEntity{"archive", size, "artifacts.zip", "zip"}, fileEntity{"metadata", 107, "metadata.gz", "gzip"})
		if j.ExpireAt == nil || j.ExpireAt.After(c.s.opts.Now()) {
			e.ArtifactsFile = &archiveEntity{"artifacts.zip", size}
		}
	}
	if j.Erased { // and with the archive its reports and its trace
		return e
	}
	for _, report := range j.Reports {
		e.Artifacts = append(e.Artifacts, fileEntity{report, 321, report + ".xml.gz", "gzip"})
	}
	e.Artifacts = append(e.Artifacts, fileEntity{"trace", 1500, "job.log", nil})
	return e
}

func (s *Server) size(j *Job) int64 {
	content, closer, err := s.open(j)
	if err != nil {
		return 0
	}
	defer func() { _ = closer.Close() }()
	size, _ := content.Seek(0, 2)
	return size
}

func (c *call) bridgeEntity(b *Bridge, p *Pipeline) bridgeEntity {
	e := bridgeEntity{
		ID: b.ID, Status: firstOf(b.Status, "success"), Stage: "deploy", Name: b.Name, Ref: p.Ref,
		CreatedAt: stamp(p.CreatedAt), Pipeline: c.pipelineEntity(p), WebURL: fmt.Sprintf("%s/%s/-/jobs/%d", c.webURL(), c.project.Path, b.ID),
	}
	if b.Child != nil {
		child := c.pipelineEntity(b.Child)
		e.DownstreamPipeline = &child
	}
	for _, p := range c.s.world.Projects {
		if b.Downstream != nil && p.ID == b.DownstreamProject {
			downstream := pipelineOf(b.Downstream, p, c.webURL())
			e.DownstreamPipeline = &downstream
		}
	}
	return e
}
