package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/sleep"
)

// AttemptsError reports a request for which all attempts failed.
type AttemptsError struct {
	Attempts int
	Err      error // of the last attempt
}

// Error implements error.
func (e *AttemptsError) Error() string {
	if e.Attempts == 1 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (after %d attempts)", e.Err, e.Attempts)
}

// Unwrap returns the error of the last attempt.
func (e *AttemptsError) Unwrap() error { return e.Err }

// retry retries requests. After the last attempt, it returns the answer unchanged: the
// caller decides what its status means.
type retry struct {
	next   http.RoundTripper
	policy Policy
	report func(Exchange)
	hasty  bool // don't retry after a redirect to an unreachable host
}

// RoundTrip implements [http.RoundTripper].
func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	pauses, start := r.policy.Backoff(), time.Now()
	for attempt := 1; ; attempt++ {
		began := time.Now()
		resp, err := r.next.RoundTrip(req)
		took := time.Since(began)
		if !r.mayRetry(req, resp, err) {
			return finish(resp, err, attempt)
		}
		pause, ok := r.pause(pauses, start, resp)
		if !ok && pause > 0 {
			x := exchange(req, resp, err)
			x.Asked, x.Duration = pause, took
			r.report(x)
		}
		if !ok || !rewind(&req) {
			return finish(resp, err, attempt)
		}
		if openfiles.Exhausted(err) {
			r.CloseIdleConnections()
		}
		x := exchange(req, resp, err)
		x.Attempt, x.Wait, x.Duration = attempt, pause, took
		r.report(x)
		if resp != nil {
			_ = resp.Body.Close() // whole has read it
		}
		if err := sleep.For(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// mayRetry reports whether another attempt may succeed, and is wanted.
func (r *retry) mayRetry(req *http.Request, resp *http.Response, err error) bool {
	hopeless := r.hasty && elsewhere(req) && unreached(err)
	return retryable(req, resp, err) && !isOnce(req.Context()) && !hopeless
}

// once is the key of a context whose requests aren't retried.
type once struct{}

// Once returns a context whose requests aren't retried. It is for what isn't worth waiting
// for.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, once{}, true) }

func isOnce(ctx context.Context) bool { return ctx.Value(once{}) != nil }

// unreached reports whether connecting failed or the server didn't answer in time.
func unreached(err error) bool {
	silent, ok := errors.AsType[net.Error](err)
	return err != nil && (NeverSent(err) || ok && silent.Timeout())
}

// elsewhere reports whether another host redirected to the request's host.
func elsewhere(req *http.Request) bool {
	return req.Response != nil && req.Response.Request != nil && req.Response.Request.URL.Host != req.URL.Host
}

// CloseIdleConnections calls the next layer's.
func (r *retry) CloseIdleConnections() { closeIdle(r.next) }

func finish(resp *http.Response, err error, attempt int) (*http.Response, error) {
	if err != nil {
		return nil, &AttemptsError{attempt, err}
	}
	return resp, nil
}

// pause returns the longer of our own pause and the server's, or zero after the last
// attempt. If it is longer than the remaining time, that was the last attempt, so waiting
// would be pointless.
func (r *retry) pause(pauses backoff.BackOff, start time.Time, resp *http.Response) (time.Duration, bool) {
	pause := pauses.NextBackOff()
	if pause == backoff.Stop {
		return 0, false
	}
	if resp != nil {
		asked := retryAfter(resp, time.Now())
		if asked <= 0 && resp.StatusCode == http.StatusTooManyRequests {
			pause = min(limitFactor*pause, longestPause)
		}
		pause = max(pause, asked)
	}
	return pause, pause <= r.policy.maxTime()-time.Since(start) // the sum may overflow a Duration
}

// rewind gives the next attempt a fresh copy of the request's body.
func rewind(req **http.Request) bool {
	if (*req).Body == nil || (*req).Body == http.NoBody {
		return true
	}
	if (*req).GetBody == nil {
		return false
	}
	body, err := (*req).GetBody()
	if err != nil {
		return false
	}
	again := (*req).Clone((*req).Context())
	again.Body = body
	*req = again
	return true
}
