package retrieve

import (
	"context"
	"errors"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/sleep"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Waiter retries while a job or pipeline may still appear or finish.
type Waiter struct {
	Limit time.Duration // zero or less means a single attempt
	// Pauses returns the pauses between attempts.
	Pauses func(limit time.Duration) fetch.Backoff
	// Waiting is called for each pause. It may be nil.
	Waiting func(pause time.Duration, because error)
}

// Do calls attempt until it succeeds, fails for good, or the limit is reached. The last
// attempt is made at the limit.
func (w Waiter) Do(ctx context.Context, attempt func(context.Context) error) error {
	if w.Limit <= 0 {
		return attempt(ctx)
	}
	pauses, start := w.Pauses(w.Limit), time.Now()
	for {
		err := attempt(ctx)
		if !mayCome(err) {
			return err
		}
		pause, left := pauses.NextBackOff(), w.Limit-time.Since(start)
		if left <= 0 {
			return &TimeoutError{Waited: w.Limit, Err: err}
		}
		if pause < 0 || pause > left {
			pause = left // until the last attempt
		}
		if w.Waiting != nil {
			w.Waiting(pause, err)
		}
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
}

// mayCome reports whether waiting may resolve an error: a pipeline or job doesn't exist
// yet, or hasn't finished.
func mayCome(err error) bool {
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); ok {
		if missing.What == "pipeline" && missing.Query.PipelineID != 0 {
			return false // pipelines get their number when they are created
		}
		return missing.What == "job" || missing.Reason() == resolve.ReasonNoSuccess || missing.Reason() == resolve.ReasonNoPipeline
	}
	if state, ok := errors.AsType[*resolve.StateError](err); ok {
		return !state.Final()
	}
	if empty, ok := errors.AsType[*resolve.NoArchiveError](err); ok {
		return empty.Artifact.Status == "" || resolve.Unfinished(empty.Artifact.Status) // an unknown status may change
	}
	return false
}
