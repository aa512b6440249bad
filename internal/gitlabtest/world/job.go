package world

import (
	"cmp"
	"slices"
	"time"
)

// Job is a job. Without an Archive, an ArchiveFile or Files it has no archive.
type Job struct {
	ID           int64
	Name         string
	Stage        string // "test" if empty
	Status       string // if empty "success", or "running" until it finishes
	Failure      string // the reason of a failed one; "script_failure" if empty
	User         string // whose it is; the pipeline's if empty
	AllowFailure bool
	Retried      bool
	Coverage     *float64
	Archived     bool     // too old to be retried or played
	Tags         []string // of the runner it asks for

	// CreatedAt is when the job was created: with its pipeline if zero. A retried
	// job's successor was created when it was retried.
	CreatedAt  time.Time
	StartedAt  time.Time // ten seconds later if zero
	FinishedAt time.Time // a minute after that if zero

	Archive     []byte
	ArchiveFile string // a file on disk, in place of Archive
	ArchiveName string // "artifacts.zip" if empty
	Files       []File // what the archive is made of, in place of Archive
	Access      string // artifacts:access: "public" if empty, "developer", "maintainer", "none"
	ExpireAt    *time.Time
	Erased      bool
	Reports     []string    // file types, such as "junit", of reports whose content does not matter
	Artifacts   []*Artifact // reports whose content matters

	// Trace is the log. An empty one says that the job ran, if it did.
	Trace string
	// TraceStep is how many bytes of the log each request of it sees more than the
	// one before, until the job has finished. Zero means all of it at once.
	TraceStep  int
	DebugTrace bool // CI_DEBUG_TRACE: the log is for those who may change the job

	// FinishAfter is how many requests see the job unfinished, without its archive
	// and its reports, before it becomes FinishAs ("success" if empty). A job that
	// waits for somebody, such as a manual one, does not begin to finish.
	FinishAfter int
	FinishAs    string
	// Graceful jobs have a runner that lets them end by themselves when they are
	// canceled: they are "canceling" until they are seen again, or forced.
	Graceful bool
	// Again is what retrying the job makes; its ID, Name and Stage need not be
	// given. Nil means a pending job without an archive.
	Again *Job
	// Variables are those the job was played with.
	Variables map[string]string
	// Inputs are those the job declares, GivenInputs those it was played or retried
	// with, defaults left out. https://docs.gitlab.com/ci/jobs/job_inputs/
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

// Completed are the statuses that only a retry leads away from.
var Completed = []string{"success", "failed", "canceled", "skipped"}

// Cancelable are the sources of the event "cancel" (app/models/commit_status.rb).
var Cancelable = []string{
	"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "manual", "scheduled",
}

// State is the Status, or its default.
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

// Ran reports whether a runner had the job.
func (j *Job) Ran() bool {
	return slices.Contains([]string{"running", "canceling", "success", "failed"}, j.State())
}

// Times are when the job was created, started and finished; of the last two,
// zero where it did not.
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

// pass is one look at the job. It reports whether the job has ended by it.
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

// Ended is what follows from a job's end: its token dies
// (app/finders/ci/auth_job_finder.rb), and its pipeline may have ended with it.
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

// Retry makes the successor of a job: app/services/ci/retry_job_service.rb. It is
// a job of its own, with an id and dates of its own, in the same pipeline.
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
