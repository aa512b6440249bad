package gitlabtest

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// The entities of lib/api/entities/ci, with all their keys: clients have to cope
// with those they do not know.

type userEntity struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	Name      string `json:"name"`
	State     string `json:"state"`
	Locked    bool   `json:"locked"`
	AvatarURL any    `json:"avatar_url"`
	WebURL    string `json:"web_url"`
}

type commitEntity struct {
	ID          string   `json:"id"`
	ShortID     string   `json:"short_id"`
	Title       string   `json:"title"`
	Message     string   `json:"message"`
	AuthorName  string   `json:"author_name"`
	AuthorEmail string   `json:"author_email"`
	CreatedAt   string   `json:"created_at"`
	ParentIDs   []string `json:"parent_ids"`
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

// jobBasic is JobBasic (lib/api/entities/ci/job_basic.rb), which jobs and trigger
// jobs have in common.
type jobBasic struct {
	ID             int64          `json:"id"`
	Status         string         `json:"status"`
	Stage          string         `json:"stage"`
	Name           string         `json:"name"`
	Ref            string         `json:"ref"`
	Tag            bool           `json:"tag"`
	Coverage       any            `json:"coverage"`
	AllowFailure   bool           `json:"allow_failure"`
	CreatedAt      string         `json:"created_at"`
	StartedAt      any            `json:"started_at"`
	FinishedAt     any            `json:"finished_at"`
	ErasedAt       any            `json:"erased_at"`
	Duration       any            `json:"duration"`
	QueuedDuration any            `json:"queued_duration"`
	User           userEntity     `json:"user"`
	Commit         commitEntity   `json:"commit"`
	Pipeline       pipelineEntity `json:"pipeline"`
	FailureReason  string         `json:"failure_reason,omitempty"` // of failed ones alone
	WebURL         string         `json:"web_url"`
	Project        any            `json:"project"`
}

type jobEntity struct {
	jobBasic
	ArtifactsFile     *archiveEntity `json:"artifacts_file,omitempty"` // until it expires
	Artifacts         []fileEntity   `json:"artifacts"`                // expired or not
	Runner            any            `json:"runner"`
	RunnerManager     any            `json:"runner_manager"`
	ArtifactsExpireAt *time.Time     `json:"artifacts_expire_at"`
	Archived          bool           `json:"archived"`
	TagList           []string       `json:"tag_list"`
}

type bridgeEntity struct {
	jobBasic
	DownstreamPipeline *pipelineEntity `json:"downstream_pipeline"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (c *call) webURL() string { return origin(c.r) + c.s.opts.RelativeRoot }

func (c *call) userEntity(name string) userEntity {
	return userEntity{ID: 7, Username: name, Name: name, State: "active", WebURL: c.webURL() + "/" + name}
}

func (c *call) commitEntity(p *Pipeline) commitEntity {
	return commitEntity{
		ID: p.SHA, ShortID: p.SHA[:min(len(p.SHA), 8)], Title: "A change", Message: "A change\n", AuthorName: p.user(),
		AuthorEmail: p.user() + "@example.com", CreatedAt: stamp(p.CreatedAt), ParentIDs: []string{},
	}
}

// basic makes the part that jobs and trigger jobs have in common. A job waits
// ten seconds, and runs a minute.
func (c *call) basic(j *Job, p *Pipeline) jobBasic {
	const waits, runs = 10 * time.Second, time.Minute
	created := p.CreatedAt
	if !j.CreatedAt.IsZero() {
		created = j.CreatedAt
	}
	e := jobBasic{
		ID: j.ID, Status: j.status(), Stage: firstOf(j.Stage, "test"), Name: j.Name, Ref: p.Ref, Tag: p.Tag, AllowFailure: j.AllowFailure,
		CreatedAt: stamp(created), Pipeline: c.pipelineEntity(p), User: c.userEntity(firstOf(j.User, p.user())), Commit: c.commitEntity(p),
		WebURL:  fmt.Sprintf("%s/%s/-/jobs/%d", c.webURL(), c.project.Path, j.ID),
		Project: map[string]bool{"ci_job_token_scope_enabled": false},
	}
	if j.ran() {
		e.StartedAt, e.QueuedDuration, e.Duration = stamp(created.Add(waits)), waits.Seconds(), runs.Seconds()
	}
	if j.finished() && e.Status != "skipped" {
		e.FinishedAt = stamp(created.Add(waits + runs))
	}
	if e.Status == "failed" {
		e.FailureReason = firstOf(j.Failure, "script_failure")
	}
	if j.Erased {
		e.ErasedAt = stamp(created.Add(time.Hour))
	}
	return e
}

func (c *call) jobEntity(j *Job, p *Pipeline) jobEntity {
	e := jobEntity{jobBasic: c.basic(j, p), ArtifactsExpireAt: j.ExpireAt, TagList: slices.Sorted(slices.Values(j.Tags)), Artifacts: []fileEntity{}}
	e.TagList = orEmpty(e.TagList)
	if j.ran() {
		e.Runner = map[string]any{"id": 32, "description": "shared", "active": true, "paused": false, "is_shared": true, "runner_type": "instance_type", "name": nil, "online": true, "status": "online"}
		e.RunnerManager = map[string]any{"id": 1, "system_id": "s_89e5e9956577", "version": "19.4.0", "platform": "linux", "architecture": "amd64", "status": "online"}
	}
	if j.hasArchive() {
		size := c.s.size(j)
		e.Artifacts = append(e.Artifacts, fileEntity{"archive", size, "artifacts.zip", "zip"}, fileEntity{"metadata", 107, "metadata.gz", "gzip"})
		if !j.expired(c.s.opts.Now()) {
			e.ArtifactsFile = &archiveEntity{"artifacts.zip", size}
		}
	}
	if j.Erased { // and with the archive its reports and its log
		return e
	}
	for _, report := range j.Reports {
		e.Artifacts = append(e.Artifacts, fileEntity{report, 321, report + ".xml.gz", "gzip"})
	}
	if log := j.log(); j.finished() && log != "" {
		e.Artifacts = append(e.Artifacts, fileEntity{"trace", int64(len(log)), "job.log", nil})
	}
	return e
}

func (s *Server) size(j *Job) int64 {
	o, err := s.open(j)
	if err != nil {
		return 0
	}
	defer func() { _ = o.Close() }()
	size, _ := o.Seek(0, io.SeekEnd)
	return size
}

func (c *call) bridgeEntity(b *Bridge, p *Pipeline) bridgeEntity {
	e := bridgeEntity{jobBasic: c.basic(b.asJob(), p)}
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

// asJob is what a trigger job has in common with a job.
func (b *Bridge) asJob() *Job {
	return &Job{ID: b.ID, Name: b.Name, Stage: firstOf(b.Stage, "deploy"), Status: b.status(), AllowFailure: b.AllowFailure, Retried: b.Retried}
}
