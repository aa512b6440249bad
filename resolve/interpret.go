package resolve

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Meaning explains a refusal that concerns a project as a whole.
func (r *Resolver) Meaning(err error, project string) error {
	return r.interpret(err, Query{Project: project}, Artifact{})
}

// interpret explains the last refusal.
func (r *Resolver) interpret(err error, q Query, a Artifact) error {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	switch {
	case !ok, refusal.FromStorage: // GitLab has redirected there, so it considers nothing missing
		return err
	}
	switch refusal.StatusCode {
	case http.StatusUnauthorized:
		return &RefusedError{err, r.unauthorizedHint()}
	case http.StatusForbidden:
		return &RefusedError{err, forbiddenHint(refusal, a)}
	case http.StatusNotFound:
		return r.interpretNotFound(refusal, q, a, err)
	}
	return err
}

// interpretNotFound distinguishes the two spellings of GitLab's 404: "Not found" means
// that the record itself doesn't exist, "Not Found" that something which belongs to it
// doesn't.
func (r *Resolver) interpretNotFound(refusal *gitlab.Error, q Query, a Artifact, err error) error {
	notFound := refusal.Message == "404 Not found"
	switch {
	case refusal.ProjectNotFound():
		return &NotFoundError{Query: q, What: "project", Err: err, hint: r.projectHint()}
	case notFound && a.JobID != 0:
		return &NotFoundError{Query: Query{Project: q.Project, JobID: a.JobID}, What: "job id", Err: err}
	case notFound && a.JobName != "":
		return &NotFoundError{Query: q, What: "job", Job: a.JobName, Err: err}
	case a.URL == "" || refusal.NotAPI():
		return err // from a list, or not from GitLab's API
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
		return "check the path, and that the user who runs the job is a member of the project; if both are right, job tokens need GitLab Premium or Ultimate here: set GITLAB_TOKEN to a token with read_api"
	}
	return "check the path; GitLab also answers 404 if the token can't see the project, or if there is no token"
}

var notAllowlisted = regexp.MustCompile(`not allowed from (\S+) to (\S+?)\.?$`)

// forbiddenHint explains how GitLab refuses job tokens:
// https://docs.gitlab.com/ci/jobs/ci_job_token/
func forbiddenHint(refusal *gitlab.Error, a Artifact) string {
	message := refusal.Message
	if hint := refusal.Hint(); hint != "" {
		return hint
	}
	if a.runner { // this route gives the same answer if the job doesn't exist
		return "there is no such job, or the token's user may not read its artifacts: check the job's id, the user's role and artifacts:access"
	}
	if m := notAllowlisted.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("in project %s: Settings > CI/CD > Job token permissions > add project %s", m[2], m[1])
	}
	if strings.Contains(message, "token permission is required") {
		return "the project's job token allowlist doesn't grant enough: add the permission to this project's entry"
	}
	if a.URL == "" { // a list
		return "the token needs the scope read_api, and its user the role Reporter in that project, to list pipelines and jobs"
	}
	return "the token's user may not read this job's artifacts: check the user's role (Developer or higher) and artifacts:access"
}
