package transport

import (
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Policy says how often, and for how long, a request is retried after transient failures.
// The zero value is ready to use.
type Policy struct {
	Retries int           // after the first attempt; zero means 5, negative means none
	MaxTime time.Duration // for all attempts and pauses of one request; zero means 5 min
}

const (
	defaultRetries = 5
	defaultMaxTime = 5 * time.Minute
	firstPause     = 500 * time.Millisecond
	longestPause   = 30 * time.Second
	// limitFactor makes pauses longer if a rate limit doesn't say when it ends: GitLab's own
	// count the requests of a minute, and the default attempts then take at least that long.
	limitFactor = 8
)

// Backoff returns the pauses between attempts: exponential, with jitter; a negative one
// ends them. It isn't safe for concurrent use.
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

// Polls returns the pauses between checks whether something has finished: they start at a
// second and grow, with jitter, until limit.
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
