package transport

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// serverWish is how long the server asks to be left alone; zero if it does not
// say. It understands
//
//	Retry-After: 120                            seconds (RFC 9110 §10.2.3)
//	Retry-After: Fri, 31 Dec 1999 23:59:59 GMT  a date (idem)
//	Retry-After: 1m0s                           what GitLab Workhorse's circuit breaker sends
//	RateLimit-Reset: 1609844400                 Unix time (GitLab's Rack::Attack)
//	RateLimit-ResetTime: Tue, 05 Jan 2021 …     the same as a date
//
// GitLab.com sends RateLimit-* with every answer, so that they are a wish only
// where the limit is what went wrong.
//
// No wish is longer than [longestWish], so that it can be added to.
func serverWish(resp *http.Response, now time.Time) time.Duration {
	h := resp.Header
	wish := retryAfter(h.Get("Retry-After"), now)
	if wish <= 0 && resp.StatusCode == http.StatusTooManyRequests {
		if wish = unixTime(h.Get("RateLimit-Reset"), now); wish <= 0 {
			wish = date(h.Get("RateLimit-ResetTime"), now)
		}
	}
	return min(max(wish, 0), longestWish)
}

// longestWish is 68 years. That a date is in the year 9999 would be three centuries,
// which is more than a Duration can hold.
const longestWish = math.MaxInt32 * time.Second

func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		// A number that is too large parses to the largest one, with an error;
		// clamped before it is multiplied, it cannot wrap around.
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
