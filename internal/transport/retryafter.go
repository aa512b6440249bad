package transport

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter returns how long the server asks clients to wait, or zero if it doesn't
// say. It understands
//
//	Retry-After: 120                            seconds (RFC 9110 §10.2.3)
//	Retry-After: Fri, 31 Dec 1999 23:59:59 GMT  a date (idem)
//	Retry-After: 1m0s                           what GitLab Workhorse's circuit breaker sends
//	RateLimit-Reset: 1609844400                 Unix time (GitLab's Rack::Attack)
//	RateLimit-ResetTime: Tue, 05 Jan 2021 …     the same as a date
//
// GitLab.com sends RateLimit-* with every answer, so they count only if the limit is
// what went wrong.
//
// The result is at most [maxRetryAfter], so that adding to it can't overflow.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	h := resp.Header
	wait := retryAfterHeader(h.Get("Retry-After"), now)
	if wait <= 0 && resp.StatusCode == http.StatusTooManyRequests {
		if wait = unixTime(h.Get("RateLimit-Reset"), now); wait <= 0 {
			wait = date(h.Get("RateLimit-ResetTime"), now)
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}

// maxRetryAfter is 68 years. A date in the year 9999 would be millennia away, which
// doesn't fit into a Duration.
const maxRetryAfter = math.MaxInt32 * time.Second

func retryAfterHeader(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		// A number that is too large parses to the largest one, with an error; it is
		// clamped before the multiplication, so it can't overflow.
		seconds, _ := strconv.ParseInt(value, 10, 64)
		return time.Duration(min(seconds, math.MaxInt32)) * time.Second
	}
	if d, err := time.ParseDuration(value); err == nil {
		return d
	}
	return date(value, now)
}

func unixTime(value string, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil || seconds < 0 || seconds > math.MaxInt32*4 {
		return 0
	}
	return time.Unix(seconds, 0).Sub(now)
}

func date(value string, now time.Time) time.Duration {
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return at.Sub(now)
}
