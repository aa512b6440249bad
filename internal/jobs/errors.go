package jobs

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// TokenError reports a job's token, or a missing one, if GitLab only accepts a user's.
type TokenError struct {
	What, Scope string
	None        bool
}

// Error implements error.
func (e *TokenError) Error() string {
	if e.None {
		return "there is no token, and GitLab needs one for " + e.What
	}
	return "GitLab doesn't accept job tokens for " + e.What
}

// Hint says what to do next.
func (e *TokenError) Hint() string {
	return "set GITLAB_TOKEN to a personal, project or group access token with the scope " + e.Scope
}

// RefusedError is GitLab's refusal, with a hint about what the token or the job lacks.
type RefusedError struct {
	Err        error
	NeedsToken bool // of any kind; the hint says so
	hint       string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns GitLab's answer.
func (e *RefusedError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *RefusedError) Hint() string { return e.hint }

// UnsureError reports a request that GitLab may have carried out, although it hasn't
// answered.
type UnsureError struct {
	Job int64 // ID; 0 if the request was about a project
	Err error
}

// Error implements error.
func (e *UnsureError) Error() string { return "cannot tell whether GitLab did this: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *UnsureError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *UnsureError) Hint() string {
	return "check the state before you retry; artifetch did not retry"
}

// WaitingError reports a job whose log doesn't end until someone plays a manual job: that
// job itself, or one that blocks its pipeline.
type WaitingError struct {
	Job     int64      // the manual job
	Blocked gitlab.Job // the job with the log, if it is another one
	Name    string     // of the manual job in that case
}

// Error implements error.
func (e *WaitingError) Error() string {
	if e.Blocked.ID != 0 {
		return fmt.Sprintf("job %q (%d) has not started: job %q (%d) blocks its pipeline, is manual, and must be played", e.Blocked.Name, e.Blocked.ID, e.Name, e.Job)
	}
	return fmt.Sprintf("job %d is manual and has not been started", e.Job)
}

// Hint says what to do next.
func (e *WaitingError) Hint() string { return "play the job first" }

// NotCanceledError reports a job that GitLab left unchanged because it can't be canceled.
type NotCanceledError struct{ Job gitlab.Job }

// Error implements error.
func (e *NotCanceledError) Error() string {
	return fmt.Sprintf("job %q (%d) was not canceled: it is %s", e.Job.Name, e.Job.ID, e.Job.Status)
}

// Hint says what to do next.
func (e *NotCanceledError) Hint() string {
	return strings.TrimSpace("only a job that has not finished can be canceled; " + e.Job.WebURL)
}

// NoLogError reports an existing job without a log.
type NoLogError struct {
	Project string
	Job     gitlab.Job
	Err     error // the server's refusal
}

// Error implements error.
func (e *NoLogError) Error() string {
	why := "it may have been deleted"
	switch {
	case e.Job.ErasedAt != nil:
		why = "the job was erased"
	case e.Job.StartedAt == nil:
		why = "the job has not started"
	}
	return fmt.Sprintf("job %q (%d) of project %s exists, but its log doesn't: %s", e.Job.Name, e.Job.ID, e.Project, why)
}

// Unwrap returns the server's refusal.
func (e *NoLogError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NoLogError) Hint() string {
	return strings.TrimSpace("retry the job for a new log; " + e.Job.WebURL)
}

// target is a request's job, or its project if the ID is 0.
type target struct {
	project string
	job     int64
}

// acted explains why a change failed. role is the role that it needs.
func acted(err error, of target, role string) error {
	if err != nil && unsure(err) {
		return &UnsureError{of.job, err}
	}
	return explained(err, of, "api", role)
}

// explained explains a refusal. scope and role are what the request needs.
func explained(err error, of target, scope, role string) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	switch {
	case !ok:
		return err
	case refusal.NotNow():
		return &RefusedError{Err: err, hint: notNowHint(refusal.Message)}
	case refusal.StatusCode == http.StatusUnauthorized:
		return &RefusedError{Err: err, hint: "the token is missing, mistyped, revoked or expired; it needs the scope " + scope}
	case refusal.Hint() != "":
		return err // it says what the token lacks
	case refusal.StatusCode == http.StatusForbidden:
		return &RefusedError{Err: err, hint: fmt.Sprintf("the token needs the scope %s, and its user the role %s in project %s", scope, role, of.project)}
	case refusal.StatusCode == http.StatusMethodNotAllowed:
		return &RefusedError{Err: err, hint: "if the project has moved, give its new path, or its id"}
	case refusal.ProjectNotFound():
		return &resolve.NotFoundError{Query: resolve.Query{Project: of.project}, What: "project", Err: err}
	case refusal.StatusCode == http.StatusNotFound && of.job != 0:
		return &resolve.NotFoundError{Query: resolve.Query{Project: of.project, JobID: of.job}, What: "job id", Err: err}
	}
	return err
}

// unsure reports whether GitLab may have carried out a request that changes something,
// although its answer is missing or comes from a server in between.
func unsure(err error) bool {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		return refusal.StatusCode >= http.StatusInternalServerError || refusal.StatusCode < http.StatusBadRequest
	}
	_, network := errors.AsType[*url.Error](err)
	return network && !transport.NeverSent(err) && !errors.Is(err, transport.ErrRedirectedWrite)
}

// notNowHint explains the refusals of lib/api/ci/jobs.rb.
func notNowHint(message string) string {
	for words, hint := range map[string]string{
		" input":        "the job's configuration (inputs:) says which inputs it takes, and of which types",
		"Unplayable":    "only a job that is manual or scheduled can be played",
		"not retryable": "a job can be retried once it has finished, if it was not retried already and is not too old",
		"not erasable":  "a job can be erased once it has finished, if it has anything to erase",
		"stats refresh": "the project's storage is being counted; try again in a while",
	} {
		if strings.Contains(message, words) {
			return hint
		}
	}
	return ""
}
