package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Job is a job in the API, with the fields that callers need. The server may omit any of
// them. https://docs.gitlab.com/api/jobs/
type Job struct {
	ID                int64          `json:"id"`
	Name              string         `json:"name"`
	Stage             string         `json:"stage"`
	Status            string         `json:"status"`
	Ref               string         `json:"ref"`
	Tag               bool           `json:"tag"`
	AllowFailure      bool           `json:"allow_failure"`
	FailureReason     string         `json:"failure_reason"`
	Coverage          *float64       `json:"coverage"` // percent
	CreatedAt         *time.Time     `json:"created_at"`
	StartedAt         *time.Time     `json:"started_at"`
	FinishedAt        *time.Time     `json:"finished_at"`
	Duration          *float64       `json:"duration"`        // seconds
	QueuedDuration    *float64       `json:"queued_duration"` // seconds
	ErasedAt          *time.Time     `json:"erased_at"`
	ArtifactsExpireAt *time.Time     `json:"artifacts_expire_at"`
	WebURL            string         `json:"web_url"`
	TagList           []string       `json:"tag_list"` // that its runner must have
	User              *User          `json:"user"`
	Pipeline          Pipeline       `json:"pipeline"`
	ArtifactsFile     *ArtifactsFile `json:"artifacts_file"` // nil if the archive doesn't exist or has expired
	Artifacts         []ArtifactFile `json:"artifacts"`      // every file, including reports and trace, expired or not

	// Raw is the object that the server sent, with all of its fields, in compact form;
	// nil unless [Client.KeepRaw] is set.
	Raw json.RawMessage `json:"-"`
}

// User is who started a job.
type User struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

// ArtifactsFile is a job's archive.
type ArtifactsFile struct {
	Filename string `json:"filename"`
	Size     int64  `json:"size"` // bytes of the archive as stored
}

// ArtifactFile is one file that a job uploaded.
type ArtifactFile struct {
	FileType   string `json:"file_type"` // "archive", "metadata", "trace", "junit", …
	Size       int64  `json:"size"`
	Filename   string `json:"filename"`
	FileFormat string `json:"file_format"`
}

// Statuses returns the possible statuses of a job.
// https://docs.gitlab.com/ci/jobs/#available-job-statuses
func Statuses() []string {
	return []string{
		"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running", "success",
		"failed", "canceling", "canceled", "skipped", "manual", "scheduled",
	}
}

// JobsOptions narrow a list of jobs. The zero value lists all.
type JobsOptions struct {
	Scope          []string // statuses
	IncludeRetried bool     // also retried attempts, which a project's list always contains
	PerPage        int      // rows per page; zero means the server's maximum
}

func (o JobsOptions) query() url.Values {
	query := url.Values{"per_page": {perPage}}
	if o.PerPage > 0 && o.PerPage < maxPerPage {
		query.Set("per_page", strconv.Itoa(o.PerPage))
	}
	for _, status := range o.Scope {
		query.Add("scope[]", status)
	}
	if o.IncludeRetried {
		query.Set("include_retried", "true")
	}
	return query
}

// ProjectJobs lists the jobs of a project, newest first, without bridges. It
// asks for keyset pages: offset pages of this list end at 50,000 rows.
// GET /projects/:id/jobs
//
// If the server refuses those (405), it uses offset pages instead.
func (c *Client) ProjectJobs(ctx context.Context, project Project, o JobsOptions) iter.Seq2[Job, error] {
	query := o.query()
	query.Del("include_retried")
	offset := c.address(query, "projects", segment(string(project)), "jobs")
	query.Set("pagination", "keyset")
	query.Set("order_by", "id")
	query.Set("sort", "desc")
	keyset := c.address(query, "projects", segment(string(project)), "jobs")
	return func(yield func(Job, error) bool) {
		for job, err := range c.jobRows(ctx, keyset, project, 0) {
			if refusal, ok := errors.AsType[*Error](err); ok && refusal.StatusCode == http.StatusMethodNotAllowed {
				c.jobRows(ctx, offset, project, 0)(yield) // refused with the first page, if at all
				return
			}
			if !yield(job, err) {
				return
			}
		}
	}
}

// PipelineJobs lists the jobs of one pipeline, newest first, without bridges and
// without those of child pipelines.
// GET /projects/:id/pipelines/:pipeline_id/jobs
func (c *Client) PipelineJobs(ctx context.Context, project Project, pipeline int64, o JobsOptions) iter.Seq2[Job, error] {
	return c.jobRows(ctx, c.address(o.query(), "projects", segment(string(project)), "pipelines", id(pipeline), "jobs"), project, pipeline)
}

// jobRows is a list of a project's jobs, or of one of its pipelines if pipeline isn't 0.
func (c *Client) jobRows(ctx context.Context, address string, project Project, pipeline int64) iter.Seq2[Job, error] {
	return rowsOf(c, list(ctx, c, address, Job.id), address, place{project, pipeline}, func(j Job) Pipeline { return j.Pipeline })
}

func (j Job) id() int64 { return j.ID }

// Job returns one job. Job tokens may not read it.
// GET /projects/:id/jobs/:job_id
func (c *Client) Job(ctx context.Context, project Project, job int64) (Job, error) {
	var j Job
	a, err := c.get(ctx, c.address(nil, "projects", segment(string(project)), "jobs", id(job)), &j)
	if err == nil {
		err = c.isJob(a, project, job, j)
	}
	return j, err
}

// isJob checks that an answer is about this job. An ID of 0 accepts any job of the
// project.
func (c *Client) isJob(a answer, project Project, job int64, j Job) error {
	if job != 0 && j.ID != job {
		return a.one("job", j.ID, job)
	}
	return a.of(c, place{project: project}, j.Pipeline)
}

// CurrentJob returns the job token's job. GET /job
func (c *Client) CurrentJob(ctx context.Context) (Job, error) {
	var j Job
	_, err := c.get(ctx, c.address(nil, "job"), &j)
	return j, err
}
