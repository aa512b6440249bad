// Package jobs lists the jobs of a project, shows one with its log, and changes jobs
// and their artifacts. It explains what GitLab refuses.
//
//	jobs.go     Client: what the package needs of a run, and the one job that is shown
//	list.go     a Query → jobs, newest first, a page at a time
//	log.go      the log of a job, once or until the job has finished
//	actions.go  cancel, retry, erase, play; keep and delete artifacts
//	several.go  the same for each of several jobs, and what was done if one fails
//	errors.go   a refusal → what the token or the job lacks
//
// Every request but those of actions.go only reads. An action is one request, which is
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

// Client does what the package is for.
type Client struct {
	API      *gitlab.Client
	Resolver *resolve.Resolver
	Policy   transport.Policy // of asking for a log again
	JobToken bool             // the token is that of a job
	NoToken  bool             // there is none
	OwnJob   int64            // the ID of the job that runs here; 0 if none does
	Events
}

// Events are told what the caller may want to show. Each may be nil.
type Events struct {
	// SearchEnded: a list with a limit ends after so many jobs or pipelines, though
	// there are more.
	SearchEnded func(searched int)
	// LogRetried: the log broke off, and is read again after a pause.
	LogRetried func(err error, pause time.Duration)
	// NoLog: the log is empty.
	NoLog func()
	// Finished: the job whose log is followed has finished.
	Finished func(gitlab.Job)
}

// NeedsUser returns a [*TokenError] if the token is a job's, or if there is none, and GitLab
// answers nobody else than a user. GitLab treats the request of a job token as anonymous, and
// would answer that there is no such project. scope is what the token of a user needs.
func (c *Client) NeedsUser(what, scope string) error {
	if c.JobToken || c.NoToken && scope == "api" {
		return &TokenError{What: what, Scope: scope, None: c.NoToken}
	}
	return nil
}

// Own returns the job that a job token is of.
func (c *Client) Own(ctx context.Context) (gitlab.Job, error) {
	job, err := c.API.CurrentJob(ctx)
	if errors.Is(err, gitlab.ErrUnauthorized) {
		err = &RefusedError{Err: err, hint: "a job token is valid only while its job runs; is this one from a job that has ended?"}
	}
	return job, err
}

// Job returns a job. A job token may only ask for its own, at another endpoint.
func (c *Client) Job(ctx context.Context, project string, id int64) (gitlab.Job, error) {
	if c.JobToken && id == c.OwnJob {
		if job, err := c.Own(ctx); err != nil || job.ID == id { // the token may be that of another job
			return job, err
		}
	}
	if err := c.NeedsUser("showing another job", "read_api"); err != nil {
		return gitlab.Job{}, err
	}
	job, err := c.API.Job(ctx, gitlab.Project(project), id)
	return job, explained(err, target{project, id}, "read_api", "Reporter")
}
