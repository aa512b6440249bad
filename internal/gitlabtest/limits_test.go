package gitlabtest_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// clock is a clock that a test sets.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

const (
	runnerRoute = "jobs/1001/artifacts"
	jobsIndex   = "projects/1/jobs"
	oneProject  = "projects/1"
	oneJob      = "projects/1/jobs/1001"
)

// allowed sends up to tries requests, and returns how many were allowed before the first
// was throttled; -1 if none was.
func allowed(t *testing.T, tries int, address string, header ...string) int {
	t.Helper()
	for n := range tries {
		got := ask(t, address, header...)
		switch {
		case got.status == 429:
			return n
		case got.status >= 400 && got.status != 401:
			t.Fatalf("%s: %d %s", address, got.status, got.body)
		}
	}
	return -1
}

// TestLimits tries each limit, and requests that don't count.
func TestLimits(t *testing.T) {
	t.Parallel()
	all := gitlabtest.Limits{Runner: 3, JobsIndex: 4, Project: 5, API: 6}
	off := gitlabtest.Limits{Runner: -1, JobsIndex: -1, Project: -1}
	only := func(change func(*gitlabtest.Limits)) *gitlabtest.Limits {
		limits := off
		change(&limits)
		return &limits
	}
	for _, tt := range []struct {
		limits             *gitlabtest.Limits
		version, path, who string
		want               int // requests that are allowed; -1 means all
	}{
		{nil, "", runnerRoute, "job", -1},
		{&off, "", runnerRoute, "job", -1},
		{&off, "", jobsIndex, "private", -1},
		{&gitlabtest.Limits{}, "", runnerRoute, "job", 200},
		{&gitlabtest.Limits{}, "18.5", runnerRoute, "job", 200},
		{&gitlabtest.Limits{}, "18.4", runnerRoute, "job", -1},
		{&gitlabtest.Limits{}, "18.4", jobsIndex, "private", 600},
		{&gitlabtest.Limits{}, "", oneProject, "private", 400},
		{&gitlabtest.Limits{}, "", oneJob, "private", -1}, // Rack::Attack is off
		{&all, "", runnerRoute, "job", 3},
		{&all, "", runnerRoute, "dead job", 3}, // counted before it is refused
		{&all, "", jobsIndex, "private", 4},
		{&all, "", oneProject, "private", 5},
		{&all, "", oneJob, "private", 6},
		{&all, "", "projects/1/jobs/1001/artifacts", "job", 6},
		{&all, "", "projects/1/jobs/1001/artifacts", "bearer", 6},
		{only(func(l *gitlabtest.Limits) { l.API = 2 }), "", runnerRoute, "job", -1}, // job tokens don't count there
		{only(func(l *gitlabtest.Limits) { l.Project = 2 }), "", oneJob, "private", -1},
		{only(func(l *gitlabtest.Limits) { l.JobsIndex = 2 }), "", "projects/1/pipelines/100/jobs", "private", -1},
		{only(func(l *gitlabtest.Limits) { l.Runner = 2 }), "", "projects/1/jobs/1001/artifacts", "job", -1},
		{&gitlabtest.Limits{API: 2}, "", "projects/4/jobs/4001/artifacts", "nobody", -1},
	} {
		at := newClock()
		s := start(t, gitlabtest.Options{Version: tt.version, Limits: tt.limits, Now: at.now})
		if got := allowed(t, max(tt.want+1, 201), s.APIURL+"/"+tt.path, credentials[tt.who]...); got != tt.want {
			t.Errorf("%+v %s: %s by %q: %d requests, want %d", tt.limits, tt.version, tt.path, tt.who, got, tt.want)
		}
	}
}

// A job token is counted once for all jobs and all ways to send it; a user once for all
// tokens.
func TestLimitKeys(t *testing.T) {
	t.Parallel()
	at := newClock()
	s := start(t, gitlabtest.Options{Now: at.now, Limits: &gitlabtest.Limits{Runner: 2, JobsIndex: 2}})
	for i, tt := range []struct {
		path string
		who  []string
		want int
	}{
		{runnerRoute, credentials["job"], 200},
		{"jobs/1002/artifacts?token=" + gitlabtest.JobToken, nil, 200}, // the same token
		{runnerRoute, credentials["job"], 429},
		{"jobs/9999/artifacts", credentials["job"], 429},
		{"jobs/5702/artifacts", shopJob, 200}, // another job's
		{jobsIndex, credentials["private"], 200},
		{"projects/2/jobs", credentials["private"], 200},
		{jobsIndex, credentials["private"], 429},
		{jobsIndex + "?page=2", credentials["private"], 429},
		{jobsIndex, shopJob, 429}, // its job ran for the same user
		{"projects/1/jobs?scope[]=wrong", credentials["private"], 400},
	} {
		if got := ask(t, s.APIURL+"/"+tt.path, tt.who...); got.status != tt.want {
			t.Errorf("%d, %s: %d %.200s, want %d", i, tt.path, got.status, got.body, tt.want)
		}
	}
}

// A job token counts for its job's user, and uploads count as downloads do.
func TestLimitOwners(t *testing.T) {
	t.Parallel()
	at := newClock()
	s := start(t, gitlabtest.Options{Now: at.now, Limits: &gitlabtest.Limits{Runner: 2, JobsIndex: 1}})
	s.Update(func(w *gitlabtest.World) {
		job, _, _ := w.Job(5701)
		job.User = "another"
		w.Tokens = append(w.Tokens, &gitlabtest.Token{Value: "another", Kind: gitlabtest.KindPrivate, User: "another", Roles: map[int64]string{1: "reporter"}})
	})
	for i, want := range []int{200, 200, 429, 429} {
		who := [][]string{credentials["private"], shopJob, {"PRIVATE-TOKEN", "another"}, credentials["job"]}[i]
		project := []string{"1", "5", "1", "1"}[i]
		if got := ask(t, s.APIURL+"/projects/"+project+"/jobs", who...); got.status != want {
			t.Errorf("%v: %d %.200s, want %d", who, got.status, got.body, want)
		}
	}
	for i, want := range []int{201, 403, 429, 429, 429} {
		path := []string{"/jobs/5701/artifacts", "/jobs/5701/artifacts/authorize"}[i%2]
		if got := upload(t, s.APIURL+path, "a.zip", "a", nil, shopJob...); got.status != want {
			t.Errorf("%d, %s: %d %s, want %d", i, path, got.status, got.body, want)
		}
	}
	if got := ask(t, s.APIURL+"/jobs/5702/artifacts", shopJob...); got.status != 429 {
		t.Errorf("a download after them: %d", got.status)
	}
}

// A window ends by the instance's clock, or after its Period.
func TestLimitWindow(t *testing.T) {
	t.Parallel()
	for _, period := range []time.Duration{0, 3 * time.Second} {
		at := newClock()
		s := start(t, gitlabtest.Options{Now: at.now, Limits: &gitlabtest.Limits{Runner: 2, Period: period}})
		window := period
		if period == 0 {
			window = time.Minute
		}
		for _, pass := range []time.Duration{0, window, window / 2} {
			at.pass(pass)
			want := 2
			if pass == window/2 { // still the same window
				want = 0
			}
			if got := allowed(t, 3, s.APIURL+"/"+runnerRoute, credentials["job"]...); got != want {
				t.Errorf("%v, after %v: %d requests, want %d", period, pass, got, want)
			}
		}
		at.pass(window/2 - 1)
		if got := allowed(t, 3, s.APIURL+"/"+runnerRoute, credentials["job"]...); got != 0 {
			t.Errorf("%v, just before its end: %d requests", period, got)
		}
		at.pass(1)
		if got := allowed(t, 3, s.APIURL+"/"+runnerRoute, credentials["job"]...); got != 2 {
			t.Errorf("%v, at its end: %d requests", period, got)
		}
	}
}

// Each limit has its own form of answer, and an option selects another:
// lib/api/helpers/rate_limiter.rb, lib/gitlab/rack_attack.rb,
// workhorse/internal/circuitbreaker.
func TestLimitShapes(t *testing.T) {
	t.Parallel()
	const app = `{"message":{"error":"This endpoint has been requested too many times. Try again later."}}`
	const plain = "This endpoint has been requested too many times. Try again later.\n"
	for _, tt := range []struct {
		limits           gitlabtest.Limits
		path, who        string
		body, retryAfter string
		rate             string // of the headers
	}{
		{gitlabtest.Limits{}, runnerRoute, "job", app, "", ""},
		{gitlabtest.Limits{RetryAfter: true}, runnerRoute, "job", app, "40", ""},
		{gitlabtest.Limits{Shape: "app"}, jobsIndex, "private", app, "", ""},
		{gitlabtest.Limits{Shape: "rack"}, runnerRoute, "job", "Retry later\n", "40", "runner_jobs_api 1 2 0"},
		{gitlabtest.Limits{Shape: "rack"}, jobsIndex, "private", "Retry later\n", "40", "jobs_index 1 2 0"},
		{gitlabtest.Limits{Shape: "rack"}, oneProject, "private", "Retry later\n", "40", "project_api 1 2 0"},
		{gitlabtest.Limits{Shape: "workhorse"}, oneProject, "private", plain, "39.5s", ""},
		{gitlabtest.Limits{API: 1}, oneJob, "private", "Retry later\n", "40", "throttle_authenticated_api 1 2 0"},
		{gitlabtest.Limits{API: 1, Shape: "app"}, oneJob, "private", "Retry later\n", "40", "throttle_authenticated_api 1 2 0"},
	} {
		at := newClock()
		limits := tt.limits
		limits.Runner, limits.JobsIndex, limits.Project = 1, 1, 1
		s := start(t, gitlabtest.Options{Now: at.now, Limits: &limits})
		at.pass(20*time.Second + time.Second/2)
		ask(t, s.APIURL+"/"+tt.path, credentials[tt.who]...)
		got := ask(t, s.APIURL+"/"+tt.path, credentials[tt.who]...)
		if got.status != 429 || got.body != tt.body || got.header.Get("Retry-After") != tt.retryAfter {
			t.Errorf("%+v, %s: %d %q, Retry-After %q", tt.limits, tt.path, got.status, got.body, got.header.Get("Retry-After"))
		}
		var rate []string
		for _, name := range []string{"Name", "Limit", "Observed", "Remaining"} {
			if value := got.header.Get("RateLimit-" + name); value != "" {
				rate = append(rate, value)
			}
		}
		if strings.Join(rate, " ") != tt.rate {
			t.Errorf("%+v, %s: %q", tt.limits, tt.path, rate)
		}
		if tt.rate != "" && (got.header.Get("RateLimit-Reset") != fmt.Sprint(time.Date(2026, 6, 1, 12, 1, 0, 0, time.UTC).Unix()) ||
			got.header.Get("RateLimit-ResetTime") != "Mon, 01 Jun 2026 12:01:00 GMT") {
			t.Errorf("%+v, %s: %v", tt.limits, tt.path, got.header)
		}
	}
}
