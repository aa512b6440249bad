package gitlabtest

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
)

// Fault is something that goes wrong.
type Fault struct {
	// Kind is one of:
	//
	//	429-rack         Rack::Attack: text, Retry-After in seconds, RateLimit-*
	//	429-app          the application's limiter: JSON, no Retry-After
	//	429-workhorse    the circuit breaker: text, Retry-After as a Go duration
	//	401              the token has expired in the meantime
	//	404              the thing has been deleted in the meantime
	//	500 502 503 504  as GitLab, Workhorse and nginx answer
	//	another number   that status, with a meaningless body
	//	reset            the connection is reset before an answer
	//	reset-after      … after the request was carried out
	//	reset-body       … after After bytes of the body
	//	short-body       the connection ends after After bytes of the body
	//	stall            no answer arrives
	//	stall-body       nothing arrives after After bytes of the body
	//	bad-range        206 with the wrong Content-Range
	//	changed          from now on every archive is a different one
	//	expired-url      storage says that the pre-signed URL has expired
	//	login-page       200 with HTML
	Kind string `json:"kind"`
	// On limits the fault to a host ("gitlab", "storage") or to paths that contain this;
	// empty means every request.
	On string `json:"on"`
	// Skip is how many matching requests succeed first.
	Skip int `json:"skip"`
	// Times is how often it happens; 0 means always.
	Times int `json:"times"`
	// After is where the body breaks, in bytes.
	After int64 `json:"after"`
	// RetryAfter is the header of 429-rack and 429-workhorse; empty means "1" or "1s".
	RetryAfter string `json:"retry_after"`
}

type faultState struct {
	Fault
	seen int
}

// fault returns the first fault that is due.
func (s *Server) fault(host string, r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.On != "" && f.On != host && !strings.Contains(r.URL.EscapedPath(), f.On) {
			continue
		}
		f.seen++
		if f.seen > f.Skip && (f.Times == 0 || f.seen <= f.Skip+f.Times) {
			return &f.Fault
		}
	}
	return nil
}

// serve answers instead of the handler, or prepares to break the handler's answer. It
// reports whether it has answered.
func (f *Fault) serve(s *Server, w *recorder, r *http.Request) bool {
	switch f.Kind {
	case "reset":
		hangUp(w.ResponseWriter, true)
	case "stall":
		<-r.Context().Done()
	case "reset-body", "short-body", "stall-body":
		w.breaks = f
		return false
	case "changed":
		s.mu.Lock()
		s.changed = true
		s.mu.Unlock()
		return false
	case "bad-range":
		w.Header().Set("Content-Range", "bytes 7-9/10")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "bad")
	case "expired-url":
		answer.StorageError(w, http.StatusForbidden, "AccessDenied", "Request has expired")
	case "login-page":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Sign in · GitLab</title></head><body>Sign in</body></html>")
	default:
		f.status(w, s.opts.Now())
	}
	return true
}

func (f *Fault) status(w http.ResponseWriter, now time.Time) {
	switch f.Kind {
	case "429-rack":
		after := cmp.Or(f.RetryAfter, "1")
		delay, err := strconv.Atoi(after)
		if err != nil {
			delay = 1
		}
		answer.TooManyByRack(w, answer.RackHeaders{
			After: after, Name: string(limitRack), Limit: 600, Observed: 601, Reset: now.Add(time.Duration(delay) * time.Second),
		})
	case "429-app":
		answer.TooManyByApp(w)
	case "429-workhorse":
		answer.TooManyByWorkhorse(w, cmp.Or(f.RetryAfter, "1s"))
	case "401":
		answer.Unauthorized(w)
	case "404":
		answer.RecordNotFound(w)
	case "500":
		answer.Message(w, http.StatusInternalServerError, "500 Internal Server Error")
	case "502": // workhorse/internal/badgateway/roundtripper.go
		answer.Text(w, http.StatusBadGateway, "GitLab is not responding")
	case "503":
		answer.Page(w, http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
	case "504":
		answer.Page(w, http.StatusGatewayTimeout, "504 Gateway Time-out")
	default:
		status, err := strconv.Atoi(f.Kind)
		if err != nil {
			answer.Text(w, http.StatusNotImplemented, "no such fault: "+f.Kind)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "[]") // 204 and 304 have no body
	}
}

// breakOff ends the connection in the middle of a body.
func (r *recorder) breakOff() error {
	if r.breaks.Kind == "stall-body" {
		_ = http.NewResponseController(r.ResponseWriter).Flush()
		hold(r)
		return http.ErrAbortHandler
	}
	_ = http.NewResponseController(r.ResponseWriter).Flush() // what was written so far must arrive
	hangUp(r.ResponseWriter, r.breaks.Kind == "reset-body")
	return http.ErrAbortHandler
}

// hold keeps the connection silent until the client closes it.
func hold(r *recorder) {
	conn, _, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = conn.Read(make([]byte, 1)) // returns when the client closes it
}

func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // closing sends RST
	}
	_ = conn.Close()
}
