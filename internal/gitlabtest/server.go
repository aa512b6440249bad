package gitlabtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// Server is the instance. It is an [http.Handler] for GitLab; [Server.Storage]
// is one for its object storage.
type Server struct {
	world  *World
	opts   Options
	wrong  error // of opts: every request is told
	limits limiter

	state sync.Mutex // of the world; taken before mu

	mu         sync.Mutex
	storageURL string
	log        []*Request
	faults     []*faultState
	changed    bool // every archive is another one now
	requests   int
}

// New makes an instance.
func New(w *World, o Options) *Server {
	o.complete()
	s := &Server{world: w, opts: o, wrong: o.check()}
	for _, f := range o.Faults {
		s.faults = append(s.faults, &faultState{Fault: f})
	}
	return s
}

// Err is what is wrong with the options; every request is told.
func (s *Server) Err() error { return s.wrong }

// SetStorageURL tells where [Server.Storage] is served.
func (s *Server) SetStorageURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.storageURL = url
}

// ServeHTTP implements [http.Handler] for GitLab.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, "gitlab", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", s.requestID())
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		if s.wrong != nil {
			text(w, http.StatusNotImplemented, s.wrong.Error())
			return
		}
		s.locked(w, func(a *reply) {
			if s.throttledByRack(a, r) {
				return
			}
			s.route(a, r)
		})
	})
}

// Storage is the object storage that GitLab redirects to. It must be served on
// another origin.
func (s *Server) Storage() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, "storage", func(w http.ResponseWriter, r *http.Request) {
			s.locked(w, func(a *reply) { s.store(a, r) })
		})
	})
}

// serve logs the request and lets the faults have it first.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, host string, handler http.HandlerFunc) {
	entry := s.begin(r, host)
	recorder := &recorder{ResponseWriter: w, server: s, entry: entry}
	f := s.fault(host, r)
	switch {
	case f != nil && f.Kind == "reset-after":
		handler(nobody{http.Header{}}, r)
		hangUp(w, true)
	case f == nil || !f.serve(s, recorder, r):
		handler(recorder, r)
	}
}

func (s *Server) requestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return fmt.Sprintf("01REQ%021d", s.requests)
}

// apiPath returns the escaped path below the API root.
func (s *Server) apiPath(r *http.Request) (string, bool) {
	return strings.CutPrefix(r.URL.EscapedPath(), s.opts.RelativeRoot+"/api/v4/")
}

// Update changes the world between two requests. A test that holds the World of a
// running server may touch it only here.
func (s *Server) Update(change func(*World)) {
	s.state.Lock()
	defer s.state.Unlock()
	change(s.world)
}
