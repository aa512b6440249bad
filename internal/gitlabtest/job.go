package gitlabtest

import (
	"slices"
	"time"
)

// Job is a job. Without an Archive, an ArchiveFile or Files it has none.
type Job struct {
	ID           int64
	Name         string
	Stage        string    // "test" if empty
	CreatedAt    time.Time // with its pipeline if zero; that of a retried job is later
	Status       string    // if empty "success", or "running" while it has to finish
	Failure      string    // the reason of a failed one; "script_failure" if empty
	User         string    // whose it is; the pipeline's if empty
	AllowFailure bool
	Retried      bool
	Archive      []byte
	ArchiveFile  string   // a file on disk, in place of Archive
	Files        []File   // what the archive is made of, in place of Archive
	Reports      []string // file types, such as "junit"
	Access       string   // of the archive: "public" if empty, "developer", "maintainer", "none"
	ExpireAt     *time.Time
	Erased       bool
	Tags         []string // of the runner it asks for

	// Trace is the log. An empty one says that the job ran, if it did.
	Trace string
	// TraceStep is how many bytes of the log each request of it sees more than the
	// one before, until the job has finished. Zero means all of it at once.
	TraceStep  int
	DebugTrace bool // CI_DEBUG_TRACE: the log is for those who may change the job

	// FinishAfter is how many requests see the job unfinished, without its archive,
	// before it becomes FinishAs ("success" if empty). A job that waits for
	// somebody, such as a manual one, does not begin to finish.
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

	looks     int // of FinishAfter
	traceSeen int // of TraceStep
}

// statuses of a job or a pipeline: app/models/concerns/ci/has_status.rb.
var statuses = []string{
	"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "success",
	"failed", "canceling", "canceled", "skipped", "manual", "scheduled",
}

// completed are those that nothing leads away from but a retry.
var completed = []string{"success", "failed", "canceled", "skipped"}

// cancelable are the sources of the event "cancel" (app/models/commit_status.rb).
var cancelable = []string{
	"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "manual", "scheduled",
}

func (j *Job) status() string {
	switch {
	case j.Status != "":
		return j.Status
	case j.FinishAfter > 0:
		return "running"
	}
	return "success"
}

func (j *Job) finished() bool { return slices.Contains(completed, j.status()) }

// ran reports whether a runner had it in its hands.
func (j *Job) ran() bool {
	return slices.Contains([]string{"running", "canceling", "success", "failed"}, j.status())
}

func (j *Job) hasArchive() bool {
	return j.FinishAfter == 0 && !j.Erased && (j.Archive != nil || j.ArchiveFile != "" || j.Files != nil)
}

// expired reports whether the archive is past its time, though it may be there
// still: purging comes later.
func (j *Job) expired(now time.Time) bool { return j.ExpireAt != nil && !j.ExpireAt.After(now) }

// available is Ci::Build#available_artifacts? (app/models/ci/build.rb).
func (j *Job) available(p *Pipeline, now time.Time) bool {
	return j.hasArchive() && (p.Locked || !j.expired(now))
}

// removeFiles takes the archive and the reports away.
func (j *Job) removeFiles() { j.Archive, j.ArchiveFile, j.Files, j.Reports = nil, "", nil, nil }

// pass is one look at the job. It reports whether the job has ended by it.
func (j *Job) pass() bool {
	switch j.status() {
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
	j.FinishAfter, j.Status = 0, firstOf(j.FinishAs, "success")
	return true
}

// look lets time pass for a job that a request sees.
func (w *World) look(j *Job, p *Pipeline) {
	if j.pass() {
		w.ended(j, p)
	}
}

// ended is what follows from a job's end: its token dies
// (app/finders/ci/auth_job_finder.rb), and its pipeline may have ended with it.
func (w *World) ended(j *Job, p *Pipeline) {
	for _, t := range w.Tokens {
		if t.Kind == KindJob && t.Job == j.ID {
			t.Dead = true
		}
	}
	if !p.Follows || slices.ContainsFunc(p.Jobs, func(j *Job) bool { return !j.Retried && !j.finished() }) {
		return
	}
	p.Status = "success"
	if slices.ContainsFunc(p.Jobs, func(j *Job) bool { return !j.Retried && !j.AllowFailure && j.status() == "failed" }) {
		p.Status = "failed"
	}
}

// reopened is what follows from a job that has begun again.
func (p *Pipeline) reopened() { p.Status, p.Follows = "running", true }

// log is all that the job wrote, and nothing if it never ran or was erased.
func (j *Job) log() string {
	switch {
	case j.Erased || !j.ran() && j.Trace == "":
		return ""
	case j.Trace != "":
		return j.Trace
	case j.status() == "success":
		return "Running with gitlab-runner 19.4.0\nJob succeeded\n"
	case j.status() == "failed":
		return "Running with gitlab-runner 19.4.0\nERROR: Job failed: exit code 1\n"
	}
	return "Running with gitlab-runner 19.4.0\n"
}

// readLog is what a request of the log sees of it.
func (j *Job) readLog() string {
	log := j.log()
	if j.TraceStep <= 0 || j.finished() {
		return log
	}
	j.traceSeen = min(j.traceSeen+j.TraceStep, len(log))
	return log[:j.traceSeen]
}
