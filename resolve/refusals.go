package resolve

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// RefusedError is a refusal of the server, with a hint.
type RefusedError struct {
	Err  error
	hint string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Reason classifies the error for programs.
func (e *RefusedError) Reason() Reason {
	if errors.Is(e.Err, gitlab.ErrUnauthorized) {
		return ReasonToken
	}
	return ReasonForbidden
}

// Unwrap returns the server's refusal.
func (e *RefusedError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *RefusedError) Hint() string { return e.hint }

// ClosedError reports that a job token can't read the lists that the query needs.
type ClosedError struct {
	Query Query
	Err   error // the last refusal
}

// Error implements error.
func (e *ClosedError) Error() string {
	purpose := ", which is needed for " + e.Query.where()
	if e.Query.Ref == "" && !e.Query.Exact() { // the query is for a list
		purpose = ""
	}
	return fmt.Sprintf("cannot list the jobs of project %s with this job token%s%s", e.Query.Project, purpose, said(e.Err))
}

// Unwrap returns the server's refusal.
func (e *ClosedError) Unwrap() error { return e.Err }

// Reason classifies the error for programs.
func (*ClosedError) Reason() Reason { return ReasonClosed }

// Denied reports whether GitLab says that the project doesn't allow the job token, or not
// for this: then the reason isn't GitLab's version.
func (e *ClosedError) Denied() bool {
	refusal, ok := errors.AsType[*gitlab.Error](e.Err)
	return ok && (refusal.Hint() != "" || notAllowlisted.MatchString(refusal.Message) || strings.Contains(refusal.Message, "token permission is required"))
}

// Hint says what to do next.
func (e *ClosedError) Hint() string {
	if refusal, ok := errors.AsType[*gitlab.Error](e.Err); ok && e.Denied() {
		return forbiddenHint(refusal, Artifact{})
	}
	return "job tokens list jobs since about GitLab 18.5, pipelines since 19.2: use a token with the scope read_api, or name the job by its id"
}

// DownstreamError reports a pipeline in another project that the token can't read, so it
// may have the job.
type DownstreamError struct {
	Query      Query
	Job        string // the name that wasn't found elsewhere; empty if it was
	Project    string // of the pipeline; empty if unknown
	PipelineID int64
	Err        error // the server's refusal
}

// Error implements error.
func (e *DownstreamError) Error() string {
	where := "downstream pipelines, because this token cannot list trigger jobs"
	if e.Project != "" {
		where = fmt.Sprintf("pipeline %d of the downstream project %s", e.PipelineID, e.Project)
	}
	job := quoted(e.Query.Jobs)
	if e.Job != "" {
		job = fmt.Sprintf("job %q", e.Job)
	}
	return fmt.Sprintf("cannot look for %s in %s%s", job, where, said(e.Err))
}

// Unwrap returns the server's refusal.
func (e *DownstreamError) Unwrap() error { return e.Err }

// Reason classifies the error for programs.
func (*DownstreamError) Reason() Reason { return ReasonForbidden }

// Hint says what to do next.
func (e *DownstreamError) Hint() string {
	if e.Project == "" {
		return "job tokens list trigger jobs since GitLab 19.2: use a token with the scope read_api, or ask for the job in the downstream project"
	}
	if refusal, ok := errors.AsType[*gitlab.Error](e.Err); ok && refusal.StatusCode == http.StatusForbidden {
		return forbiddenHint(refusal, Artifact{})
	}
	return fmt.Sprintf("give the token's user access to project %s", e.Project)
}

func said(err error) string {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok && refusal.Message != "" {
		return fmt.Sprintf(" (%s)", refusal.Message)
	}
	return ""
}
