package gitlabtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// Mode is how bytes are served.
// https://docs.gitlab.com/administration/object_storage/
type Mode string

// The modes.
const (
	ModeDisk     Mode = "disk"     // X-Sendfile by Workhorse: ranges, ETag
	ModeProxy    Mode = "proxy"    // object storage, proxied by Workhorse
	ModeRedirect Mode = "redirect" // 302 to a pre-signed URL of object storage
	ModeNoRanges Mode = "noranges" // a proxy in between drops Range
	ModeNoLength Mode = "nolength" // and the length as well
)

// Options are what the instance is. The zero value is a licensed instance of the
// newest version that serves from disk.
type Options struct {
	Version       string        // "19.2" if empty
	Unlicensed    bool          // without the licence for job tokens on the artifacts API
	Mode          Mode          // ModeDisk if empty
	NoSuffixRange bool          // storage ignores suffix ranges, as Azure's does
	SuffixStatus  int           // storage refuses them with this status, as Azure's emulator with 500; zero means it doesn't
	Deaf          bool          // storage ignores If-None-Match, as fake-gcs-server does
	URLExpiry     time.Duration // of pre-signed URLs; zero means 10 minutes
	RelativeRoot  string        // such as "/gitlab"
	PerPage       int           // rows of a page, at most; zero means 100
	LinkHost      string        // host that Link headers name; empty means the true one
	// ShiftRows is how many new jobs or pipelines, at most a page of them, have come
	// to the front of every list once its first page was served: the pages behind it
	// begin that much earlier, and repeat rows.
	// https://docs.gitlab.com/api/rest/#offset-based-pagination
	ShiftRows int
	// MaxOffset is where the offset pages of a list that has keyset pages end; zero
	// means 50000.
	// https://docs.gitlab.com/administration/instance_limits/#max-offset-allowed-by-the-rest-api-for-offset-based-pagination
	MaxOffset int
	NoKeyset  bool // no list has keyset pages
	Faults    []Fault
	Now       func() time.Time // nil means the clock
}

// Server is the instance. It is an [http.Handler] for GitLab; [Server.Storage]
// is one for its object storage.
type Server struct {
	world *World
	opts  Options
	minor int // version as major*100 + minor

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
	if o.Version == "" {
		o.Version = "19.2"
	}
	if o.Mode == "" {
		o.Mode = ModeDisk
	}
	if o.URLExpiry == 0 {
		o.URLExpiry = 10 * time.Minute
	}
	if o.PerPage == 0 {
		o.PerPage = 100
	}
	if o.MaxOffset == 0 {
		o.MaxOffset = 50000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{world: w, opts: o}
	var major, minor int
	_, _ = fmt.Sscanf(o.Version, "%d.%d", &major, &minor) // a version that is none is as old as can be
	s.minor = major*100 + minor
	for _, f := range o.Faults {
		s.faults = append(s.faults, &faultState{Fault: f})
	}
	return s
}

// since reports whether the instance is of that version or newer.
func (s *Server) since(major, minor int) bool { return s.minor >= major*100+minor }

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
		s.locked(w, func(a *reply) { s.route(a, r) })
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

// Running is an instance on loopback.
type Running struct {
	*Server
	URL, APIURL, StorageURL string

	gitlab, storage *httptest.Server
}

// Start serves an instance and its storage on loopback.
func Start(w *World, o Options) *Running { return start(w, o, (*httptest.Server).Start) }

// StartTLS is [Start] with certificates; [Running.Certificate] has them.
func StartTLS(w *World, o Options) *Running { return start(w, o, (*httptest.Server).StartTLS) }

func start(w *World, o Options, begin func(*httptest.Server)) *Running {
	s := New(w, o)
	r := &Running{Server: s, gitlab: httptest.NewUnstartedServer(s), storage: httptest.NewUnstartedServer(s.Storage())}
	begin(r.gitlab)
	begin(r.storage)
	r.URL = r.gitlab.URL + o.RelativeRoot
	r.APIURL = r.URL + "/api/v4"
	r.StorageURL = r.storage.URL
	s.SetStorageURL(r.storage.URL)
	return r
}

// Certificate is the server whose certificate a client has to trust. Storage has
// the same one.
func (r *Running) Certificate() *httptest.Server { return r.gitlab }

// Close ends both servers and every connection.
func (r *Running) Close() {
	for _, s := range []*httptest.Server{r.gitlab, r.storage} {
		s.CloseClientConnections()
		s.Close()
	}
}

// apiPath returns the escaped path below the API root.
func (s *Server) apiPath(r *http.Request) (string, bool) {
	return strings.CutPrefix(r.URL.EscapedPath(), s.opts.RelativeRoot+"/api/v4/")
}
