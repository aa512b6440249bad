// Package transport builds the program's HTTP client from small
// [http.RoundTripper] layers. From the outside in:
//
//	(client)   follows redirects, but not from https to http
//	retry      repeats a request that failed for a transient reason
//	whole      reads small answers to their end, so that one that breaks is repeated
//	observe    tells the caller about each attempt
//	auth       adds the token, for GitLab's API only
//	stall      gives up when no byte moved for a while
//	explain    says in words what a certificate or a proxy is about
//	base       http.Transport; GitLab's own with the client certificate
//
// Auth sits below the client that follows redirects, so that each hop is judged
// by its own address: net/http carries JOB-TOKEN and PRIVATE-TOKEN along to
// wherever GitLab redirects, which is object storage. Stall sits below retry, so
// that a connection that hangs is given up and the request repeated. Observe sits
// between, so that every attempt is seen.
//
// The body of an archive that breaks off is not repeated here: what was read
// cannot be taken back. Package fetch continues it.
package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	// A scratch image has no certificates; these are used only when the system
	// has none.
	_ "golang.org/x/crypto/x509roots/fallback"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/origin"
	"gitlab.com/artifetch/artifetch/internal/redact"
)

// ErrInsecureRedirect reports a redirect from https to http.
var ErrInsecureRedirect = errors.New("redirect from https to http")

// InsecureRedirectError is an [ErrInsecureRedirect] with what it is about.
type InsecureRedirectError struct{ From, To string } // hosts

// Error implements error.
func (e *InsecureRedirectError) Error() string {
	return fmt.Sprintf("%v refused, from %s to %s: whoever listens could read and change the archive", ErrInsecureRedirect, e.From, e.To)
}

// Hint says what to do next.
func (e *InsecureRedirectError) Hint() string {
	return fmt.Sprintf("whoever runs %s has to give it an https address for %s", e.From, e.To)
}

// Is makes it an [ErrInsecureRedirect].
func (e *InsecureRedirectError) Is(target error) bool { return target == ErrInsecureRedirect }

// ErrRedirectedWrite reports that a request that changes something was redirected.
var ErrRedirectedWrite = errors.New("redirects are not followed by requests that change something")

// Options configure a client. Only API is required.
type Options struct {
	API           *url.URL         // root of GitLab's API; the token goes below it alone
	Header, Token string           // the credential; an empty Header means none
	RootCAs       *x509.CertPool   // nil means the system's; see [Roots]
	ClientCert    *tls.Certificate // shown to GitLab alone; nil means none
	UserAgent     string           // empty means Go's
	Retry         Policy
	StallTimeout  time.Duration  // zero means 60 s; negative means never
	Observe       func(Exchange) // called after each attempt, from any goroutine; nil means none

	// Base answers requests. Nil means the servers that they are addressed to; tests
	// answer by themselves.
	Base http.RoundTripper
}

// DefaultStallTimeout is how long a connection may be silent. GitLab's own
// proxy gives a storage 30 s to begin, its application server 60 s.
const DefaultStallTimeout = 60 * time.Second

// Clients are two clients that share their connections.
type Clients struct {
	Whole  *http.Client // reads an answer to its end, at most 16 MiB, before it returns it
	Stream *http.Client // returns the body of a file as it arrives
}

// New returns clients of these layers.
func New(o Options) Clients {
	if o.StallTimeout == 0 {
		o.StallTimeout = DefaultStallTimeout
	}
	if o.Observe == nil {
		o.Observe = func(Exchange) {}
	}
	if o.Base == nil {
		o.Base = newBase(o)
	}
	var rt http.RoundTripper = &explain{next: o.Base, api: o.API, shown: o.ClientCert != nil}
	rt = &stall{next: rt, timeout: o.StallTimeout}
	rt = &auth{next: rt, api: o.API, header: o.Header, token: o.Token, userAgent: o.UserAgent}
	rt = &observe{next: rt, report: o.Observe}
	client := func(all bool) *http.Client {
		l := &whole{next: rt, all: all, time: o.Retry.maxTime()}
		return &http.Client{Transport: &retry{next: l, policy: o.Retry, report: o.Observe}, CheckRedirect: checkRedirect}
	}
	return Clients{Whole: client(true), Stream: client(false)}
}

// maxRedirects is the limit of net/http's own client.
const maxRedirects = 10

func checkRedirect(req *http.Request, via []*http.Request) error {
	// net/http tells the next server which address led to it. A signed one
	// would hand its signature on.
	req.Header.Del("Referer")
	if method := via[0].Method; method != http.MethodGet && method != http.MethodHead {
		// net/http would go on with GET, and take its answer for that of the request.
		return fmt.Errorf("%w: %s %s is sent on to %s", ErrRedirectedWrite, method, redact.URLOf(via[0].URL), redact.URLOf(req.URL))
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if last := via[len(via)-1].URL; last.Scheme == "https" && req.URL.Scheme != "https" {
		return &InsecureRedirectError{From: last.Host, To: req.URL.Host}
	}
	return nil
}

// base is two transports: a client certificate is meant for GitLab, and
// tls.Config cannot tell hosts apart.
type base struct {
	api           *url.URL
	gitlab, other http.RoundTripper
}

func newBase(o Options) *base {
	b := &base{api: o.API, other: newTransport(o.RootCAs)}
	b.gitlab = b.other
	if o.ClientCert != nil {
		gitlab := newTransport(o.RootCAs)
		config := gitlab.TLSClientConfig
		if behind := proxyFor(&http.Request{URL: o.API}); behind != nil {
			// What is dialled is the proxy; the handshake with GitLab comes later.
			config = config.Clone()
		}
		gitlab.TLSClientConfig.Certificates = []tls.Certificate{*o.ClientCert}
		gitlab.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialer := tls.Dialer{NetDialer: newDialer(), Config: config} // whose timeout is for both
			return dialer.DialContext(ctx, network, address)
		}
		b.gitlab = gitlab
	}
	return b
}

// RoundTrip implements [http.RoundTripper].
func (b *base) RoundTrip(req *http.Request) (*http.Response, error) {
	if origin.Same(b.api, req.URL) {
		return b.gitlab.RoundTrip(req)
	}
	return b.other.RoundTrip(req)
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] looks for; the
// layers above pass it on.
func (b *base) CloseIdleConnections() {
	closeIdle(b.gitlab)
	closeIdle(b.other)
}

func closeIdle(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// maxIdle is how many idle connections to a host are kept: as many as there are
// parallel range requests. net/http keeps two.
const (
	maxIdle   = 16
	idleShare = 8 // they take at most an eighth of the files that may be open
)

// connectTimeout bounds making a connection, and its handshake.
const connectTimeout = 30 * time.Second

func newDialer() *net.Dialer { return &net.Dialer{Timeout: connectTimeout, KeepAlive: connectTimeout} }

func newTransport(roots *x509.CertPool) *http.Transport {
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	// Ranges want connections of their own: over HTTP/2 they would share one,
	// with one congestion window.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         newDialer().DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: connectTimeout,
		MaxIdleConnsPerHost: openfiles.Share(openfiles.Limit(), idleShare, 1, maxIdle),
		IdleConnTimeout:     90 * time.Second,
		ReadBufferSize:      64 << 10,
		Protocols:           protocols,
		// The bytes of an archive must arrive as they are stored.
		DisableCompression:     true,
		OnProxyConnectResponse: tunnelled,
	}
}
