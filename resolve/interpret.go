package resolve

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Meaning turns a refusal that is about a project as a whole into what it means.
func (r *Resolver) Meaning(err error, project string) error {
	return r.interpret(err, Query{Project: project}, Artifact{})
}

// interpret turns the last refusal into what it means here. GitLab has two
// spellings of 404: with a small f a record was not found, with a capital one
// something that belongs to it.
func (r *Resolver) interpret(err error, q Query, a Artifact) error {
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
	case refusal.StatusCode == http.StatusForbidden && a.runner && refusal.Hint() == "":
		// The runner's route says the same of jobs that are not there.
		return &RefusedError{err, "there is no such job, or this token's user may not read its artifacts: check the job's ID, the user's role, and artifacts:access"}
	case refusal.StatusCode == http.StatusForbidden:
		return &RefusedError{err, forbiddenHint(refusal)}
	case refusal.StatusCode != http.StatusNotFound:
		return err
	case refusal.ProjectNotFound():
		return &NotFoundError{Query: q, What: "project", Err: err, hint: r.projectHint()}
	case a.JobID != 0 && refusal.Message == "404 Not found":
		return &NotFoundError{Query: Query{Project: q.Project, JobID: a.JobID}, What: "job id", Err: err}
	case a.JobID == 0 && refusal.Message == "404 Not found":
		return &NotFoundError{Query: q, What: "job", Job: a.JobName, Err: err}
	case a.URL == "" || strings.HasPrefix(refusal.Message, "HTML page"):
		return err // of a list, or not of GitLab's API
	}
	return &NoArchiveError{Artifact: a, Err: err}
}

func (r *Resolver) unauthorizedHint() string {
	if r.jobToken {
		return "a job token is valid only while its job runs; is this one from a job that has ended?"
	}
	return "the token is missing, mistyped, revoked or expired; it needs the scope read_api"
}

func (r *Resolver) projectHint() string {
	if r.jobToken {
		return "check the path; else the instance lacks the licence to use job tokens here (Premium): set GITLAB_TOKEN to a token with read_api"
	}
	return "check the path; a private project looks like a missing one to a token, or to nobody, without access to it"
}

var notAllowlisted = regexp.MustCompile(`not allowed from (\S+) to (\S+?)\.?$`)

// forbiddenHint knows the refusals of job tokens:
// https://docs.gitlab.com/ci/jobs/ci_job_token/
func forbiddenHint(refusal *gitlab.Error) string {
	message := refusal.Message
	if hint := refusal.Hint(); hint != "" {
		return hint
	}
	if m := notAllowlisted.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("in project %s: Settings > CI/CD > Job token permissions > add project %s", m[2], m[1])
	}
	if strings.Contains(message, "token permission is required") {
		return "the project's job token allowlist grants too little: give this project's entry the permission that is named"
	}
	return "the token's user may not read this job's artifacts: it needs the Developer role, or artifacts:access restricts them"
}
