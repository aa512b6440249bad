package terminal

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// A stage is a GitLab that waits for the test: before it answers at all, before it gives
// the archive of job 1102, by its ID or name, and in the middle of an archive.
type stage struct {
	gitlab *gitlabtest.Running
	fronts []*httptest.Server // of GitLab and of its storage
	clock  string             // its file
	dir    string             // where the program runs

	found, second gate
	parts         []gate
}

// A gate holds requests until it is opened.
type gate struct {
	opened chan struct{}
	once   *sync.Once
}

func newGate() gate  { return gate{make(chan struct{}), &sync.Once{}} }
func (g gate) open() { g.once.Do(func() { close(g.opened) }) }

// large is how long a body is that the gate holds, in bytes. Shorter ones are parts of an
// archive, such as its directory.
const large = 5 << 19

// newStage serves a world. Each of parts is where in an archive bytes wait for a gate of
// their own.
func newStage(t *testing.T, w *gitlabtest.World, parts ...float64) *stage {
	t.Helper()
	s := &stage{gitlab: gitlabtest.Start(w, gitlabtest.Options{Mode: gitlabtest.ModeRedirect}), dir: t.TempDir(), found: newGate(), second: newGate()}
	for range parts {
		s.parts = append(s.parts, newGate())
	}
	s.clock = filepath.Join(t.TempDir(), "clock")
	s.at(t, 0)
	gitlab, storage := s.through(t, s.gitlab.URL, parts), s.through(t, s.gitlab.StorageURL, parts)
	s.fronts = []*httptest.Server{
		httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-s.found.opened
			if strings.Contains(r.URL.Path, "/1102/") || strings.HasPrefix(r.URL.Query().Get("job"), "test:") {
				<-s.second.opened
			}
			gitlab.ServeHTTP(w, r)
		})),
		httptest.NewServer(storage),
	}
	s.gitlab.SetStorageURL(s.fronts[1].URL)
	t.Cleanup(func() {
		for _, g := range append(s.parts, s.found, s.second) {
			g.open()
		}
		for _, front := range s.fronts {
			front.Close()
		}
		s.gitlab.Close()
	})
	return s
}

// through passes requests on, and holds large bodies.
func (s *stage) through(t *testing.T, address string, parts []float64) http.Handler {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if r.ContentLength > large {
				r.Body = s.hold(r, parts)
			}
			return nil
		},
	}
}

// at sets the clock of the program.
func (s *stage) at(t *testing.T, since time.Duration) {
	t.Helper()
	next := s.clock + ".next"
	if err := os.WriteFile(next, []byte(strconv.FormatInt(1_780_000_000_000+since.Milliseconds(), 10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, s.clock); err != nil {
		t.Fatal(err)
	}
}

// env is the environment of a person at a terminal.
func (s *stage) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LANG=C.UTF-8", "TERM=xterm-256color", "NO_PROXY=*",
		"TERMINAL_TEST_CLOCK=" + s.clock, "GITLAB_TOKEN=" + gitlabtest.PrivateToken, "ARTIFETCH_SERVER_URL=" + s.fronts[0].URL, "ARTIFETCH_PROJECT=group/app",
	}
}

// held is a body that waits at gates.
type held struct {
	io.ReadCloser
	at    int64   // bytes of the archive
	stops []int64 // where the gates are
	gates []gate
}

// hold lets a body wait where its bytes of the archive have gates.
func (s *stage) hold(r *http.Response, parts []float64) *held {
	var start, end, total int64
	if _, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &start, &end, &total); err != nil {
		total = r.ContentLength
	}
	h := &held{ReadCloser: r.Body, at: start}
	for i, part := range parts {
		if stop := int64(float64(total) * part); stop >= start {
			h.stops, h.gates = append(h.stops, stop), append(h.gates, s.parts[i])
		}
	}
	return h
}

func (h *held) Read(p []byte) (int, error) {
	if len(h.stops) > 0 && h.at == h.stops[0] {
		<-h.gates[0].opened
		h.stops, h.gates = h.stops[1:], h.gates[1:]
	}
	if len(h.stops) > 0 {
		p = p[:min(int64(len(p)), h.stops[0]-h.at)]
	}
	n, err := h.ReadCloser.Read(p)
	h.at += int64(n)
	return n, err
}
