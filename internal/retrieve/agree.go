package retrieve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// AnotherJobError reports that GitLab has sent the archive of another job than its lists
// name, or may have: a pipeline has ended in the meantime.
type AnotherJobError struct {
	Artifact resolve.Artifact
	Unknown  bool // it may be that job's: the server doesn't identify its archives
}

// Error implements error.
func (e *AnotherJobError) Error() string {
	if e.Unknown {
		return fmt.Sprintf("artifetch cannot tell whether the archive that GitLab sent is that of %s, which its lists name now", e.Artifact.Label())
	}
	return fmt.Sprintf("the archive that GitLab sent is not that of %s, which its lists name now", e.Artifact.Label())
}

// Unwrap returns [fetch.ErrChanged].
func (*AnotherJobError) Unwrap() error { return fetch.ErrChanged }

// settledFor is how long a ref's pipelines must have been unchanged before a list and a
// download certainly agree, even if clocks differ.
const settledFor = time.Minute

// together is how much later than the list GitLab may choose the archive so that both mean
// the same job, if all pipelines that could matter had ended: in less time, hardly any job
// is created, run and its archive uploaded. A server that is busy, or has to be asked
// again, chooses later.
const together = 5 * time.Second

// settled reports whether a download certainly means the listed job.
func settled(a resolve.Artifact) bool {
	return !a.Settled.IsZero() && time.Since(a.Settled) > settledFor
}

// agree returns the job of an archive that was downloaded by ref: the listed one, if that
// is certain; later requests then use its ID. If the token can't list jobs, the artifact
// stays unchanged. If the lists name a job with another archive, the error is an
// [*AnotherJobError].
func (l *jobLookup) agree(ctx context.Context, file *fetch.File, a resolve.Artifact) (resolve.Artifact, error) {
	listed, err := l.found()
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case err != nil:
		return a, err
	case a.JobID != 0 || listed.JobID == 0: // the lists were needed to open it, or can't be read
		return a, nil
	case listed.Size > 0 && listed.Size != file.Size():
		return a, &AnotherJobError{Artifact: listed}
	case settled(listed) && file.Identified().Sub(l.begun) < together:
		file.UseAddress(listed.URL)
		return listed, nil
	}
	same, err := l.serves(ctx, file)
	switch {
	case ctx.Err() != nil:
		return a, context.Cause(ctx)
	case errors.Is(err, fetch.ErrCannotTell), refused(err): // by ID, the refusal is explained
		return listed, &AnotherJobError{Artifact: listed, Unknown: true}
	case err != nil:
		return listed, fmt.Errorf("cannot confirm that the archive is that of %s: %w", listed.Label(), err)
	case !same:
		return listed, &AnotherJobError{Artifact: listed}
	}
	file.UseAddress(listed.URL)
	return listed, nil
}

// serves reports whether the listed job's own address serves an open file.
func (l *jobLookup) serves(ctx context.Context, file *fetch.File) (bool, error) {
	l.working.Go(l.identify)
	select {
	case <-l.identified:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if l.identityErr != nil {
		return false, l.identityErr
	}
	return file.Is(l.identity)
}
