package retrieve_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// The last attempt is made at the limit, even if the next pause would be longer.
func TestWaiterUsesAllItsTime(t *testing.T) {
	t.Parallel()
	polls := func(limit time.Duration) fetch.Backoff { return transport.Policy{}.Polls(limit) }
	long := func(limit time.Duration) fetch.Backoff { return constant(limit * 2 / 3) }
	for i, limit := range []time.Duration{100 * time.Millisecond, 10 * time.Second, time.Hour, time.Minute} {
		pauses := []func(time.Duration) fetch.Backoff{polls, polls, polls, long}[i]
		synctest.Test(t, func(t *testing.T) {
			start, attempts, told := time.Now(), 0, 0
			var last time.Duration
			w := retrieve.Waiter{
				Limit: limit, Pauses: pauses,
				Waiting: func(time.Duration, error) { told++ },
			}
			err := w.Do(t.Context(), func(context.Context) error {
				last = time.Since(start)
				attempts++
				return &resolve.NotFoundError{What: "job"}
			})
			over, ok := errors.AsType[*retrieve.TimeoutError](err)
			if !ok || over.Waited != limit || last != limit || attempts < 2 || told != attempts-1 {
				t.Errorf("%d attempts in %v, the last after %v, told %d times: %v", attempts, limit, last, told, err)
			}
			if _, ok := errors.AsType[*resolve.NotFoundError](err); !ok {
				t.Errorf("the reason is lost: %v", err)
			}
		})
	}
}

// It waits only for problems that time may fix.
func TestWaiterWaitsFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		err   error
		waits bool
	}{
		{"nothing", nil, false},
		{"a job that isn't there yet", &resolve.NotFoundError{What: "job"}, true},
		{"a pipeline", &resolve.NotFoundError{What: "pipeline"}, true},
		{"a pipeline's number", &resolve.NotFoundError{What: "pipeline", Query: resolve.Query{PipelineID: 9}}, false},
		{"a job that waits for a person", &resolve.StateError{Artifact: resolve.Artifact{Status: "manual"}, NotStarted: true}, true},
		{"a successful pipeline", &resolve.NotFoundError{What: "successful pipeline"}, true},
		{"a project", &resolve.NotFoundError{What: "project"}, false},
		{"a job ID", &resolve.NotFoundError{What: "job id"}, false},
		{"the archive of a job that runs", &resolve.NoArchiveError{Artifact: resolve.Artifact{Status: "running"}}, true},
		{"the archive of a job of unknown status", &resolve.NoArchiveError{}, true},
		{"the archive of a job that has finished", &resolve.NoArchiveError{Artifact: resolve.Artifact{Status: "success"}}, false},
		{"anything else", errors.New("no"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			w := retrieve.Waiter{Limit: time.Minute, Pauses: func(time.Duration) fetch.Backoff { return constant(time.Second) }}
			_ = w.Do(t.Context(), func(context.Context) error { attempts++; return tt.err })
			if (attempts > 1) != tt.waits {
				t.Errorf("%s: %d attempts", tt.name, attempts)
			}
		})
	}
}

// Without a limit, there is one attempt. The end of the context also ends a pause.
func TestWaiterStops(t *testing.T) {
	t.Parallel()
	attempts := 0
	missing := &resolve.NotFoundError{What: "job"}
	if err := (retrieve.Waiter{}).Do(t.Context(), func(context.Context) error { attempts++; return missing }); attempts != 1 || !errors.Is(err, missing) {
		t.Errorf("%d attempts: %v", attempts, err)
	}
	synctest.Test(t, func(t *testing.T) {
		errStop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		w := retrieve.Waiter{
			Limit: time.Hour, Pauses: func(time.Duration) fetch.Backoff { return constant(time.Minute) },
			Waiting: func(time.Duration, error) { cancel(errStop) },
		}
		start := time.Now()
		if err := w.Do(ctx, func(context.Context) error { return missing }); !errors.Is(err, errStop) || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
