package jobs

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/sleep"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Log writes a job's log to out. With follow, it continues until the job has finished; if
// the job or one before it must be played first, the error is a [*WaitingError].
func (c *Client) Log(ctx context.Context, project string, id int64, follow bool, out io.Writer) error {
	if err := c.NeedsUser("logs", "read_api"); err != nil {
		return err
	}
	l := &jobLog{Client: c, project: gitlab.Project(project), id: id, out: out, pause: followPause}
	err := explained(l.print(ctx, follow), target{project, id}, "read_api", "Reporter (with CI_DEBUG_TRACE: Developer)")
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); ok && missing.What == "job id" {
		return c.logMissing(ctx, missing)
	}
	if err == nil && l.printed == 0 && c.NoLog != nil {
		c.NoLog()
	}
	return err
}

// logMissing distinguishes a job that doesn't exist from one without a log: GitLab
// answers 404 for both.
func (c *Client) logMissing(ctx context.Context, missing *resolve.NotFoundError) error {
	job, err := c.API.Job(ctx, gitlab.Project(missing.Query.Project), missing.Query.JobID)
	if err != nil {
		return missing
	}
	return &NoLogError{Project: missing.Query.Project, Job: job, Err: missing.Err}
}

// Started returns a [*resolve.StateError] if a job hasn't started and so has no log yet.
// A manual job starts when someone plays it.
func (c *Client) Started(ctx context.Context, a resolve.Artifact) error {
	if a.Job == nil {
		job, err := c.Job(ctx, a.Project, a.JobID)
		if err != nil {
			return err
		}
		a.JobName, a.Status, a.WebURL, a.PipelineID = job.Name, job.Status, job.WebURL, job.Pipeline.ID
	}
	if a.Status == "manual" || a.Status != "running" && resolve.Unfinished(a.Status) {
		return &resolve.StateError{Artifact: a, NotStarted: true}
	}
	return nil
}

// jobLog writes a job's log as it grows.
type jobLog struct {
	*Client
	project gitlab.Project
	id      int64
	out     io.Writer
	pause   time.Duration // between two requests
	printed int64         // bytes of the log
}

// LogBrokenError reports a log that broke off while it was being read.
type LogBrokenError struct{ Err error }

// Error implements error.
func (e *LogBrokenError) Error() string { return "the log broke off: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *LogBrokenError) Unwrap() error { return e.Err }

// followPause is the pause between two requests for a running job. A runner uploads its
// log every three seconds:
// https://docs.gitlab.com/runner/configuration/advanced-configuration/
const followPause = 3 * time.Second

// print prints the log, once or until the job has finished. It requests the job's status
// before the log, so a finished job's log is complete.
func (l *jobLog) print(ctx context.Context, follow bool) error {
	if !follow {
		return l.whole(ctx)
	}
	for {
		job, err := l.API.Job(ctx, l.project, l.id)
		if err != nil {
			return err
		}
		if err := l.whole(ctx); err != nil {
			return err
		}
		switch {
		case slices.Contains([]string{"success", "failed", "canceled", "skipped"}, job.Status):
			if l.Finished != nil {
				l.Finished(job)
			}
			return nil
		case job.Status == "manual":
			return &WaitingError{Job: l.id}
		case job.Status == "created" && job.Pipeline.Status == "manual":
			for _, manual := range l.Resolver.Blocking(ctx, string(l.project), job.Pipeline.ID) {
				return &WaitingError{Job: manual.ID, Name: manual.Name, Blocked: job}
			}
		}
		if err := sleep.For(ctx, l.pause); err != nil {
			return err
		}
	}
}

// realProgress is how many bytes must arrive between two interruptions. Without it, a
// server that sends a few bytes and hangs up would be retried forever.
const realProgress = 64 << 10

// whole prints the new part of the log, and requests it again if it breaks off.
func (l *jobLog) whole(ctx context.Context) error {
	pauses := l.Policy.Backoff()
	for {
		before := l.printed
		err := l.more(ctx)
		if _, broken := errors.AsType[*LogBrokenError](err); !broken || ctx.Err() != nil {
			return err
		}
		if l.printed-before >= realProgress {
			pauses = l.Policy.Backoff()
		}
		pause := pauses.NextBackOff()
		if pause < 0 {
			return err
		}
		if l.LogRetried != nil {
			l.LogRetried(err, pause)
		}
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
}

// more prints the new part of the log. The server sends the whole log; more skips what
// was printed. The log may be shorter for a while, when GitLab moves it to storage.
func (l *jobLog) more(ctx context.Context) error {
	body, err := l.API.Trace(ctx, l.project, l.id)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read to its end, or no longer needed
	read := &logReader{body}
	switch _, err := io.CopyN(io.Discard, read, l.printed); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	n, err := io.Copy(l.out, read)
	l.printed += n
	return err
}

// logReader distinguishes errors of the connection from those of the output.
type logReader struct{ body io.Reader }

// Read implements [io.Reader].
func (r *logReader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &LogBrokenError{err}
	}
	return n, err
}
