package failure

import (
	"errors"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/resolve"
)

// NoToken reports that both the token and the project are missing. A variable that is not
// read may hold the token.
func NoToken(unread string) error {
	return Usage("no token, and no project: GITLAB_TOKEN and CI_JOB_TOKEN are not set", giveToken(unread)+"; a public project needs none: give --project")
}

// giveToken says how to provide a token. A variable that isn't read may hold one.
func giveToken(unread string) string {
	if unread != "" {
		return unread + " is set, but not read: use GITLAB_TOKEN or --token-file"
	}
	return noToken
}

// noToken says how to provide a token.
const noToken = "set GITLAB_TOKEN or --token-file; in a Dockerfile, RUN --mount=type=secret,id=GITLAB_TOKEN with docker build --secret id=GITLAB_TOKEN (if a CI job builds it, CI_JOB_TOKEN in both)"

// Anonymous adds to a refusal that the token was missing, if it was: GitLab answers the
// same if the token can't see the project. A variable that is not read may hold one.
func Anonymous(err error, without bool, unread string) error {
	missing, ok := errors.AsType[*resolve.NotFoundError](err)
	told, _ := errors.AsType[*jobs.RefusedError](err)
	switch {
	case !without || told != nil && told.NeedsToken:
		return err
	case ok && missing.What == "project", is[*resolve.RefusedError](err), errors.Is(err, gitlab.ErrUnauthorized):
		return &anonymousError{err, unread}
	}
	return err
}

// anonymousError is a refusal of a request without a token.
type anonymousError struct {
	error
	unread string // variable
}

// Unwrap returns the refusal.
func (e *anonymousError) Unwrap() error { return e.error }

// Hint says what to do next.
func (e *anonymousError) Hint() string { return "there is no token: " + giveToken(e.unread) }
