package world

import (
	"cmp"
	"slices"
	"time"
)

// Job is a job. It has an archive if Archive, ArchiveFile or Files is set.
type Job struct {
	ID           int64
	Name         string
	Stage        string // empty means "test"
	Status       string // empty means "success", or "running" until it finishes
	Failure      string // the reason for a failure; empty means "script_failure"
	User         string // empty means the pipeline's
	AllowFailure bool
	Retried      bool
	Coverage     *float64
	Archived     bool     // too old to retry or play
	Tags         []string // that its runner must have

	// CreatedAt is when the job was created; zero means with its pipeline. A retried
	// job's successor was created at the retry.
	CreatedAt  time.Time
	StartedAt  time.Time // zero means ten seconds later
	FinishedAt time.Time // zero means a minute after that

	Archive     []byte
	ArchiveFile string // a file on disk, instead of Archive
	ArchiveName string // empty means "artifacts.zip"
	Files       []File // the archive's content, instead of Archive
	Access      string // artifacts:access: "developer", "maintainer" or "none"; empty means "public"
	ExpireAt    *time.Time
	Erased      bool
	Reports     []string    // types of reports, such as "junit", whose content doesn't matter
	Artifacts   []*Artifact // reports whose content matters

	// Trace is the log. If it is empty and the job ran, the log says so.
	Trace string
	// TraceStep is how many more bytes of the log each request sees, until the job has
	// finished. Zero means the whole log.
	TraceStep  int
	DebugTrace bool // CI_DEBUG_TRACE: only people who can change the job can read the log

	// FinishAfter is how many requests see the job unfinished, without archive and
	// reports, before it becomes FinishAs (empty means "success"). A waiting job, such as
	// a manual one, doesn't count requests.
	FinishAfter int
	FinishAs    string
	// Graceful says that the runner lets a canceled job clean up: it stays "canceling"
	// until the next request, or until forced.
	Graceful bool
	// Again is the job that a retry creates; its ID, Name and Stage may be empty. Nil
	// means a pending job without an archive.
	Again *Job
	// Variables are the variables that the job was played with.
	Variables map[string]string
	// Inputs are the declared inputs, GivenInputs those that the job was played or
	// retried with, without defaults. https://docs.gitlab.com/ci/jobs/job_inputs/
	Inputs      map[string]Input
	GivenInputs map[string]any

	looks     int // of FinishAfter
	traceSeen int // of TraceStep
}

// Statuses of a job or a pipeline: app/models/concerns/ci/has_status.rb.
var Statuses = []string{
	"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "success",
	"failed", "canceling", "canceled", "skipped", "manual", "scheduled",
}

// Completed are the final statuses; only a retry changes them.
var Completed = []string{"success", "failed", "canceled", "skipped"}

// Cancelable are the statuses that allow the event "cancel"
// (app/models/commit_status.rb).
var Cancelable = []string{
	"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "manual", "scheduled",
}

// State returns the Status or its default.
func (j *Job) State() string {
	switch {
	case j.Status != "":
		return j.Status
	case j.FinishAfter > 0:
		return "running"
	}
	return "success"
}

// Finished reports whether the job has ended.
func (j *Job) Finished() bool { return slices.Contains(Completed, j.State()) }

// Ran reports whether a runner ran the job.
func (j *Job) Ran() bool {
	return slices.Contains([]string{"running", "canceling", "success", "failed"}, j.State())
}

// Times returns when the job was created, started and finished; zero if it hasn't yet.
func (j *Job) Times(p *Pipeline) (created, started, finished time.Time) {
	const waits, runs = 10 * time.Second, time.Minute
	created = j.CreatedAt
	if created.IsZero() {
		created = p.CreatedAt
	}
	begin := j.StartedAt
	if begin.IsZero() {
		begin = created.Add(waits)
	}
	if j.Ran() {
		started = begin
	}
	if j.Finished() && j.State() != "skipped" {
		finished = j.FinishedAt
		if finished.IsZero() {
			finished = begin.Add(runs)
		}
	}
	return created, started, finished
}

// pass counts one request that sees the job. It reports whether the job has just ended.
func (j *Job) pass() bool {
	switch j.State() {
	case "canceling":
		j.Status, j.FinishAfter = "canceled", 0
		return true
	case "manual", "scheduled", "skipped", "canceled":
		return false
	}
	if j.FinishAfter == 0 {
		return false
	}
	if j.looks++; j.looks <= j.FinishAfter {
		return false
	}
	j.FinishAfter, j.Status = 0, cmp.Or(j.FinishAs, "success")
	return true
}

// Look lets time pass for a job that a request sees.
func (w *World) Look(j *Job, p *Pipeline) {
	if j.pass() {
		w.Ended(j, p)
	}
}

// Ended does what happens when a job ends: its token dies
// (app/finders/ci/auth_job_finder.rb), and its pipeline may end too.
func (w *World) Ended(j *Job, p *Pipeline) {
	for _, t := range w.Tokens {
		if t.Kind == KindJob && t.Job == j.ID {
			t.Dead = true
		}
	}
	if p.Follows {
		p.settle()
	}
}

// Retry creates a job's successor: app/services/ci/retry_job_service.rb. It is a new job
// with its own ID and dates in the same pipeline.
func (w *World) Retry(j *Job, p *Pipeline, now time.Time) *Job {
	again := &Job{Status: "pending", AllowFailure: j.AllowFailure, Access: j.Access, Tags: j.Tags, Inputs: j.Inputs}
	if j.Again != nil {
		declared := *j.Again
		again = &declared
	}
	again.Name, again.Stage = cmp.Or(again.Name, j.Name), cmp.Or(again.Stage, j.Stage)
	if again.ID == 0 {
		again.ID = w.NextJobID()
	}
	if again.CreatedAt.IsZero() {
		again.CreatedAt = now
	}
	j.Retried = true
	p.Jobs = append(p.Jobs, again)
	p.Reopen()
	return again
}
