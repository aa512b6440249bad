package fetch_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

// exhausted is a transport that can't open a connection to other hosts.
type exhausted struct {
	http.RoundTripper
	host string // the only one that it reaches
	err  error
}

// RoundTrip implements [http.RoundTripper].
func (e exhausted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != e.host {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", e.err)}
	}
	return e.RoundTripper.RoundTrip(r)
}

// Storage isn't unreachable if it redirects in a circle, or if too many files are open.
func TestReachedStorage(t *testing.T) {
	t.Parallel()
	var circle *httptest.Server
	circle = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, circle.URL+"/again", http.StatusFound)
	}))
	t.Cleanup(circle.Close)
	gitlab := httptest.NewServer(http.RedirectHandler(circle.URL, http.StatusFound))
	t.Cleanup(gitlab.Close)
	host := strings.TrimPrefix(gitlab.URL, "http://")
	for _, tt := range []struct {
		name        string
		transport   http.RoundTripper
		unreachable bool
	}{
		{"circle", gitlab.Client().Transport, false},
		{"too many files", exhausted{gitlab.Client().Transport, host, syscall.EMFILE}, false},
		{"too many files on the machine", exhausted{gitlab.Client().Transport, host, syscall.ENFILE}, false},
		{"refused", exhausted{gitlab.Client().Transport, host, syscall.ECONNREFUSED}, true},
	} {
		_, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: &http.Client{Transport: tt.transport}})
		if _, unreachable := errors.AsType[*fetch.StorageError](err); err == nil || unreachable != tt.unreachable {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
