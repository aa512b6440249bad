// Package entity has the JSON of projects' jobs, pipelines, commits and merge
// requests, as lib/api/entities makes it. It has all of GitLab's keys: clients must
// ignore those they don't know.
package entity

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// Instance makes the entities of one project.
type Instance struct {
	World   *world.World
	Project *world.Project
	Web     string // the address of the instance, as the client sees it
	Now     time.Time
	// Size returns the size of a job's archive in bytes.
	Size func(*world.Job) int64
	// Fields that only some versions have.
	JobSource, PipelineMR bool
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
// jobs share.
type jobBasic struct {
	ID             int64       `json:"id"`
	Status         string      `json:"status"`
	Stage          string      `json:"stage"`
	Name           string      `json:"name"`
	Ref            string      `json:"ref"`
	Tag            bool        `json:"tag"`
	Coverage       *float64    `json:"coverage"`
	AllowFailure   bool        `json:"allow_failure"`
	CreatedAt      string      `json:"created_at"`
	StartedAt      any         `json:"started_at"`
	FinishedAt     any         `json:"finished_at"`
	ErasedAt       any         `json:"erased_at"`
	Duration       any         `json:"duration"`
	QueuedDuration any         `json:"queued_duration"`
	User           userDetails `json:"user"`
	Commit         *Commit     `json:"commit"`
	Pipeline       Pipeline    `json:"pipeline"`
	FailureReason  string      `json:"failure_reason,omitempty"` // only if it failed
	WebURL         string      `json:"web_url"`
	Project        any         `json:"project"`
	Source         string      `json:"source,omitempty"`
}

// Job is Job (lib/api/entities/ci/job.rb).
type Job struct {
	jobBasic
	ArtifactsFile     *archiveEntity       `json:"artifacts_file,omitempty"` // until it expires
	Artifacts         []fileEntity         `json:"artifacts"`                // expired or not
	Runner            *runnerEntity        `json:"runner"`
	RunnerManager     *runnerManagerEntity `json:"runner_manager"`
	ArtifactsExpireAt *time.Time           `json:"artifacts_expire_at"`
	Archived          bool                 `json:"archived"`
	TagList           []string             `json:"tag_list"`
}

// Bridge is Bridge (lib/api/entities/ci/bridge.rb).
type Bridge struct {
	jobBasic
	DownstreamPipeline *Pipeline `json:"downstream_pipeline"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// stampOrNull returns nil for the zero time: it hasn't happened yet.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// basic makes the part that jobs and trigger jobs share.
func (in Instance) basic(j *world.Job, p *world.Pipeline) jobBasic {
	created, started, finished := j.Times(p)
	e := jobBasic{
		ID: j.ID, Status: j.State(), Stage: cmp.Or(j.Stage, "test"), Name: j.Name, Ref: p.Ref, Tag: p.Tag, Coverage: j.Coverage,
		AllowFailure: j.AllowFailure, CreatedAt: stamp(created), StartedAt: stampOrNull(started), FinishedAt: stampOrNull(finished),
		Pipeline: in.Pipeline(p), User: in.userDetails(cmp.Or(j.User, p.Starter())), Commit: in.Commit(in.Project.CommitOf(p)),
		WebURL:  fmt.Sprintf("%s/%s/-/jobs/%d", in.Web, in.Project.Path, j.ID),
		Project: map[string]bool{"ci_job_token_scope_enabled": false},
	}
	if !started.IsZero() {
		end := finished
		if end.IsZero() { // still running: for a minute so far
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
	if in.JobSource {
		e.Source = p.SourceName()
	}
	return e
}

// Job makes the entity of a job.
func (in Instance) Job(j *world.Job, p *world.Pipeline) Job {
	e := Job{
		jobBasic: in.basic(j, p), Artifacts: in.files(j), ArtifactsExpireAt: j.ExpireAt, Archived: j.Archived,
		TagList: answer.OrEmpty(slices.Sorted(slices.Values(j.Tags))),
	}
	if j.Ran() {
		_, started, _ := j.Times(p)
		e.Runner, e.RunnerManager = in.runnerEntity(), runnerManager(started)
	}
	if j.HasArchive() && !j.Expired(in.Now) {
		e.ArtifactsFile = &archiveEntity{j.ArchiveFileName(), in.Size(j)}
	}
	return e
}

// files makes the rows of artifacts[]: the archive, its metadata, the reports and the
// log, whose format is null. Erasing a job removes them all.
func (in Instance) files(j *world.Job) []fileEntity {
	rows := []fileEntity{}
	if j.HasArchive() {
		rows = append(rows, fileEntity{"archive", in.Size(j), j.ArchiveFileName(), "zip"}, fileEntity{"metadata", 107, "metadata.gz", "gzip"})
	}
	for _, a := range j.AllReports() {
		rows = append(rows, fileEntity{a.Type, int64(len(a.Bytes())), a.FileName(), a.FileFormat()})
	}
	if log := j.Log(); j.Finished() && log != "" {
		rows = append(rows, fileEntity{"trace", int64(len(log)), "job.log", nil})
	}
	return rows
}

// Bridge makes the entity of a trigger job.
func (in Instance) Bridge(b *world.Bridge, p *world.Pipeline) Bridge {
	e := Bridge{jobBasic: in.basic(b.AsJob(), p)}
	if b.Child != nil {
		child := in.Pipeline(b.Child)
		e.DownstreamPipeline = &child
	}
	for _, p := range in.World.Projects {
		if b.Downstream != nil && p.ID == b.DownstreamProject {
			downstream := PipelineOf(b.Downstream, p, in.Web)
			e.DownstreamPipeline = &downstream
		}
	}
	return e
}
