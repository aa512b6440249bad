package resolve

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Reason is why a query finds nothing, for programs.
type Reason string

// The reasons.
const (
	ReasonProject    Reason = "project_not_found"
	ReasonNoPipeline Reason = "no_pipeline"
	ReasonNoSuccess  Reason = "no_successful_pipeline"
	ReasonNoJob      Reason = "job_not_found"
	ReasonState      Reason = "job_not_successful"
	ReasonRunning    Reason = "job_not_finished"
	ReasonNoArchive  Reason = "no_archive"
	ReasonReports    Reason = "only_reports"
	ReasonErased     Reason = "erased"
	ReasonExpired    Reason = "expired"
	ReasonLicence    Reason = "no_licence"
	ReasonToken      Reason = "token_refused"
	ReasonForbidden  Reason = "forbidden"
	ReasonClosed     Reason = "token_cannot_list"
)

// reasoner is an error that says what a refusal means.
type reasoner interface {
	error
	Reason() Reason
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// NotFoundError reports that there is no such project, ref, pipeline or job.
type NotFoundError struct {
	Query Query
	What  string // "project", "pipeline", "successful pipeline", "job", "job id"
	Job   string // the name that was not found
	Near  []string
	Seen  string // what was looked through, if that was not all
	Err   error  // the server's refusal, if it was one
	hint  string
	cut   bool // the list that was looked through ends early, or is empty
}

// Error implements error.
func (e *NotFoundError) Error() string {
	project := "in project " + e.Query.Project
	if e.Seen != "" {
		project = e.Seen
	}
	switch e.What {
	case "project":
		return fmt.Sprintf("no project %s that this token can see%s", e.Query.Project, said(e.Err))
	case "job id":
		return fmt.Sprintf("no job %d in project %s%s", e.Query.JobID, e.Query.Project, said(e.Err))
	case "successful pipeline":
		return fmt.Sprintf("no successful pipeline of ref %q %s", e.Query.Ref, project)
	case "pipeline":
		return fmt.Sprintf("there is no such pipeline %s: %s%s", project, e.Query.where(), said(e.Err))
	}
	job := quoted(e.Query.Jobs)
	if e.Job != "" {
		job = fmt.Sprintf("job %q", e.Job)
	}
	return fmt.Sprintf("no %s with artifacts in %s %s%s%s", job, e.Query.where(), project, suggestion(e.Near), said(e.Err))
}

func suggestion(names []string) string {
	if len(names) == 0 {
		return ""
	}
	for i, name := range names {
		names[i] = strings.Trim(fmt.Sprintf("%q", name), `"`)
	}
	return `; did you mean "` + strings.Join(names, `" or "`) + `"?`
}

// Reason says the same to programs.
func (e *NotFoundError) Reason() Reason {
	switch e.What {
	case "project":
		return ReasonProject
	case "pipeline":
		return ReasonNoPipeline
	case "successful pipeline":
		return ReasonNoSuccess
	}
	return ReasonNoJob
}

// Unwrap gives the server's refusal.
func (e *NotFoundError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NotFoundError) Hint() string {
	mistake := refMistake(e.Query.Ref)
	switch {
	case e.hint != "":
		return e.hint
	case mistake != "" && e.What != "project" && e.What != "job id" && (!e.Query.exact() || e.Query.Latest):
		return mistake
	case e.What == "successful pipeline":
		return "check the ref's spelling (no refs/heads/); a pipeline that runs, failed or waits for a manual job does not count: --pipeline latest takes it"
	case e.What == "pipeline":
		return "a pipeline's id is the number in its address; it must be of this project: check --project"
	case e.What == "job" && e.Query.Recent:
		return "check the job's full name (\"test 1/3\", \"build: [linux, amd64]\"); --max-age may end the search early, and GitLab before 18.10 does not know it with this token"
	case e.What == "job" && e.Query.exact() && !e.Query.Downstream:
		return "check the job's full name (\"test 1/3\", \"build: [linux, amd64]\"); jobs of other projects' pipelines need --downstream"
	case e.What == "job" && e.Query.exact():
		return "check the job's full name (\"test 1/3\", \"build: [linux, amd64]\")"
	case e.What == "job":
		return "check the job's full name (\"test 1/3\", \"build: [linux, amd64]\"), and that the newest successful pipeline has it; --recent looks further back"
	case e.What == "job id":
		return "a job's id is the number in its address; it must be of this project: check --project"
	}
	return ""
}

// StateError reports a job that has not succeeded.
type StateError struct {
	Artifact      Artifact
	FailureReason string
}

// Error implements error.
func (e *StateError) Error() string {
	status := e.Artifact.Status
	if e.FailureReason != "" {
		status += " (" + e.FailureReason + ")"
	}
	return fmt.Sprintf("%s of project %s has not succeeded: it is %s", e.Artifact.Label(), e.Artifact.Project, status)
}

// Final reports whether the job will not go on by itself.
func (e *StateError) Final() bool {
	switch e.Artifact.Status {
	case "failed", "canceled", "skipped":
		return true
	}
	return false
}

// Reason says the same to programs.
func (e *StateError) Reason() Reason {
	if e.Final() {
		return ReasonState
	}
	return ReasonRunning
}

// Hint says what to do next.
func (e *StateError) Hint() string {
	if e.Final() {
		return strings.TrimSpace("--any-status takes its artifacts all the same; " + e.Artifact.WebURL)
	}
	return strings.TrimSpace("--wait DURATION waits for it; " + e.Artifact.WebURL)
}

// NoArchiveError reports that the job is there and its archive is not.
type NoArchiveError struct {
	Artifact Artifact
	Reports  []string // file types the job has instead, such as "junit"
	Erased   bool
	Err      error // the server's refusal, if it was one
}

// Error implements error.
func (e *NoArchiveError) Error() string {
	return fmt.Sprintf("%s of project %s has no artifacts archive%s", e.Artifact.Label(), e.Artifact.Project, said(e.Err))
}

// Reason says the same to programs.
func (e *NoArchiveError) Reason() Reason {
	switch {
	case e.Erased:
		return ReasonErased
	case len(e.Reports) > 0:
		return ReasonReports
	case e.expired():
		return ReasonExpired
	}
	return ReasonNoArchive
}

func (e *NoArchiveError) expired() bool {
	return e.Artifact.ExpireAt != nil && e.Artifact.ExpireAt.Before(time.Now())
}

// Unwrap gives the server's refusal.
func (e *NoArchiveError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NoArchiveError) Hint() string {
	if len(e.Reports) > 0 {
		return fmt.Sprintf("it has reports only (%s), which no download serves: name the files under artifacts:paths too", strings.Join(e.Reports, ", "))
	}
	if e.expired() {
		return fmt.Sprintf("it expired on %s: see artifacts:expire_in, or run the job again: %s", e.Artifact.ExpireAt.UTC().Format(time.RFC1123), e.Artifact.WebURL)
	}
	if e.Erased {
		return strings.TrimSpace("it was erased; run the job again: " + e.Artifact.WebURL)
	}
	return "it never had one, has reports only, or the archive has expired or was erased: see artifacts:expire_in, or run the job again"
}

// Unfinished reports whether a job of that status may still succeed by itself.
// https://docs.gitlab.com/ci/jobs/#available-job-statuses
func Unfinished(status string) bool {
	switch status {
	case "created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "scheduled":
		return true
	}
	return false
}
