package terminal

import (
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
// the archive of job 1102, and in the middle of each large body.
type stage struct {
	gitlab *gitlabtest.Running
	fronts []*httptest.Server // of GitLab and of its storage
	clock  string             // its file
	dir    string             // where the program runs

	found, second, half gate
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

// newStage serves a world. Half is what part of a large body passes the gate at first.
func newStage(t *testing.T, w *gitlabtest.World, half float64) *stage {
	t.Helper()
	s := &stage{gitlab: gitlabtest.Start(w, gitlabtest.Options{Mode: gitlabtest.ModeRedirect}), dir: t.TempDir(), found: newGate(), second: newGate(), half: newGate()}
	s.clock = filepath.Join(t.TempDir(), "clock")
	s.at(t, 0)
	gitlab, storage := s.through(t, s.gitlab.URL, half), s.through(t, s.gitlab.StorageURL, half)
	s.fronts = []*httptest.Server{
		httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-s.found.opened
			if strings.Contains(r.URL.Path, "/1102/") {
				<-s.second.opened
			}
			gitlab.ServeHTTP(w, r)
		})),
		httptest.NewServer(storage),
	}
	s.gitlab.SetStorageURL(s.fronts[1].URL)
	t.Cleanup(func() {
		for _, g := range []gate{s.found, s.second, s.half} {
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
func (s *stage) through(t *testing.T, address string, half float64) http.Handler {
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
				r.Body = &held{ReadCloser: r.Body, left: int64(float64(r.ContentLength) * half), gate: s.half}
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
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LANG=C.UTF-8", "TERM=xterm-256color", "NO_PROXY=*", "GORACE=" + os.Getenv("GORACE"),
		clockFile + "=" + s.clock, "GITLAB_TOKEN=" + gitlabtest.PrivateToken, "ARTIFETCH_SERVER_URL=" + s.fronts[0].URL, "ARTIFETCH_PROJECT=group/app",
	}
}

// held is a body whose rest waits at a gate.
type held struct {
	io.ReadCloser
	left int64 // bytes that pass before
	gate gate
}

func (h *held) Read(p []byte) (int, error) {
	if h.left == 0 {
		<-h.gate.opened
		return h.ReadCloser.Read(p)
	}
	n, err := h.ReadCloser.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}
