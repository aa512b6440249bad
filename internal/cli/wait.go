package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/resolve"
)

// waitError reports that the time of --wait is over.
type waitError struct {
	waited time.Duration
	err    error // why there is nothing yet
}

// Error implements error.
func (e *waitError) Error() string { return fmt.Sprintf("waited %v: %v", e.waited, e.err) }

// Unwrap gives the last reason.
func (e *waitError) Unwrap() error { return e.err }

// waiting does something again until it is done, or can never be, or the time is
// over.
func (s *session) waiting(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	pauses, start := s.policy.Polls(limit), time.Now()
	for {
		err := do(ctx)
		if limit <= 0 || !mayCome(err) {
			return err
		}
		pause, left := pauses.NextBackOff(), limit-time.Since(start)
		if left <= 0 {
			return &waitError{limit, err}
		}
		if pause < 0 || pause > left {
			pause = left // for a last look when the time is over
		}
		s.log.Info().Stringer("again_in", pause.Round(100*time.Millisecond)).Str("because", err.Error()).Msg("waiting")
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// mayCome reports whether time alone may mend an error: a pipeline or job that is
// not there yet, or has not finished.
func mayCome(err error) bool {
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); ok {
		return missing.What == "job" || missing.Reason() == resolve.ReasonNoSuccess || missing.Reason() == resolve.ReasonNoPipeline
	}
	if state, ok := errors.AsType[*resolve.StateError](err); ok {
		return !state.Final()
	}
	if empty, ok := errors.AsType[*resolve.NoArchiveError](err); ok {
		return empty.Artifact.Status == "" || resolve.Unfinished(empty.Artifact.Status) // without a status nobody knows
	}
	return false
}

// ifMissing reads --if-missing: what becomes of an error that says that there is
// no such job, or no archive. outcome says so in the log.
func ifMissing(c *cli.Context, outcome string) (func(*session, error) error, error) {
	switch what := c.String("if-missing"); what {
	case "", "fail":
		return func(_ *session, err error) error { return err }, nil
	case "warn", "ignore":
		return func(s *session, err error) error {
			if !isMissing(err) {
				return err
			}
			event := s.log.Warn()
			if what == "ignore" {
				event = s.log.Debug()
			}
			event.Err(err).Msg(outcome)
			return nil
		}, nil
	}
	return nil, &usageError{"--if-missing is none of fail, warn, ignore", "leave it out to fail"}
}

// isMissing leaves out a project that is not there: that is a mistake in the
// query, or in the rights.
func isMissing(err error) bool {
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); ok {
		return missing.Reason() != resolve.ReasonProject
	}
	return is[*resolve.NoArchiveError](err) || is[*resolve.StateError](err)
}
