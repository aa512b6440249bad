package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// The requests that change something. No kind of job token does for them: the
// server takes its bearer for nobody.

// KeepArtifacts keeps the artifacts of a job from expiring.
// POST /projects/:id/jobs/:job_id/artifacts/keep
func (c *Client) KeepArtifacts(ctx context.Context, project Project, job int64) (Job, error) {
	return c.act(ctx, project, job, "artifacts/keep", nil)
}

// DeleteArtifacts deletes the archive and the reports of a job; its log stays.
// DELETE /projects/:id/jobs/:job_id/artifacts
func (c *Client) DeleteArtifacts(ctx context.Context, project Project, job int64) error {
	return c.send(ctx, http.MethodDelete, c.ArchiveURL(project, job), nil, nil)
}

// DeleteProjectArtifacts lets all artifacts of a project expire but those that
// GitLab keeps: of the newest successful pipeline of each ref. The server does it
// later. DELETE /projects/:id/artifacts
func (c *Client) DeleteProjectArtifacts(ctx context.Context, project Project) error {
	return c.send(ctx, http.MethodDelete, c.address(nil, "projects", segment(string(project)), "artifacts"), nil, nil)
}

// CancelJob cancels a job. With force, which maintainers may use, also one whose
// runner does not answer while it is "canceling".
// POST /projects/:id/jobs/:job_id/cancel
func (c *Client) CancelJob(ctx context.Context, project Project, job int64, force bool) (Job, error) {
	if force {
		return c.act(ctx, project, job, "cancel", map[string]bool{"force": true})
	}
	return c.act(ctx, project, job, "cancel", nil)
}

// RetryJob runs a job again. The job that is returned is the new one.
// POST /projects/:id/jobs/:job_id/retry
func (c *Client) RetryJob(ctx context.Context, project Project, job int64) (Job, error) {
	return c.act(ctx, project, job, "retry", nil)
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

// PlayJob starts a manual or scheduled job. A trigger job is returned as what it
// has in common with a job. POST /projects/:id/jobs/:job_id/play
func (c *Client) PlayJob(ctx context.Context, project Project, job int64, variables []Variable) (Job, error) {
	if len(variables) > 0 {
		return c.act(ctx, project, job, "play", map[string][]Variable{"job_variables_attributes": variables})
	}
	return c.act(ctx, project, job, "play", nil)
}

// Trace opens the log of a job, as far as it was written. It is always sent
// whole: the server has no ranges of it. GET /projects/:id/jobs/:job_id/trace
func (c *Client) Trace(ctx context.Context, project Project, job int64) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.jobAddress(project, job, "trace"), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if err := checkPlain(resp); err != nil {
		_ = resp.Body.Close() // it says no more
		return nil, err
	}
	return resp.Body, nil
}

// act posts to a route of a job and returns the job that the answer shows.
func (c *Client) act(ctx context.Context, project Project, job int64, route string, body any) (Job, error) {
	var j Job
	err := c.send(ctx, http.MethodPost, c.jobAddress(project, job, route), body, &j)
	return j, err
}

func (c *Client) jobAddress(project Project, job int64, route string) string {
	return c.address(nil, "projects", segment(string(project)), "jobs", id(job), route)
}

// send makes a request with a JSON body, if there is one, and decodes the answer
// into v, if that is not nil.
func (c *Client) send(ctx context.Context, method, address string, body, v any) error {
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	_, _, err = c.do(req, v)
	return err
}
