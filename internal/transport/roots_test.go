package transport

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// A file's authorities are added to the system's, which may be the built-in ones.
func TestRootsKeepTheSystems(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := LoadRoots(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := roots.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := x509.SystemCertPool()
	if err != nil || want.Equal(x509.NewCertPool()) {
		t.Fatalf("there are no roots, not even the built-in ones: %v", err)
	}
	want.AddCert(s.Certificate())
	if !roots.pool.Equal(want) {
		t.Error("these aren't the system's and the file's")
	}
	if roots, err := LoadRoots(t.Context(), "", true); err != nil || roots.wait(t.Context()) != nil || roots.config().RootCAs != nil {
		t.Errorf("without a file: %v, %v", roots, err)
	}
	if roots, err := LoadRoots(t.Context(), "", false); roots != nil || err != nil {
		t.Errorf("without a file or a handshake: %v, %v", roots, err)
	}
	for name, text := range map[string]string{"empty.pem": "", "text.pem": "nothing"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadRoots(t.Context(), file, true); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := LoadRoots(t.Context(), filepath.Join(t.TempDir(), "none.pem"), true); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// slow are the authorities of a server, which load when they are told to.
func slow(s *httptest.Server) (roots *Roots, load func()) {
	roots = &Roots{pool: x509.NewCertPool(), loaded: make(chan struct{})}
	return roots, func() {
		roots.pool.AddCert(s.Certificate())
		close(roots.loaded)
	}
}

// Authorities load while a connection is made; the handshake waits for them, with a
// client certificate too.
func TestConnectingDoesNotWaitForRoots(t *testing.T) {
	t.Parallel()
	for _, mutual := range []bool{false, true} {
		connected := make(chan struct{}, 1)
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connected <- struct{}{}
			}
		}
		s.StartTLS()
		defer s.Close()
		api, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		roots, load := slow(s)
		o := Options{API: api, Roots: roots, Retry: Policy{Retries: -1}}
		if mutual {
			o.ClientCert = &s.TLS.Certificates[0]
		}
		go func() {
			<-connected
			load()
		}()
		client := New(o).Stream
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("with a client certificate %v: %v", mutual, err)
		}
		_ = resp.Body.Close()
		client.CloseIdleConnections()
	}
}

// A run that is stopped doesn't wait for authorities.
func TestStoppedWhileRootsLoad(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	roots, _ := slow(s)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if err := roots.wait(ctx); !errors.Is(err, why) {
		t.Error(err)
	}
}

// A later connection to a server resumes the session of an earlier one, with a client
// certificate too.
func TestSessionsAreResumed(t *testing.T) {
	t.Parallel()
	for _, mutual := range []bool{false, true} {
		s := httptest.NewTLSServer(http.NotFoundHandler())
		defer s.Close()
		api, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		roots, load := slow(s)
		load()
		o := Options{API: api, Roots: roots, Retry: Policy{Retries: -1}}
		if mutual {
			o.ClientCert = &s.TLS.Certificates[0]
		}
		client := New(o).Stream
		for _, resumed := range []bool{false, true} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Body.Close() != nil || resp.TLS.DidResume != resumed {
				t.Errorf("with a client certificate %v: resumed %v, want %v (%v)", mutual, resp.TLS.DidResume, resumed, err)
			}
			client.CloseIdleConnections()
		}
	}
}
