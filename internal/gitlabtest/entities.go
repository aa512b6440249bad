package gitlabtest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// The entities of lib/api/entities/ci, with all their keys: clients must cope
// with those they do not know.

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
	Coverage       *float64       `json:"coverage"`
	AllowFailure   bool           `json:"allow_failure"`
	CreatedAt      string         `json:"created_at"`
	StartedAt      any            `json:"started_at"`
	FinishedAt     any            `json:"finished_at"`
	ErasedAt       any            `json:"erased_at"`
	Duration       any            `json:"duration"`
	QueuedDuration any            `json:"queued_duration"`
	User           userDetails    `json:"user"`
	Commit         *commitEntity  `json:"commit"`
	Pipeline       pipelineEntity `json:"pipeline"`
	FailureReason  string         `json:"failure_reason,omitempty"` // of failed ones alone
	WebURL         string         `json:"web_url"`
	Project        any            `json:"project"`
	Source         string         `json:"source,omitempty"`
}

// jobEntity is Job (lib/api/entities/ci/job.rb).
type jobEntity struct {
	jobBasic
	ArtifactsFile     *archiveEntity       `json:"artifacts_file,omitempty"` // until it expires
	Artifacts         []fileEntity         `json:"artifacts"`                // expired or not
	Runner            *runnerEntity        `json:"runner"`
	RunnerManager     *runnerManagerEntity `json:"runner_manager"`
	ArtifactsExpireAt *time.Time           `json:"artifacts_expire_at"`
	Archived          bool                 `json:"archived"`
	TagList           []string             `json:"tag_list"`
}

// bridgeEntity is Bridge (lib/api/entities/ci/bridge.rb).
type bridgeEntity struct {
	jobBasic
	DownstreamPipeline *pipelineEntity `json:"downstream_pipeline"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// stampOrNull leaves what has not happened out.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

func (c *call) webURL() string { return origin(c.r) + c.s.opts.RelativeRoot }

// basic makes the part that jobs and trigger jobs have in common.
func (c *call) basic(j *Job, p *Pipeline) jobBasic {
	created, started, finished := j.Times(p)
	e := jobBasic{
		ID: j.ID, Status: j.State(), Stage: cmp.Or(j.Stage, "test"), Name: j.Name, Ref: p.Ref, Tag: p.Tag, Coverage: j.Coverage,
		AllowFailure: j.AllowFailure, CreatedAt: stamp(created), StartedAt: stampOrNull(started), FinishedAt: stampOrNull(finished),
		Pipeline: c.pipelineEntity(p), User: c.userDetails(cmp.Or(j.User, p.Starter())), Commit: c.commitEntity(c.project.CommitOf(p)),
		WebURL:  fmt.Sprintf("%s/%s/-/jobs/%d", c.webURL(), c.project.Path, j.ID),
		Project: map[string]bool{"ci_job_token_scope_enabled": false},
	}
	if !started.IsZero() {
		end := finished
		if end.IsZero() { // it runs, a minute so far
			end = started.Add(time.Minute)
		}
		e.QueuedDuration, e.Duration = started.Sub(created).Seconds(), end.Sub(started).Seconds()
	}
	if e.Status == "failed" {
		e.FailureReason = cmp.Or(j.Failure, "script_failure")
	}
	if j.Erased {
		e.ErasedAt = stamp(created.Add(time.Hour))
	}
	if c.s.has(featJobSource) {
		e.Source = p.SourceName()
	}
	return e
}

func (c *call) jobEntity(j *Job, p *Pipeline) jobEntity {
	e := jobEntity{
		jobBasic: c.basic(j, p), Artifacts: c.files(j), ArtifactsExpireAt: j.ExpireAt, Archived: j.Archived,
		TagList: orEmpty(slices.Sorted(slices.Values(j.Tags))),
	}
	if j.Ran() {
		_, started, _ := j.Times(p)
		e.Runner, e.RunnerManager = c.runnerEntity(), runnerManager(started)
	}
	if j.HasArchive() && !j.Expired(c.s.opts.Now()) {
		e.ArtifactsFile = &archiveEntity{j.ArchiveFileName(), c.s.size(j)}
	}
	return e
}

// files are the rows of artifacts[]: the archive with its metadata, the reports,
// the log. Erasing a job removes them all. The log has no format.
func (c *call) files(j *Job) []fileEntity {
	rows := []fileEntity{}
	if j.HasArchive() {
		rows = append(rows, fileEntity{"archive", c.s.size(j), j.ArchiveFileName(), "zip"}, fileEntity{"metadata", 107, "metadata.gz", "gzip"})
	}
	for _, a := range j.AllReports() {
		rows = append(rows, fileEntity{a.Type, int64(len(a.Bytes())), a.FileName(), a.FileFormat()})
	}
	if log := j.Log(); j.Finished() && log != "" {
		rows = append(rows, fileEntity{"trace", int64(len(log)), "job.log", nil})
	}
	return rows
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
	e := bridgeEntity{jobBasic: c.basic(b.AsJob(), p)}
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
