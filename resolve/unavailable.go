package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// StateError reports a job that hasn't succeeded.
type StateError struct {
	Artifact      Artifact
	FailureReason string
	NotStarted    bool // it must start, but needn't succeed
	Required      bool // its pipeline has succeeded, and only RequireSuccess refuses it
}

// Error implements error.
func (e *StateError) Error() string {
	status := e.Artifact.Status
	if e.FailureReason != "" {
		status += " (" + e.FailureReason + ")"
	}
	missing := "succeeded"
	if e.NotStarted {
		missing = "started"
	}
	return fmt.Sprintf("%s of project %s has not %s: it is %s", e.Artifact.Label(), e.Artifact.Project, missing, status)
}

// Final reports whether the job's status won't change.
func (e *StateError) Final() bool {
	switch e.Artifact.Status {
	case "failed", "canceled", "skipped":
		return true
	}
	return false
}

// Reason classifies the error for programs.
func (e *StateError) Reason() Reason {
	if e.Final() {
		return ReasonState
	}
	return ReasonRunning
}

// Hint says what to do next.
func (e *StateError) Hint() string {
	if e.Required {
		return strings.TrimSpace("its pipeline has succeeded, because it was allowed to fail; an older pipeline may have one that has succeeded; " + e.Artifact.WebURL)
	}
	if e.Final() {
		return strings.TrimSpace("look at its log, or take its artifacts whatever its status; " + e.Artifact.WebURL)
	}
	return strings.TrimSpace("wait for it; " + e.Artifact.WebURL)
}

// NoArchiveError reports a job without an archive, or without the report in its Artifact.
type NoArchiveError struct {
	Artifact Artifact
	Reports  []string // types of the files that the job has instead, such as "junit"
	Erased   bool
	Err      error // the server's refusal, if it was one
}

// Error implements error.
func (e *NoArchiveError) Error() string {
	if kind := e.Artifact.Report.Type; kind != "" {
		return fmt.Sprintf("%s of project %s has no %s report%s", e.Artifact.jobLabel(), e.Artifact.Project, kind, said(e.Err))
	}
	return fmt.Sprintf("%s of project %s has no artifacts archive%s", e.Artifact.jobLabel(), e.Artifact.Project, said(e.Err))
}

// Reason classifies the error for programs.
func (e *NoArchiveError) Reason() Reason {
	switch {
	case e.Erased:
		return ReasonErased
	case e.Artifact.Report.Type != "":
		return ReasonNoReport
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

// Unwrap returns the server's refusal.
func (e *NoArchiveError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NoArchiveError) Hint() string {
	if e.Artifact.Report.Type != "" && !e.Erased {
		return e.reportHint()
	}
	if len(e.Reports) > 0 {
		return fmt.Sprintf("it has only reports (%s): ask for one of them, or add the files to artifacts:paths", strings.Join(e.Reports, ", "))
	}
	if e.expired() {
		return fmt.Sprintf("it expired on %s: see artifacts:expire_in, or re-run the job: %s", e.Artifact.ExpireAt.UTC().Format(time.RFC1123), e.Artifact.WebURL)
	}
	if e.Erased {
		return strings.TrimSpace("it was erased; re-run the job: " + e.Artifact.WebURL)
	}
	return "it never had one, has only reports, or the archive has expired or was erased: see artifacts:expire_in, or re-run the job"
}

// reportHint returns the hint about a report.
func (e *NoArchiveError) reportHint() string {
	switch {
	case slices.Contains(e.Reports, e.Artifact.Report.Type): // it exists, but GitLab didn't serve it
		return "GitLab lists it, but doesn't serve it: it may have expired, or GitLab may not serve reports of this type"
	case len(e.Reports) > 0:
		return "its reports are " + strings.Join(e.Reports, ", ")
	case e.Artifact.Reports != nil:
		return "it has no reports: see artifacts:reports in its configuration"
	}
	return "it never had one, or the report has expired or was erased; reports need GitLab 19.4: see artifacts:reports and artifacts:expire_in"
}

// Unfinished reports whether a job with that status may still succeed.
// https://docs.gitlab.com/ci/jobs/#available-job-statuses
func Unfinished(status string) bool {
	switch status {
	case "created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "scheduled":
		return true
	}
	return false
}
