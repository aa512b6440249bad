package gitlab

import (
	"context"
	"net/http"
)

// The requests that change something. With a job token, GitLab treats them as anonymous.

// KeepArtifacts prevents a job's artifacts from expiring. POST
// /projects/:id/jobs/:job_id/artifacts/keep
func (c *Client) KeepArtifacts(ctx context.Context, project Project, job int64) (Job, error) {
	return c.act(ctx, project, job, "artifacts/keep", nil)
}

// DeleteArtifacts deletes the archive and the reports of a job, but not its log. DELETE
// /projects/:id/jobs/:job_id/artifacts
func (c *Client) DeleteArtifacts(ctx context.Context, project Project, job int64) error {
	_, err := c.send(ctx, http.MethodDelete, c.ArchiveURL(project, job), nil, nil)
	return err
}

// DeleteProjectArtifacts expires all artifacts of a project, except those of the newest
// successful pipeline of each ref, which GitLab keeps. The server does it later. DELETE
// /projects/:id/artifacts
func (c *Client) DeleteProjectArtifacts(ctx context.Context, project Project) error {
	_, err := c.send(ctx, http.MethodDelete, c.address(nil, "projects", segment(string(project)), "artifacts"), nil, nil)
	return err
}

// CancelJob cancels a job. With force, which needs the Maintainer role, it also cancels a
// job that stays "canceling" because its runner doesn't answer.
// POST /projects/:id/jobs/:job_id/cancel
func (c *Client) CancelJob(ctx context.Context, project Project, job int64, force bool) (Job, error) {
	if force {
		return c.act(ctx, project, job, "cancel", map[string]bool{"force": true})
	}
	return c.act(ctx, project, job, "cancel", nil)
}

// RetryJob runs a job again. Inputs replace the job's own. It returns the new job. GitLab
// ignores inputs before 18.10. POST /projects/:id/jobs/:job_id/retry
func (c *Client) RetryJob(ctx context.Context, project Project, job int64, inputs map[string]any) (Job, error) {
	return c.act(ctx, project, job, retry, started(nil, inputs))
}

// started returns the body of a request that starts a job; nil if it would be empty.
func started(variables []Variable, inputs map[string]any) any {
	body := map[string]any{}
	if len(variables) > 0 {
		body["job_variables_attributes"] = variables
	}
	if len(inputs) > 0 {
		body["job_inputs"] = inputs
	}
	if len(body) == 0 {
		return nil
	}
	return body
}

// EraseJob deletes the archive, the reports and the log of a job.
// POST /projects/:id/jobs/:job_id/erase
func (c *Client) EraseJob(ctx context.Context, project Project, job int64) (Job, error) {
	return c.act(ctx, project, job, "erase", nil)
}

// Variable is a CI/CD variable that a manual job is started with.
type Variable struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// PlayJob starts a manual or scheduled job. GitLab ignores inputs before 18.10. For a
// trigger job, it returns the fields that jobs share. POST
// /projects/:id/jobs/:job_id/play
func (c *Client) PlayJob(ctx context.Context, project Project, job int64, variables []Variable, inputs map[string]any) (Job, error) {
	return c.act(ctx, project, job, "play", started(variables, inputs))
}

// retry is the route that answers with another job: the new one.
const retry = "retry"

// act posts to a route of a job and returns the job in the answer.
func (c *Client) act(ctx context.Context, project Project, job int64, route string, body any) (Job, error) {
	var j Job
	a, err := c.send(ctx, http.MethodPost, c.jobAddress(project, job, route), body, &j)
	if route == retry {
		job = 0
	}
	if err == nil {
		err = c.isJob(a, project, job, j)
	}
	return j, err
}
