package transport_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/transport"
)

// counted is a server of TLS that counts connections.
func counted(t *testing.T, config *tls.Config) (s *httptest.Server, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // its clients are meant to fail
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, connections
}

// chain makes an authority that is valid until then, and a certificate of it for
// names, or for 127.0.0.1.
func chain(t *testing.T, until time.Time, names ...string) (ca *x509.Certificate, leaf tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(template, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	ca = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	ca = sign(ca, ca)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), DNSNames: names}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	cert := sign(template, ca)
	return ca, tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// A connection that cannot be secured is an error that says why, once.
func TestTLSErrors(t *testing.T) {
	t.Parallel()
	certFile, keyFile := keyPair(t)
	mine, err := transport.ClientCertificate(t.Context(), certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func([][]byte, [][]*x509.Certificate) error { return errors.New("not you") }
	oldRoot, old := chain(t, time.Now().Add(-time.Hour))
	asName, named := chain(t, time.Now().Add(time.Hour), "127.0.0.1")
	root, many := chain(t, time.Now().Add(time.Hour), "a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example")
	tests := []struct {
		name       string
		config     *tls.Config
		root       *x509.Certificate // nil means the server's own
		mine       *tls.Certificate
		what, next string
	}{
		{"certificate required, TLS 1.3", &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13}, nil, nil, "HOST requires a client certificate", "CI_SERVER_TLS_CERT_FILE"},
		{"certificate required, TLS 1.2", &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, nil, nil, "HOST refuses the handshake", "a client certificate, or"},
		{"certificate refused", &tls.Config{ClientAuth: tls.RequireAnyClientCert, VerifyPeerCertificate: refuse, MinVersion: tls.VersionTLS13}, nil, mine, "HOST doesn't accept the client certificate", "hasn't expired"},
		{
			"ciphers", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, nil, nil,
			"HOST refuses the handshake", "ciphers",
		},
		{"expired authority", &tls.Config{Certificates: []tls.Certificate{old}, MinVersion: tls.VersionTLS12}, oldRoot, nil, "the certificate of the authority (Root) behind that of HOST expired on ", "renew"},
		{
			"address as a name", &tls.Config{Certificates: []tls.Certificate{named}, MinVersion: tls.VersionTLS12}, asName, nil,
			"the certificate of HOST is not for 127.0.0.1 but for 127.0.0.1 (as a name, which doesn't count)", "one of its names",
		},
		{
			"many names", &tls.Config{Certificates: []tls.Certificate{many}, MinVersion: tls.VersionTLS12}, root, nil,
			"the certificate of HOST is not for 127.0.0.1 but for a.example, b.example, c.example, d.example, e.example and 2 more", "one of its names",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, connections := counted(t, tt.config)
			root := s.Certificate()
			if tt.root != nil {
				root = tt.root
			}
			client := transport.New(transport.Options{API: parse(t, s.URL+"/api/v4"), Roots: trusting(t, root), ClientCert: tt.mine}).Stream
			_, err := get(t, client, s.URL+"/api/v4/x")
			found, ok := errors.AsType[*transport.TLSError](err)
			if !ok {
				t.Fatalf("error = %v", err)
			}
			what := strings.ReplaceAll(tt.what, "HOST", parse(t, s.URL).Host)
			if !strings.HasPrefix(found.Error(), what) || !strings.Contains(found.Hint(), tt.next) {
				t.Errorf("says %q, %q", found.Error(), found.Hint())
			}
			if n := connections.Load(); n != 1 || !transport.NeverSent(err) {
				t.Errorf("%d connections, never sent: %v", n, transport.NeverSent(err))
			}
		})
	}
}

// A server's own page for 400 is looked at, and is there to be read still.
func TestOtherPagesAreKept(t *testing.T) {
	t.Parallel()
	page := append([]byte("<html><title>400 Bad Request</title>"), bytes.Repeat([]byte("x"), 10<<10)...)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(page)
	}))
	defer s.Close()
	resp, err := get(t, transport.New(transport.Options{API: parse(t, s.URL)}).Stream, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(body, page) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

// What a proxy says about itself, and whether the request may have passed it.
func TestProxyError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err        transport.ProxyError
		what, next string
		neverSent  bool
	}{
		{transport.ProxyError{Err: io.EOF}, "the proxy p:3128 cannot be reached: EOF", "HTTPS_PROXY is its address; NO_PROXY=h connects without it", true},
		{transport.ProxyError{Status: 407, Answer: "407 No"}, "the proxy p:3128 requires a user name and password (407 No)", "HTTPS_PROXY=http://USER:PASSWORD@p:3128 sets them, with %XX for special characters; NO_PROXY=h connects without it", true},
		{transport.ProxyError{Status: 401, Answer: "401 No", Login: true}, "the proxy p:3128 doesn't accept the user name and password of HTTPS_PROXY (401 No)", "", true},
		{transport.ProxyError{Status: 403, Answer: "403 No"}, "the proxy p:3128 refused to connect to h:443 (403 No)", "ask the operator of the proxy to allow h:443; NO_PROXY=h connects without it", true},
		{transport.ProxyError{Status: 503, Answer: "503 No", Tunnel: true}, "the proxy p:3128 cannot connect to h:443 (503 No)", "check the name, and whether the proxy can reach it; NO_PROXY=h connects without it", true},
		{transport.ProxyError{Status: 504, Answer: "504 No"}, "the proxy p:3128 cannot connect to h:443 (504 No)", "", false},
	}
	for _, tt := range tests {
		tt.err.Proxy, tt.err.Host, tt.err.Variable = "p:3128", "h:443", "HTTPS_PROXY"
		if tt.err.Error() != tt.what || (tt.next != "" && tt.err.Hint() != tt.next) {
			t.Errorf("says %q, %q", tt.err.Error(), tt.err.Hint())
		}
		if got := transport.NeverSent(fmt.Errorf("x: %w", &tt.err)); got != tt.neverSent {
			t.Errorf("%s: never sent: %v", tt.what, got)
		}
	}
}

// An unknown host name isn't retried, and the request was never sent.
func TestUnknownNameWasNeverSent(t *testing.T) {
	t.Parallel()
	client := transport.New(transport.Options{API: parse(t, "http://gitlab.invalid/api/v4")}).Stream
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gitlab.invalid/api/v4/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if _, ok := errors.AsType[*net.DNSError](err); !ok || !transport.NeverSent(err) || strings.Contains(err.Error(), "attempts") {
		t.Errorf("error = %v", err)
	}
}
