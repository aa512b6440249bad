package gitlabtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/storage"
)

// Server is the instance. It is an [http.Handler] for GitLab; [Server.Storage]
// is one for its object storage.
type Server struct {
	world  *World
	opts   Options
	wrong  error // of opts: the answer to every request
	limits limiter

	state sync.Mutex // guards the world; taken before mu

	mu         sync.Mutex
	storageURL string
	log        []*Request
	faults     []*faultState
	changed    bool // the fault "changed" has replaced every archive
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

// Err returns what is wrong with the options; every request is answered with it.
func (s *Server) Err() error { return s.wrong }

// SetStorageURL sets the address of [Server.Storage].
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
			answer.Text(w, http.StatusNotImplemented, s.wrong.Error())
			return
		}
		s.locked(w, func(a *answer.Reply) {
			if s.throttledByRack(a, r) {
				return
			}
			s.route(a, r)
		})
	})
}

// Storage is the object storage that GitLab redirects to. It must have another origin.
func (s *Server) Storage() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, "storage", func(w http.ResponseWriter, r *http.Request) {
			s.locked(w, func(a *answer.Reply) { s.store(a, r) })
		})
	})
}

// serve logs the request and applies the faults before the handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, host string, handler http.HandlerFunc) {
	entry := s.begin(r, host)
	recorder := &recorder{ResponseWriter: w, server: s, entry: entry}
	f := s.fault(host, r)
	switch {
	case f != nil && f.Kind == "reset-after":
		handler(answer.NewDiscard(), r)
		hangUp(w, true)
	case f == nil || !f.serve(s, recorder, r):
		handler(recorder, r)
	}
}

// has reports whether the instance has a feature.
func (s *Server) has(f feature.Name) bool { return feature.Has(f, s.opts.Version, s.opts.Since) }

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

// Update changes the world between two requests. A test that has the World of a running
// server may change it only here.
func (s *Server) Update(change func(*World)) {
	s.state.Lock()
	defer s.state.Unlock()
	change(s.world)
}

// locked locks the world while a handler runs, then sends its answer.
func (s *Server) locked(w http.ResponseWriter, handle func(*answer.Reply)) {
	a := answer.New(w, s.opts.ExtraFields)
	func() {
		s.state.Lock()
		defer s.state.Unlock()
		handle(a)
	}()
	a.Send(w)
}

// open opens a job's archive. The caller has locked the world.
func (s *Server) open(job *Job) (*storage.Object, error) {
	return storage.OpenArchive(job, s.otherArchives())
}
