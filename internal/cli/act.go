package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// tokenError reports a token of a kind that the server does not take for what is
// asked. It is found before the server is asked: that would take the bearer for
// nobody, and say that there is no such project.
type tokenError struct{ what, needs string }

// Error implements error.
func (e *tokenError) Error() string { return "GitLab takes no job token for " + e.what }

// Hint says what to do next.
func (e *tokenError) Hint() string {
	return "set GITLAB_TOKEN to a personal, project or group access token with the scope " + e.needs
}

// needsUser refuses job tokens.
func (s *session) needsUser(what, needs string) error {
	if s.cfg.Token.Kind == env.JobToken {
		return &tokenError{what, needs}
	}
	return nil
}

// notNowError reports what cannot be done as things stand.
type notNowError struct{ what, hint string }

// Error implements error.
func (e *notNowError) Error() string { return e.what }

// Hint says what to do next.
func (e *notNowError) Hint() string { return e.hint }

// actionError is an error with what to do about it.
type actionError struct {
	err  error
	hint string
}

// Error implements error.
func (e *actionError) Error() string { return e.err.Error() }

// Unwrap gives the error itself.
func (e *actionError) Unwrap() error { return e.err }

// Hint says what to do next.
func (e *actionError) Hint() string { return e.hint }

// acted explains why something could not be done to a job, or to the project if
// there is none. role is who may.
func acted(err error, project string, job int64, role string) error {
	if err != nil && unsure(err) {
		return &actionError{fmt.Errorf("nobody knows whether this was done: %w", err), "it was not tried again; look at how things are before you repeat it" + lookAt(job)}
	}
	return explained(err, project, job, "api", role)
}

// explained explains a refusal about a job, or about the project if there is
// none. scope and role are what it takes.
func explained(err error, project string, job int64, scope, role string) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	switch {
	case !ok:
		return err
	case refusal.NotNow():
		return &actionError{err, notNowHint(refusal.Message)}
	case refusal.StatusCode == http.StatusUnauthorized:
		return &actionError{err, "the token is missing, mistyped, revoked or expired; it needs the scope " + scope}
	case refusal.Hint() != "":
		return err // says what the token lacks
	case refusal.StatusCode == http.StatusForbidden:
		return &actionError{err, fmt.Sprintf("the token needs the scope %s, and its user the role %s in project %s", scope, role, project)}
	case refusal.StatusCode == http.StatusMethodNotAllowed:
		return &actionError{err, "if the project has moved, give its new path, or its id"}
	case refusal.ProjectNotFound():
		return &resolve.NotFoundError{Query: resolve.Query{Project: project}, What: "project", Err: err}
	case refusal.StatusCode == http.StatusNotFound && job != 0:
		return &resolve.NotFoundError{Query: resolve.Query{Project: project, JobID: job}, What: "job id", Err: err}
	}
	return err
}

func lookAt(job int64) string {
	if job == 0 {
		return ""
	}
	return fmt.Sprintf(": artifetch job show %d", job)
}

// unsure reports whether a request that changes something may have been acted on
// though its answer did not come, or came from a server in between.
func unsure(err error) bool {
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		return refusal.StatusCode >= http.StatusInternalServerError || refusal.StatusCode < http.StatusBadRequest
	}
	return is[*url.Error](err) && !transport.NeverSent(err) && !errors.Is(err, transport.ErrRedirectedWrite)
}

// notNowHint knows the refusals of lib/api/ci/jobs.rb.
func notNowHint(message string) string {
	for words, hint := range map[string]string{
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
