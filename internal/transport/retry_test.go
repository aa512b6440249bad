package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// script answers requests one after the other, and the last one for ever.
type script struct {
	steps  []step
	bodies []string // of the requests
	closed int      // how often idle connections were closed
}

// CloseIdleConnections counts.
func (s *script) CloseIdleConnections() { s.closed++ }

type step struct {
	status int
	header http.Header
	err    error
}

// RoundTrip implements [http.RoundTripper].
func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	s.bodies = append(s.bodies, body)
	now := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	if now.err != nil {
		return nil, now.err
	}
	return &http.Response{StatusCode: now.status, Header: now.header, Body: io.NopCloser(strings.NewReader("x")), Request: req}, nil
}

func status(code int, header ...string) step {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return step{status: code, header: h}
}

func failure(err error) step { return step{err: err} }

var (
	reset   = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	refused = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tooMany = &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
)

func TestRetry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		method     string
		policy     Policy
		steps      []step
		wantStatus int
		wantErr    error
		wantTries  int
		least      time.Duration // the time it takes
		most       time.Duration
	}{
		{name: "success", steps: []step{status(200)}, wantStatus: 200, wantTries: 1},
		{name: "503, then success", steps: []step{status(503), status(200)}, wantStatus: 200, wantTries: 2, least: 250 * time.Millisecond, most: 750 * time.Millisecond},
		{name: "Retry-After wins over backoff", steps: []step{status(429, "Retry-After", "30"), status(200)}, wantStatus: 200, wantTries: 2, least: 30 * time.Second, most: 30 * time.Second},
		{name: "a short Retry-After does not shorten it", steps: []step{status(503, "Retry-After", "0"), status(200)}, wantStatus: 200, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "a pause beyond the budget ends it at once", steps: []step{status(429, "Retry-After", "3600")}, wantStatus: 429, wantTries: 1},
		{name: "a date in the year 9999", steps: []step{status(429, "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")}, wantStatus: 429, wantTries: 1},
		{name: "the same of a server that is down", steps: []step{status(503, "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")}, wantStatus: 503, wantTries: 1},
		{name: "the same, by the reset of a limit", steps: []step{status(429, "RateLimit-ResetTime", "Fri, 31 Dec 9999 23:59:59 GMT")}, wantStatus: 429, wantTries: 1},
		{name: "the same, after a while", steps: []step{status(503), status(503), status(429, "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")}, wantStatus: 429, wantTries: 3, least: 750 * time.Millisecond, most: 3 * time.Second},
		{name: "the longest Go duration", steps: []step{status(429, "Retry-After", "2562047h47m16.854775807s")}, wantStatus: 429, wantTries: 1},
		{name: "a huge pause", steps: []step{status(429, "Retry-After", "99999999999999999999")}, wantStatus: 429, wantTries: 1},
		{name: "retries are used up", policy: Policy{Retries: 2}, steps: []step{status(502)}, wantStatus: 502, wantTries: 3, least: 500 * time.Millisecond, most: 3 * time.Second},
		{name: "no retries", policy: Policy{Retries: -1}, steps: []step{status(502)}, wantStatus: 502, wantTries: 1},
		{name: "time is used up", policy: Policy{Retries: 1000, MaxTime: 10 * time.Second}, steps: []step{status(500)}, wantStatus: 500, wantTries: 0, least: 3 * time.Second, most: 10 * time.Second},
		{name: "reset", steps: []step{failure(reset), status(200)}, wantStatus: 200, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "end before the headers", steps: []step{failure(io.EOF), status(200)}, wantStatus: 200, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "stalled", steps: []step{failure(&StallError{}), status(200)}, wantStatus: 200, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "too many open files", steps: []step{failure(tooMany), status(200)}, wantStatus: 200, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "a POST that no socket was there for", method: http.MethodPost, steps: []step{failure(tooMany), status(201)}, wantStatus: 201, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "mistakes are not repeated", steps: []step{failure(errors.New("unsupported protocol scheme"))}, wantErr: errors.ErrUnsupported, wantTries: 1},
		{name: "404 is not repeated", steps: []step{status(404)}, wantStatus: 404, wantTries: 1},
		{name: "a POST is not repeated after 503", method: http.MethodPost, steps: []step{status(503)}, wantStatus: 503, wantTries: 1},
		{name: "nor after a reset", method: http.MethodPost, steps: []step{failure(reset)}, wantErr: syscall.ECONNRESET, wantTries: 1},
		{name: "but where it never was sent", method: http.MethodPost, steps: []step{failure(refused), status(201)}, wantStatus: 201, wantTries: 2, least: 250 * time.Millisecond, most: time.Second},
		{name: "or was turned away", method: http.MethodPost, steps: []step{status(429), status(201)}, wantStatus: 201, wantTries: 2, least: 2 * time.Second, most: 6 * time.Second},
		{name: "a limit that doesn't say when it ends lasts a minute", steps: []step{status(429)}, wantStatus: 429, wantTries: 6, least: time.Minute, most: 102 * time.Second},
		{name: "unless there is less time", policy: Policy{MaxTime: 10 * time.Second}, steps: []step{status(429)}, wantStatus: 429, wantTries: 0, least: 2 * time.Second, most: 10 * time.Second},
		{name: "a limit that says when it ends", steps: []step{status(429, "Retry-After", "1"), status(200)}, wantStatus: 200, wantTries: 2, least: time.Second, most: time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &script{steps: tt.steps}
				rt := &retry{next: server, policy: tt.policy, report: func(Exchange) {}}
				method := tt.method
				var body io.Reader
				if method == http.MethodPost {
					body = strings.NewReader("payload")
				}
				req, err := http.NewRequestWithContext(t.Context(), method, "https://h/", body)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				resp, err := rt.RoundTrip(req)
				took := time.Since(start)
				switch {
				case tt.wantErr != nil && err == nil, tt.wantErr == nil && err != nil:
					t.Fatalf("error = %v, want %v", err, tt.wantErr)
				case err == nil && resp.StatusCode != tt.wantStatus:
					t.Errorf("status = %d, want %d", resp.StatusCode, tt.wantStatus)
				}
				if tt.wantTries != 0 && len(server.bodies) != tt.wantTries {
					t.Errorf("%d tries, want %d", len(server.bodies), tt.wantTries)
				}
				if took < tt.least || took > tt.most {
					t.Errorf("took %v, want %v to %v", took, tt.least, tt.most)
				}
				if freed := tt.steps[0].err == error(tooMany); freed != (server.closed > 0) { //nolint:errorlint // it is the very same
					t.Errorf("idle connections were closed %d times", server.closed)
				}
				for i, b := range server.bodies {
					if method == http.MethodPost && b != "payload" {
						t.Errorf("try %d had the body %q", i, b)
					}
				}
			})
		})
	}
}

// What is reported of a retry is how long the attempt took, without the pause.
func TestRetryReportsDuration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reports []time.Duration
		rt := &retry{next: &stall{next: silentServer{header: time.Hour}, timeout: time.Minute}, policy: Policy{Retries: 2, MaxTime: time.Hour}, report: func(x Exchange) { reports = append(reports, x.Duration) }}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rt.RoundTrip(req); err == nil || !slices.Equal(reports, []time.Duration{time.Minute, time.Minute}) {
			t.Errorf("%v: %v", err, reports)
		}
	})
}

// A pause that is longer than there is time for is reported, and only that.
func TestRetryReportsLongPauses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy Policy
		steps  []step
		want   time.Duration
	}{
		{"too long", Policy{}, []step{status(503, "Retry-After", "3600")}, time.Hour},
		{"too long for what is left", Policy{MaxTime: time.Minute}, []step{status(429, "Retry-After", "40"), status(429, "Retry-After", "30")}, 30 * time.Second},
		{"short", Policy{Retries: 1}, []step{status(503, "Retry-After", "3")}, 0},
		{"no retries at all", Policy{Retries: -1}, []step{status(503, "Retry-After", "3600")}, 0},
		{"not to be retried", Policy{}, []step{status(404, "Retry-After", "3600")}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []time.Duration
			rt := &retry{next: &script{steps: tt.steps}, policy: tt.policy, report: func(x Exchange) {
				if x.Asked > 0 {
					asked = append(asked, x.Asked)
				}
			}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = rt.RoundTrip(req)
			if want := slices.DeleteFunc([]time.Duration{tt.want}, func(d time.Duration) bool { return d == 0 }); err != nil || !slices.Equal(asked, want) {
				t.Errorf("%s: %v, %v; want %v", tt.name, asked, err, want)
			}
		})
	}
}

// What isn't worth waiting for is tried once, and nothing is reported as a retry.
func TestOnce(t *testing.T) {
	t.Parallel()
	for _, answer := range []step{status(500), status(429, "Retry-After", "20"), status(503, "Retry-After", "3600"), failure(reset)} {
		synctest.Test(t, func(t *testing.T) {
			server, reports := &script{steps: []step{answer, status(200)}}, 0
			rt := &retry{next: server, report: func(Exchange) { reports++ }}
			req, err := http.NewRequestWithContext(Once(t.Context()), http.MethodGet, "https://h/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := rt.RoundTrip(req)
			if (err == nil) != (answer.err == nil) || err == nil && resp.StatusCode != answer.status || reports > 0 {
				t.Errorf("%+v: %+v, %v, %d reports", answer, resp, err, reports)
			}
		})
	}
}

// Only a suffix range is given up at once where a store answers 500: the client asks
// for another one, and that is repeated.
func TestRetryOfRanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		header string
		status int
		tries  int
	}{
		{"bytes=-131072", 500, 1}, {"bytes=-131072", 503, 3}, {"bytes=-131072", 429, 3},
		{"bytes=0-1048575", 500, 3}, {"", 500, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := &script{steps: []step{status(tt.status)}}
			rt := &retry{next: server, policy: Policy{Retries: 2}, report: func(Exchange) {}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Range", tt.header)
			if resp, err := rt.RoundTrip(req); err != nil || resp.StatusCode != tt.status || len(server.bodies) != tt.tries {
				t.Errorf("%s, %d: %v after %d tries, want %d", tt.header, tt.status, err, len(server.bodies), tt.tries)
			}
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		rt := &retry{next: &script{steps: []step{status(429, "Retry-After", "60")}}, report: func(Exchange) {}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://h/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := rt.RoundTrip(req); !errors.Is(err, cause) {
			t.Errorf("error = %v, want the cause", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}

func TestServerWish(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, header, value string
		want                time.Duration
	}{
		{"seconds", "Retry-After", "120", 2 * time.Minute},
		{"date", "Retry-After", "Fri, 02 Jan 2026 03:05:05 GMT", time.Minute},
		{"Go duration", "Retry-After", "1m30s", 90 * time.Second},
		{"too many seconds", "Retry-After", "99999999999999999999", (1<<31 - 1) * time.Second},
		{"negative", "Retry-After", "-5", 0},
		{"nonsense", "Retry-After", "soon", 0},
		{"past date", "Retry-After", "Fri, 02 Jan 2015 03:05:05 GMT", 0},
		{"reset", "RateLimit-Reset", "1767323105", time.Minute},
		{"reset as a date", "RateLimit-ResetTime", "Fri, 02 Jan 2026 03:05:05 GMT", time.Minute},
		{"reset far away", "RateLimit-Reset", "99999999999999", 0},
		{"date far away", "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", maxRetryAfter},
		{"date before the first", "Retry-After", "Mon, 01 Jan 0001 00:00:00 GMT", 0},
		{"reset date far away", "RateLimit-ResetTime", "Fri, 31 Dec 9999 23:59:59 GMT", maxRetryAfter},
		{"reset in a hundred years", "RateLimit-Reset", "5000000000", maxRetryAfter},
		{"the longest Go duration", "Retry-After", "2562047h47m16.854775807s", maxRetryAfter},
		{"the most negative", "Retry-After", "-2562047h47m16.854775808s", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set(tt.header, tt.value)
			if got := retryAfter(&http.Response{StatusCode: http.StatusTooManyRequests, Header: h}, now); got != tt.want {
				t.Errorf("retryAfter = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRateLimitIsNoWishOfOtherFailures(t *testing.T) {
	t.Parallel()
	resp := &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{"Ratelimit-Reset": {"1767323105"}}}
	if got := retryAfter(resp, time.Unix(1767323045, 0)); got != 0 {
		t.Errorf("retryAfter = %v, want none", got)
	}
}

func TestBelowAPI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		api, address string
		want         bool
	}{
		{"https://h/api/v4", "https://h/api/v4/projects/1", true},
		{"https://h/api/v4", "https://H:443/api/v4/job", true},
		{"https://h:8443/api/v4", "https://h:8443/api/v4/job", true},
		{"https://h/gitlab/api/v4", "https://h/gitlab/api/v4/projects/g%2Fp", true},
		{"https://h/api/v4", "http://h/api/v4/job", false},
		{"https://h/api/v4", "https://h:8443/api/v4/job", false},
		{"https://h/api/v4", "https://h.evil.com/api/v4/job", false},
		{"https://h/api/v4", "https://evil.com/api/v4/job", false},
		{"https://h/api/v4", "https://h/storage/artifacts.zip", false},
		{"https://h/api/v4", "https://h/api/v4evil", false},
		{"https://h/api/v4", "https://h/api/v4/../../x", false},
		{"https://h/api/v4", "https://h/api/v4/..", false},
		{"https://h/api/v4", "https://h/api/v4/%2e%2e", false},
		{"https://h/api/v4", "https://h/users/sign_in", false},
	}
	for _, tt := range tests {
		t.Run(tt.address, func(t *testing.T) {
			t.Parallel()
			api, err := url.Parse(tt.api)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(tt.address)
			if err != nil {
				t.Fatal(err)
			}
			if got := belowAPI(api, u); got != tt.want {
				t.Errorf("belowAPI = %v, want %v", got, tt.want)
			}
		})
	}
}
