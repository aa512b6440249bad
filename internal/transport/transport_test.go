package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gitlab.com/artifetch/artifetch/internal/lateheader"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func get(t *testing.T, client *http.Client, address string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	t.Cleanup(client.CloseIdleConnections)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

// The token goes to the API, at every hop, and to nothing else: not to another
// port of the same host, not to another path of the same origin.
func TestTokenStaysWithGitLab(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"JOB-TOKEN", "PRIVATE-TOKEN", "Authorization"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			seen := map[string]string{}
			storage := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				seen["storage"] = r.Header.Get(header)
			}))
			defer storage.Close()
			gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen[r.URL.Path] = r.Header.Get(header)
				switch r.URL.Path {
				case "/api/v4/moved":
					http.Redirect(w, r, "/api/v4/here", http.StatusMovedPermanently)
				case "/api/v4/here":
					http.Redirect(w, r, "/minio/object", http.StatusFound)
				case "/minio/object":
					http.Redirect(w, r, storage.URL+"/object", http.StatusTemporaryRedirect)
				}
				if ua := r.Header.Get("User-Agent"); ua != "artifetch/test" {
					t.Errorf("User-Agent = %q", ua)
				}
			}))
			defer gitlab.Close()
			client := transport.New(transport.Options{
				API: parse(t, gitlab.URL+"/api/v4"), Header: header, Token: "secret", UserAgent: "artifetch/test",
			}).Stream
			if _, err := get(t, client, gitlab.URL+"/api/v4/moved"); err != nil {
				t.Fatal(err)
			}
			client.CloseIdleConnections()
			want := map[string]string{"/api/v4/moved": "secret", "/api/v4/here": "secret", "/minio/object": "", "storage": ""}
			for place, token := range want {
				got, reached := seen[place]
				if !reached || got != token {
					t.Errorf("%s received %q (reached: %v), want %q", place, got, reached, token)
				}
			}
		})
	}
}

func TestInsecureRedirect(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	client := transport.New(transport.Options{API: parse(t, secure.URL+"/api/v4"), Roots: trusting(t, secure.Certificate())}).Stream
	_, err := get(t, client, secure.URL+"/api/v4/x")
	if _, is := errors.AsType[*transport.InsecureRedirectError](err); !is {
		t.Errorf("error = %v", err)
	}
}

// Only web addresses are followed, and the error names the host that redirects.
func TestRedirectToAnotherScheme(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"file:///etc/passwd", "ftp://example.com/x", "javascript:0"} {
		for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
			server := start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(http.StatusFound)
			}))
			o := transport.Options{API: parse(t, server.URL+"/api/v4")}
			if server.Certificate() != nil {
				o.Roots = trusting(t, server.Certificate())
			}
			_, err := get(t, transport.New(o).Stream, server.URL+"/api/v4/x")
			scheme, _, _ := strings.Cut(to, ":")
			if refused, is := errors.AsType[*transport.RedirectAddressError](err); !is || refused.Scheme != scheme || refused.From != server.Listener.Addr().String() {
				t.Errorf("%s: %v", to, err)
			}
			server.Close()
		}
	}
}

func TestRedirectLoop(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }))
	defer server.Close()
	client := transport.New(transport.Options{API: parse(t, server.URL)}).Stream
	if _, err := get(t, client, server.URL); err == nil {
		t.Error("a redirect loop was followed to its end")
	}
}

// trusting are the system's authorities and one more.
func trusting(t *testing.T, root *x509.Certificate) *transport.Roots {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := transport.LoadRoots(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

// A signed address is a secret, which net/http would name to the next server.
func TestNoReferer(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	last := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Referer") }))
	defer last.Close()
	storage := httptest.NewServer(http.RedirectHandler(last.URL, http.StatusTemporaryRedirect))
	defer storage.Close()
	gitlab := httptest.NewServer(http.RedirectHandler(storage.URL+"/?X-Amz-Signature=secret", http.StatusFound))
	defer gitlab.Close()
	client := transport.New(transport.Options{API: parse(t, gitlab.URL+"/api/v4")}).Stream
	defer client.CloseIdleConnections()
	if _, err := get(t, client, gitlab.URL+"/api/v4/x"); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "" {
		t.Errorf("Referer = %q, want none", got)
	}
}

func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	server.Start()
	defer server.Close()
	client := transport.New(transport.Options{API: parse(t, server.URL)}).Stream
	resp, err := get(t, client, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is idle
	_ = resp.Body.Close()
	client.CloseIdleConnections()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
	}
}

// A client certificate is for GitLab alone; a CA is for every host.
func TestTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile := keyPair(t)
	pair, err := transport.ClientCertificate(t.Context(), certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	ask := func(name string, next http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			shown[name] = len(r.TLS.PeerCertificates)
			next.ServeHTTP(w, r)
		}))
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // one client is meant to distrust it
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	storage := ask("storage", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	gitlab := ask("gitlab", http.RedirectHandler(storage.URL, http.StatusFound))
	client := transport.New(transport.Options{API: parse(t, gitlab.URL+"/api/v4"), Roots: trusting(t, gitlab.Certificate()), ClientCert: pair}).Stream
	if _, err := get(t, client, gitlab.URL+"/api/v4/x"); err != nil {
		t.Fatal(err)
	}
	client.CloseIdleConnections()
	if shown["gitlab"] != 1 || shown["storage"] != 0 {
		t.Errorf("certificates shown: %v, want one to GitLab", shown)
	}

	distrusting := transport.New(transport.Options{API: parse(t, gitlab.URL+"/api/v4")}).Stream
	if _, err := get(t, distrusting, gitlab.URL+"/api/v4/x"); err == nil || strings.Contains(err.Error(), "attempts") {
		t.Errorf("error = %v, want a certificate error without repeats", err)
	}
}

func keyPair(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// net/http would repeat a DELETE that is redirected as a GET, and report success.
func TestWritesAreNotRedirected(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		requests := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests++; requests == 1 {
				http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
			}
		}))
		client := transport.New(transport.Options{API: parse(t, s.URL+"/api/v4")}).Stream
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/api/v4/x", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, transport.ErrRedirectedWrite) || requests != 1 || transport.NeverSent(err) {
			t.Errorf("%s: %v after %d requests", method, err, requests)
		}
		s.Close()
	}
}

// What a request asks for may be decided when its connection is there.
func TestLateHeader(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Range") }))
	defer s.Close()
	observed := make(chan string, 1)
	client := transport.New(transport.Options{API: parse(t, s.URL+"/api/v4"), Observe: func(x transport.Exchange) { observed <- x.Range }}).Stream
	t.Cleanup(client.CloseIdleConnections)
	ctx := lateheader.Change(t.Context(), func(h http.Header) { h.Set("Range", "bytes=0-1") })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v4/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=0-")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if sent, told := <-seen, <-observed; sent != "bytes=0-1" || told != sent || req.Header.Get("Range") != "bytes=0-" {
		t.Errorf("sent %s, reported %s; the caller's request has %s", sent, told, req.Header.Get("Range"))
	}
}
