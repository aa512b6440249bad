// Package jobs lists the jobs of a project, shows a job and its log, and changes jobs and
// their artifacts. It explains GitLab's refusals.
//
//	jobs.go     Client: the package's settings, and showing one job
//	list.go     a Query → jobs, newest first, page by page
//	log.go      the log of a job, once or until the job has finished
//	actions.go  cancel, retry, erase, play; keep and delete artifacts
//	several.go  the same for each of several jobs, and what was done if one fails
//	errors.go   a refusal → what the token or the job lacks
//
// Only actions.go has requests that change something. An action is one request, which is
// never repeated: if its answer is lost, the error is an [*UnsureError].
package jobs

import (
	"context"
	"errors"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Client lists, shows and changes jobs.
type Client struct {
	API      *gitlab.Client
	Resolver *resolve.Resolver
	Policy   transport.Policy // for requesting a log again
	JobToken bool             // the token belongs to a job
	NoToken  bool             // the requests are anonymous
	OwnJob   int64            // the ID of the running job; 0 outside a job
	Events
}

// Events are callbacks for messages. Each may be nil.
type Events struct {
	// SearchEnded: a list with a limit ended after this many jobs or pipelines, although
	// there are more.
	SearchEnded func(searched int)
	// LogRetried: the log broke off and will be requested again after a pause.
	LogRetried func(err error, pause time.Duration)
	// NoLog: the log is empty.
	NoLog func()
	// Finished: the job whose log is being followed has finished.
	Finished func(gitlab.Job)
}

// NeedsUser returns a [*TokenError] if the token is a job's or missing, but GitLab only
// accepts a user's. GitLab treats a request with a job token as anonymous, and would
// answer that the project doesn't exist. scope is the scope that a user's token needs.
func (c *Client) NeedsUser(what, scope string) error {
	if c.JobToken || c.NoToken && scope == "api" {
		return &TokenError{What: what, Scope: scope, None: c.NoToken}
	}
	return nil
}

// Own returns the job that the job token belongs to.
func (c *Client) Own(ctx context.Context) (gitlab.Job, error) {
	job, err := c.API.CurrentJob(ctx)
	if errors.Is(err, gitlab.ErrUnauthorized) {
		err = &RefusedError{Err: err, hint: "a job token is valid only while its job runs; is this one from a job that has ended?"}
	}
	return job, err
}

// Job returns a job. A job token can only read its own job, at another endpoint.
func (c *Client) Job(ctx context.Context, project string, id int64) (gitlab.Job, error) {
	if c.JobToken && id == c.OwnJob {
		if job, err := c.Own(ctx); err != nil || job.ID == id { // the token may belong to another job
			return job, err
		}
	}
	if err := c.NeedsUser("showing another job", "read_api"); err != nil {
		return gitlab.Job{}, err
	}
	job, err := c.API.Job(ctx, gitlab.Project(project), id)
	return job, explained(err, target{project, id}, "read_api", "Reporter")
}
