package jobs

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Roles that an action needs.
const (
	developer  = "Developer"
	maintainer = "Maintainer"
	eraser     = "Maintainer, or Developer for jobs of one's own,"
)

// change makes one request that changes a job, and explains why it failed.
func (c *Client) change(what string, of target, role string, do func() (gitlab.Job, error)) (gitlab.Job, error) {
	if err := c.NeedsUser(what, "api"); err != nil {
		return gitlab.Job{}, err
	}
	job, err := do()
	return job, acted(err, of, role)
}

// Cancel cancels an unfinished job; for a finished one, the error is a
// [*NotCanceledError]. With force, it also cancels a job whose runner doesn't answer.
func (c *Client) Cancel(ctx context.Context, project string, id int64, force bool) (gitlab.Job, error) {
	return c.change("job cancel", target{project, id}, developer, func() (gitlab.Job, error) {
		job, err := c.API.CancelJob(ctx, gitlab.Project(project), id, force)
		if err == nil && !slices.Contains([]string{"canceled", "canceling", ""}, job.Status) {
			err = &NotCanceledError{job} // GitLab answers 201 with the unchanged job
		}
		return job, err
	})
}

// Retry runs a finished job again, as a new job, which it returns. Inputs that aren't
// given keep their values.
func (c *Client) Retry(ctx context.Context, project string, id int64, inputs map[string]string) (gitlab.Job, error) {
	if err := c.takesInputs(ctx, inputs); err != nil {
		return gitlab.Job{}, err
	}
	return c.change("job retry", target{project, id}, developer, func() (gitlab.Job, error) {
		return withInputs(inputs, func(typed map[string]any) (gitlab.Job, error) {
			return c.API.RetryJob(ctx, gitlab.Project(project), id, typed)
		})
	})
}

// Erase deletes the archive, the reports and the log of a finished job.
func (c *Client) Erase(ctx context.Context, project string, id int64) (gitlab.Job, error) {
	return c.change("job erase", target{project, id}, eraser, func() (gitlab.Job, error) {
		return c.API.EraseJob(ctx, gitlab.Project(project), id)
	})
}

// Play starts a manual or scheduled job.
func (c *Client) Play(ctx context.Context, project string, id int64, variables []gitlab.Variable, inputs map[string]string) (gitlab.Job, error) {
	if err := c.takesInputs(ctx, inputs); err != nil {
		return gitlab.Job{}, err
	}
	return c.change("job play", target{project, id}, developer, func() (gitlab.Job, error) {
		return withInputs(inputs, func(typed map[string]any) (gitlab.Job, error) {
			return c.API.PlayJob(ctx, gitlab.Project(project), id, variables, typed)
		})
	})
}

// Keep prevents a job's artifacts from expiring.
func (c *Client) Keep(ctx context.Context, a resolve.Artifact) (gitlab.Job, error) {
	return c.change("keeping artifacts", target{a.Project, a.JobID}, developer, func() (gitlab.Job, error) {
		job, err := c.API.KeepArtifacts(ctx, gitlab.Project(a.Project), a.JobID)
		if nothingToKeep(err) {
			err = &resolve.NoArchiveError{Artifact: a}
		}
		return job, err
	})
}

// nothingToKeep recognizes the 404 for a job without an archive: it shows the job in
// Ruby's notation (lib/api/ci/job_artifacts.rb). A job that doesn't exist has another
// 404.
func nothingToKeep(err error) bool {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && refusal.StatusCode == http.StatusNotFound && strings.Contains(refusal.Message, "#<Ci::Build")
}

// DeleteArtifacts deletes a job's archive and reports, but not its log.
func (c *Client) DeleteArtifacts(ctx context.Context, project string, id int64) error {
	_, err := c.change("deleting artifacts", target{project, id}, maintainer, func() (gitlab.Job, error) {
		return gitlab.Job{}, c.API.DeleteArtifacts(ctx, gitlab.Project(project), id)
	})
	return err
}

// DeleteAllArtifacts makes GitLab delete the artifacts of all jobs of a project in the
// background, except those of the newest successful pipeline of each ref.
func (c *Client) DeleteAllArtifacts(ctx context.Context, project string) error {
	_, err := c.change("deleting artifacts", target{project: project}, maintainer, func() (gitlab.Job, error) {
		return gitlab.Job{}, c.API.DeleteProjectArtifacts(ctx, gitlab.Project(project))
	})
	return err
}
