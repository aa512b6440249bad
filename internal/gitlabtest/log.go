package gitlabtest

import (
	"bytes"
	"io"
	"net/http"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/asked"
)

// Request is a request and its outcome.
type Request struct {
	Method      string
	Host        string // "gitlab" or "storage"
	Kind        string // one of the kinds of package asked
	Path        string // escaped
	Query       string
	Header      http.Header
	Range       string // the header
	Body        string // of a request that changes something, except uploads
	Status      int    // 0 until it is answered
	BytesSent   int64  // of the body
	LeakedToken bool   // storage received a credential
}

// Requests returns the requests so far, in order of arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, len(s.log))
	for i, r := range s.log {
		all[i] = *r
	}
	return all
}

// ResetRequests forgets the requests so far.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

func (s *Server) begin(r *http.Request, host string) *Request {
	entry := &Request{
		Method: r.Method, Host: host, Kind: s.kind(r, host), Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Range: r.Header.Get("Range"),
		LeakedToken: host == "storage" && carriesToken(r),
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead { // read before anything is locked
		limit := int64(1 << 20)
		if entry.Kind == asked.Upload {
			limit += s.opts.MaxArtifact
		}
		body, _ := io.ReadAll(io.LimitReader(r.Body, limit)) // a broken body is truncated
		r.Body = io.NopCloser(bytes.NewReader(body))
		if entry.Kind != asked.Upload {
			entry.Body = string(body)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, entry)
	return entry
}

// kind returns what a request is for.
func (s *Server) kind(r *http.Request, host string) string {
	below, ok := s.apiPath(r)
	switch {
	case host == "storage":
		return asked.Storage
	case !ok:
		return asked.Other
	}
	return asked.Kind(r, below)
}

// carriesToken looks for a credential in all places where GitLab accepts one.
func carriesToken(r *http.Request) bool {
	query := r.URL.Query()
	return slices.ContainsFunc([]string{"Job-Token", "Private-Token", "Authorization"}, func(name string) bool { return r.Header.Get(name) != "" }) ||
		slices.ContainsFunc([]string{"job_token", "private_token", "token"}, query.Has)
}

// recorder records the answer, and breaks the body if a fault says so.
type recorder struct {
	http.ResponseWriter
	server *Server
	entry  *Request
	sent   int64
	breaks *Fault // nil: send the whole body
	broken bool
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	r.server.mu.Lock()
	if r.entry.Status == 0 {
		r.entry.Status = status
	}
	r.server.mu.Unlock()
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(p []byte) (int, error) {
	if r.broken {
		return 0, http.ErrAbortHandler
	}
	if r.entry.Status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if r.breaks != nil && r.sent+int64(len(p)) >= r.breaks.After {
		n, _ := r.ResponseWriter.Write(p[:r.breaks.After-r.sent]) // the body is broken off anyway
		r.count(n)
		r.broken = true
		return n, r.breakOff()
	}
	n, err := r.ResponseWriter.Write(p)
	r.count(n)
	return n, err
}

func (r *recorder) count(n int) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.sent += int64(n)
	r.entry.BytesSent = r.sent
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Counts counts the requests since the start or the last [Server.ResetRequests], by kind.
// Kinds without a request are missing.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, r := range s.log {
		counts[r.Kind]++
	}
	return counts
}

// Throttled counts the requests answered with 429, by kind.
func (s *Server) Throttled() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, r := range s.log {
		if r.Status == http.StatusTooManyRequests {
			counts[r.Kind]++
		}
	}
	return counts
}
