package resolve

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// NotFoundError reports that there is no such project, ref, pipeline or job.
type NotFoundError struct {
	Query Query
	What  string // "project", "successful pipeline", "job"
	Err   error  // the server's refusal, if it was one
	hint  string
}

// Error implements error.
func (e *NotFoundError) Error() string {
	switch e.What {
	case "project":
		return fmt.Sprintf("no project %s that this token can see%s", e.Query.Project, said(e.Err))
	case "job id":
		return fmt.Sprintf("no job %d in project %s%s", e.Query.JobID, e.Query.Project, said(e.Err))
	case "successful pipeline":
		return fmt.Sprintf("no successful pipeline of ref %q in project %s", e.Query.Ref, e.Query.Project)
	}
	return fmt.Sprintf("no job %q with artifacts in the newest successful pipeline of ref %q in project %s%s", e.Query.Job, e.Query.Ref, e.Query.Project, said(e.Err))
}

// Unwrap gives the server's refusal.
func (e *NotFoundError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NotFoundError) Hint() string {
	switch {
	case e.hint != "":
		return e.hint
	case e.What == "successful pipeline":
		return "check the ref's spelling (no refs/heads/); a pipeline that runs, failed or waits for a manual job does not count"
	case e.What == "job":
		return "check the job's full name (\"test 1/3\", \"build: [linux, amd64]\"), and that the newest successful pipeline has it"
	case e.What == "job id":
		return "a job's id is the number in its address; it must be of this project: check --project"
	}
	return ""
}

// NoArchiveError reports that the job is there and its archive is not.
type NoArchiveError struct {
	Artifact Artifact
	Reports  []string // file types the job has instead, such as "junit"
	Err      error    // the server's refusal, if it was one
}

// Error implements error.
func (e *NoArchiveError) Error() string {
	return fmt.Sprintf("%s of project %s has no artifacts archive%s", e.Artifact.Label(), e.Artifact.Project, said(e.Err))
}

// Unwrap gives the server's refusal.
func (e *NoArchiveError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NoArchiveError) Hint() string {
	if len(e.Reports) > 0 {
		return fmt.Sprintf("it has reports only (%s), which no download serves: name the files under artifacts:paths too", strings.Join(e.Reports, ", "))
	}
	return "it never had one, has reports only, or the archive has expired or was erased: see artifacts:expire_in, or run the job again"
}

// RefusedError is a refusal of the server with what to do about it.
type RefusedError struct {
	Err  error
	hint string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives the server's refusal.
func (e *RefusedError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *RefusedError) Hint() string { return e.hint }

func said(err error) string {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		return fmt.Sprintf(" (%s)", refusal.Message)
	}
	return ""
}

// explain turns the last refusal into what it means here. GitLab has two
// spellings of 404: with a small f a record was not found, with a capital one
// something that belongs to it.
func (r *Resolver) explain(err error, q Query, a Artifact) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return err
	}
	switch {
	case refusal.FromStorage && refusal.StatusCode == http.StatusNotFound:
		return &NoArchiveError{Artifact: a, Err: err}
	case refusal.FromStorage:
		return err
	case refusal.StatusCode == http.StatusUnauthorized:
		return &RefusedError{err, r.unauthorizedHint()}
	case refusal.StatusCode == http.StatusForbidden:
		return &RefusedError{err, forbiddenHint(refusal.Message)}
	case refusal.StatusCode != http.StatusNotFound:
		return err
	case refusal.ProjectNotFound():
		return &NotFoundError{Query: q, What: "project", Err: err, hint: r.projectHint()}
	case a.JobID != 0 && refusal.Message == "404 Not found":
		return &NotFoundError{Query: Query{Project: q.Project, JobID: a.JobID}, What: "job id", Err: err}
	case a.JobID == 0 && refusal.Message == "404 Not found":
		return &NotFoundError{Query: q, What: "job", Err: err}
	}
	return &NoArchiveError{Artifact: a, Err: err}
}

func (r *Resolver) unauthorizedHint() string {
	if r.JobToken {
		return "a job token is valid only while its job runs; is this one from a job that has ended?"
	}
	return "the token is missing, mistyped, revoked or expired; it needs the scope read_api"
}

func (r *Resolver) projectHint() string {
	if r.JobToken {
		return "check the path; else the instance lacks the licence to use job tokens here (Premium): set GITLAB_TOKEN to a token with read_api"
	}
	return "check the path; a private project looks like a missing one to a token, or to nobody, without access to it"
}

var notAllowlisted = regexp.MustCompile(`not allowed from (\S+) to (\S+?)\.?$`)

// forbiddenHint knows the refusals of job tokens:
// https://docs.gitlab.com/ci/jobs/ci_job_token/
func forbiddenHint(message string) string {
	if m := notAllowlisted.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("in project %s: Settings > CI/CD > Job token permissions > add project %s", m[2], m[1])
	}
	if strings.Contains(message, "token permission is required") {
		return "the project's job token allowlist grants too little: give this project's entry the permission that is named"
	}
	return "the token's user may not read this job's artifacts: it needs the Developer role, or artifacts:access restricts them"
}
