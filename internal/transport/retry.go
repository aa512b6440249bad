package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/sleep"
)

// Policy says how often, and for how long, a request that failed for a
// transient reason is repeated. The zero value is ready to use.
type Policy struct {
	Retries int           // repeats after the first attempt; zero means 5, negative means none
	MaxTime time.Duration // for all attempts and pauses of one request; zero means 5 min
}

const (
	defaultRetries = 5
	defaultMaxTime = 5 * time.Minute
	firstPause     = 500 * time.Millisecond
	longestPause   = 30 * time.Second
)

// Backoff returns the pauses between attempts: exponential, with jitter, ended
// by a negative one. Not safe for concurrent use.
func (p Policy) Backoff() backoff.BackOff {
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstPause),
		backoff.WithMultiplier(2),
		backoff.WithMaxInterval(longestPause),
		backoff.WithMaxElapsedTime(p.maxTime()),
	)
	retries := p.Retries
	switch {
	case retries < 0:
		return &backoff.StopBackOff{}
	case retries == 0:
		retries = defaultRetries
	}
	return backoff.WithMaxRetries(b, uint64(retries))
}

const (
	firstPoll   = time.Second
	longestPoll = 30 * time.Second
)

// Polls returns the pauses between looks at something that takes its time, for at
// most so long: a second, then ever longer, with jitter.
func (p Policy) Polls(limit time.Duration) backoff.BackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstPoll),
		backoff.WithMultiplier(1.5),
		backoff.WithMaxInterval(longestPoll),
		backoff.WithMaxElapsedTime(limit),
	)
}

func (p Policy) maxTime() time.Duration {
	if p.MaxTime <= 0 {
		return defaultMaxTime
	}
	return p.MaxTime
}

// AttemptsError reports that a request failed as often as it was made.
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

// Unwrap gives the error of the last attempt.
func (e *AttemptsError) Unwrap() error { return e.Err }

// retry repeats requests. When the attempts are used up, it returns the last
// answer as it is: what its status means is the caller's business.
type retry struct {
	next   http.RoundTripper
	policy Policy
	report func(Exchange)
}

// RoundTrip implements [http.RoundTripper].
func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	pauses, start := r.policy.Backoff(), time.Now()
	for attempt := 1; ; attempt++ {
		resp, err := r.next.RoundTrip(req)
		if !worthRepeating(req, resp, err) {
			return finish(resp, err, attempt)
		}
		pause, ok := r.pause(pauses, start, resp)
		if !ok || !rewind(&req) {
			return finish(resp, err, attempt)
		}
		if openfiles.Exhausted(err) {
			r.CloseIdleConnections()
		}
		x := exchange(req, resp, err)
		x.Attempt, x.Wait = attempt, pause
		r.report(x)
		if resp != nil {
			_ = resp.Body.Close() // whole has read it
		}
		if err := sleep.For(req.Context(), pause); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections is passed on.
func (r *retry) CloseIdleConnections() { closeIdle(r.next) }

func finish(resp *http.Response, err error, attempt int) (*http.Response, error) {
	if err != nil {
		return nil, &AttemptsError{attempt, err}
	}
	return resp, nil
}

// pause is the longer of our own pause and the server's wish. A wish that goes
// beyond the time there is ends the attempts at once: nobody gains from waiting
// for an attempt that will not be made.
func (r *retry) pause(pauses backoff.BackOff, start time.Time, resp *http.Response) (time.Duration, bool) {
	pause := pauses.NextBackOff()
	if pause == backoff.Stop {
		return 0, false
	}
	if resp != nil {
		pause = max(pause, serverWish(resp, time.Now()))
	}
	return pause, pause <= r.policy.maxTime()-time.Since(start) // the sum may be more than a Duration holds
}

// worthRepeating allow-lists what is transient. Requests that change something
// are repeated only if the server surely did not act on them.
func worthRepeating(req *http.Request, resp *http.Response, err error) bool {
	if req.Context().Err() != nil {
		return false
	}
	idempotent := req.Method == http.MethodGet || req.Method == http.MethodHead
	if err != nil {
		return unreachable(err) || idempotent && transient(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusInternalServerError:
		// Stores that don't support suffix ranges may answer 500, as Azure's emulator
		// does. The client asks for another range then, and that is repeated.
		return idempotent && !strings.HasPrefix(req.Header.Get("Range"), "bytes=-")
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return idempotent
	}
	return false
}

// NeverSent reports whether a request failed because there was no connection to
// send it on, so that the server cannot have acted on it.
func NeverSent(err error) bool {
	if _, noConnection := errors.AsType[*TLSError](err); noConnection || unreachable(err) {
		return true
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok && (proxy.Tunnel || proxy.Status < http.StatusInternalServerError) {
		return true
	}
	_, noAddress := errors.AsType[*net.DNSError](err)
	return noAddress
}

// unreachable is NeverSent for reasons that may be gone the next time. One of them is
// that too many files are open in this process.
func unreachable(err error) bool {
	if openfiles.Exhausted(err) {
		return true
	}
	if notFound, ok := errors.AsType[*net.DNSError](err); ok {
		return notFound.IsTemporary || notFound.IsTimeout
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok && proxy.Tunnel {
		return proxy.transient()
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && (op.Timeout() || errors.Is(err, errRefused) || errors.Is(err, errReset) ||
		errors.Is(err, errNetUnreach) || errors.Is(err, errHostUnreach))
}

func transient(err error) bool {
	if failed, ok := errors.AsType[net.Error](err); ok && failed.Timeout() {
		return true
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok && proxy.transient() {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, errReset) || errors.Is(err, syscall.EPIPE) || errors.Is(err, errAborted) ||
		errors.Is(err, errRefused) || errors.Is(err, net.ErrClosed)
}

// rewind gives the next attempt a body of its own.
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
