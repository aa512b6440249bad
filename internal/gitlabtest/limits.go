package gitlabtest

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// Limits are the instance's rate limits, in requests per minute; zero means GitLab's
// default, a negative number no limit. As in GitLab, requests are counted in fixed
// windows, here by the clock of [Options.Now].
// https://docs.gitlab.com/security/rate_limits/
type Limits struct {
	// Runner limits a job token on /jobs/:id/…: runner_jobs_endpoints_api_limit, 200.
	Runner int
	// JobsIndex limits a user on /projects/:id/jobs: project_jobs_api_rate_limit, 600.
	JobsIndex int
	// Project limits a user on /projects/:id: project_api_limit, 400.
	Project int
	// API limits a user on the whole API except the runner's routes: Rack::Attack's
	// throttle_authenticated_api, which is off unless an administrator sets it.
	API int
	// Period replaces the minute, so that tests needn't wait; zero means a minute.
	Period time.Duration
	// Shape selects how a limit of the application is answered: "app", GitLab's own and
	// the default; "rack" and "workhorse" are the other forms of a 429.
	Shape string
	// RetryAfter adds Retry-After to answers of the shape "app" (U).
	RetryAfter bool
}

// limit is one of the application's limits (lib/gitlab/application_rate_limiter.rb).
type limit string

const (
	limitRunner    limit = "runner_jobs_api"
	limitJobsIndex limit = "jobs_index"
	limitProject   limit = "project_api"
	limitRack      limit = "throttle_authenticated_api"
)

// allowed returns how many requests a limit allows in a period; zero means any number.
func (l *Limits) allowed(of limit) int {
	set, standard := 0, 0
	switch of {
	case limitRunner:
		set, standard = l.Runner, 200
	case limitJobsIndex:
		set, standard = l.JobsIndex, 600
	case limitProject:
		set, standard = l.Project, 400
	case limitRack:
		set = l.API
	}
	switch {
	case set < 0:
		return 0
	case set == 0:
		return standard
	}
	return set
}

// limiter counts requests in the current window. The world's lock guards it.
type limiter struct {
	window int64
	counts map[string]int
}

// excess describes a limit that a request exceeded.
type excess struct {
	limit            limit
	allowed, counted int
	reset            time.Time
}

// count counts a request against a limit, and reports whether it exceeded it.
func (s *Server) count(of limit, key string) (excess, bool) {
	limits := s.opts.Limits
	if limits == nil || limits.allowed(of) == 0 {
		return excess{}, false
	}
	period := limits.Period
	if period <= 0 {
		period = time.Minute
	}
	window := s.opts.Now().UnixNano() / int64(period)
	if s.limits.counts == nil || window != s.limits.window {
		s.limits.window, s.limits.counts = window, map[string]int{}
	}
	name := string(of) + " " + key
	s.limits.counts[name]++
	over := excess{of, limits.allowed(of), s.limits.counts[name], time.Unix(0, (window+1)*int64(period))}
	return over, over.counted > over.allowed
}

// limited counts the request against one of the application's limits. If the request
// exceeded it, limited writes the answer and returns true.
func (c *call) limited(of limit) bool {
	if of == limitRunner && !c.s.has(feature.RunnerLimit) {
		return false
	}
	over, throttled := c.s.count(of, c.limitKey(of))
	if !throttled {
		return false
	}
	switch limits := c.s.opts.Limits; limits.Shape {
	case "rack":
		over.rack(c.w, c.s.opts.Now())
	case "workhorse":
		answer.TooManyByWorkhorse(c.w, wait(over.reset, c.s.opts.Now()).String())
	default:
		if limits.RetryAfter {
			c.w.Header().Set("Retry-After", seconds(over.reset, c.s.opts.Now()))
		}
		answer.TooManyByApp(c.w)
	}
	return true
}

// limitKey returns the key that a limit counts by: the digest of the job token on the
// runner's routes, otherwise the user, or the address of an anonymous request.
func (c *call) limitKey(of limit) string {
	if of == limitRunner {
		token := c.r.URL.Query().Get("token")
		if token == "" {
			token = c.r.Header.Get("Job-Token")
		}
		return fmt.Sprintf("%x", sha256.Sum256([]byte(token)))
	}
	return c.s.userKey(c.r, c.caller.Token)
}

func (s *Server) userKey(r *http.Request, t *Token) string {
	switch {
	case t == nil:
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		return "address " + host
	case t.Kind == KindJob: // acts as the user of its job
		if job, pipeline, _ := s.world.Job(t.Job); job != nil {
			if job.User != "" {
				return "user " + job.User
			}
			return "user " + pipeline.Starter()
		}
	}
	return "user " + access.Caller{Token: t}.User()
}

// throttledByRack is Rack::Attack, which comes first: lib/gitlab/rack_attack.rb counts
// users on the API, but not job tokens on the runner's routes. Anonymous requests don't
// count.
func (s *Server) throttledByRack(w http.ResponseWriter, r *http.Request) bool {
	below, ok := s.apiPath(r)
	value, _ := personalToken(r)
	if value == "" {
		value = r.Header.Get("Job-Token")
	}
	t := s.world.Token(value)
	if !ok || t == nil || t.Kind == KindJob && strings.HasPrefix(below, "jobs/") {
		return false
	}
	over, throttled := s.count(limitRack, s.userKey(r, t))
	if throttled {
		over.rack(w, s.opts.Now())
	}
	return throttled
}

// rack writes Rack::Attack's answer.
func (o excess) rack(w http.ResponseWriter, now time.Time) {
	answer.TooManyByRack(w, answer.RackHeaders{
		After: seconds(o.reset, now), Name: string(o.limit), Limit: o.allowed, Observed: o.counted, Reset: o.reset,
	})
}

// wait returns how long until the next window.
func wait(reset, now time.Time) time.Duration { return max(reset.Sub(now), 0) }

// seconds rounds that up, for Retry-After.
func seconds(reset, now time.Time) string {
	return strconv.FormatInt(int64((wait(reset, now)+time.Second-1)/time.Second), 10)
}
