package transport

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// bareSystem names the way in which a child process, whose system has no authorities, needs
// some.
const bareSystem = "ARTIFETCH_TEST_BARE_SYSTEM"

// Without authorities of the system, as in a scratch image, the built-in ones count before
// there is a handshake, whichever way it comes about. Otherwise, they aren't even parsed.
func TestBuiltInRoots(t *testing.T) {
	t.Parallel()
	if way := os.Getenv(bareSystem); way != "" {
		handshake(t, way)
		if pool, err := x509.SystemCertPool(); err != nil || pool.Equal(x509.NewCertPool()) || !pool.Equal(bundled()) {
			t.Errorf("these aren't the built-in authorities: %v", err)
		}
		return
	}
	none := t.TempDir()
	for _, way := range []string{"expected", "redirect", "proxy"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBuiltInRoots$")
		child.Env = append(os.Environ(), bareSystem+"="+way, "SSL_CERT_DIR="+none, "SSL_CERT_FILE="+filepath.Join(none, "x"))
		if way == "proxy" {
			child.Env = append(child.Env, "http_proxy=https://192.0.2.1:1", "no_proxy=")
		}
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", way, err, out)
		}
	}
}

// handshake gets to the point where there would be a handshake.
func handshake(t *testing.T, way string) {
	t.Helper()
	roots, err := LoadRoots(t.Context(), "", way == "expected")
	if err != nil || roots.wait(t.Context()) != nil {
		t.Fatal(err)
	}
	api := &url.URL{Scheme: "http", Host: "gitlab.test"}
	b := newBase(Options{API: api, Roots: roots})
	sink := refuse{}
	b.gitlab, b.other = sink, sink
	to := "http://gitlab.test/"
	if way == "redirect" {
		to = "https://storage.test/"
	}
	if way == "expected" {
		return
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := b.RoundTrip(req); err == nil {
		t.Error(resp.Status, resp.Body.Close())
	}
}

// refuse makes no connections.
type refuse struct{}

// RoundTrip implements [http.RoundTripper].
func (refuse) RoundTrip(*http.Request) (*http.Response, error) { return nil, refused }
