// Package transport builds the program's HTTP client from small
// [http.RoundTripper] layers. From the outside in:
//
//	(client)   follows redirects, but not from https to http
//	retry      retries requests after transient failures
//	whole      reads small answers to their end, so retry sees one that breaks off
//	observe    reports each attempt to the caller
//	auth       adds the token, for GitLab's API only
//	stall      cancels a request when no byte arrives for a while
//	explain    turns errors about certificates and proxies into words for people
//	base       http.Transport; GitLab's own with the client certificate
//
// Auth is below the client that follows redirects, so it judges each hop by its own
// address: net/http would send JOB-TOKEN and PRIVATE-TOKEN on to wherever GitLab
// redirects, which is object storage. Stall is below retry, so a connection that hangs
// is a failed attempt. Observe is between them, so it sees every attempt.
//
// There are two clients with the same connections: one reads whole answers, one returns
// files as they arrive. If the body of a file breaks off, package fetch resumes it: what
// was read can't be taken back.
package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// RedirectsError reports a request that was redirected too often.
type RedirectsError struct{ Host string } // where the last redirect leads

// Error implements error.
func (e *RedirectsError) Error() string {
	return fmt.Sprintf("redirected %d times, the last time to %s", maxRedirects, e.Host)
}

// Hint says what to do next.
func (*RedirectsError) Hint() string {
	return "the servers probably redirect in a circle: ask the operator of GitLab or its storage to correct their addresses"
}

// RedirectAddressError reports a redirect to an address that isn't a web address.
type RedirectAddressError struct{ From, Scheme string } // the host that redirects, and to what, such as file

// Error implements error.
func (e *RedirectAddressError) Error() string {
	return fmt.Sprintf("%s redirects to an address that starts with %q instead of \"https:\"", e.From, e.Scheme+":")
}

// Hint says what to do next.
func (e *RedirectAddressError) Hint() string {
	return fmt.Sprintf("ask the operator of %s to correct the address that it redirects to", e.From)
}

// InsecureRedirectError reports a redirect from https to http.
type InsecureRedirectError struct{ From, To string } // hosts

// Error implements error.
func (e *InsecureRedirectError) Error() string {
	return fmt.Sprintf("redirect from https to http refused, from %s to %s: others on the network could read and change the archive", e.From, e.To)
}

// Hint says what to do next.
func (e *InsecureRedirectError) Hint() string {
	return fmt.Sprintf("ask the operator of %s to configure an https address for %s", e.From, e.To)
}

// Misdirected reports whether err is about a redirect that isn't followed: its server may be
// reachable.
func Misdirected(err error) bool {
	_, often := errors.AsType[*RedirectsError](err)
	_, elsewhere := errors.AsType[*RedirectAddressError](err)
	_, insecure := errors.AsType[*InsecureRedirectError](err)
	return often || elsewhere || insecure
}

// ErrRedirectedWrite reports a redirect in answer to a request that changes something.
var ErrRedirectedWrite = errors.New("redirects are not followed by requests that change something")

// Options configure a client. Only API is required.
type Options struct {
	API           *url.URL         // root of GitLab's API; only requests below it get the token
	Header, Token string           // the credential; an empty Header means no credential
	Gateway       http.Header      // only sent to GitLab's origin, at every hop; nil means no headers
	Roots         *Roots           // nil means the system's; see [LoadRoots]
	ClientCert    *tls.Certificate // only for GitLab; nil means no certificate
	UserAgent     string           // empty means Go's
	Retry         Policy
	StallTimeout  time.Duration  // zero means 60 s; negative means never
	Observe       func(Exchange) // called after each attempt, from any goroutine; may be nil

	// Base answers requests in tests. Nil means to send them to their servers.
	Base http.RoundTripper
}

// defaultStallTimeout is how long a connection may be silent. GitLab's own proxy allows
// storage 30 s to start answering, and its application server 60 s.
const defaultStallTimeout = 60 * time.Second

// Clients are clients that share their connections.
type Clients struct {
	Whole  *http.Client // reads an answer to its end, at most 16 MiB, before it returns it
	Hasty  *http.Client // Stream, without retries if GitLab redirects to an unreachable host
	Stream *http.Client // returns the body of a file as it arrives
}

// New returns the clients.
func New(o Options) Clients {
	if o.StallTimeout == 0 {
		o.StallTimeout = defaultStallTimeout
	}
	if o.Observe == nil {
		o.Observe = func(Exchange) {}
	}
	if o.Base == nil {
		o.Base = newBase(o)
	}
	var rt http.RoundTripper = &explain{next: o.Base, api: o.API, shown: o.ClientCert != nil}
	rt = &stall{next: rt, timeout: o.StallTimeout}
	rt = &auth{next: rt, api: o.API, header: o.Header, token: o.Token, userAgent: o.UserAgent, gateway: o.Gateway}
	rt = &observe{next: rt, report: o.Observe}
	client := func(all, hasty bool) *http.Client {
		l := &whole{next: rt, all: all, time: o.Retry.maxTime()}
		return &http.Client{Transport: &retry{next: l, policy: o.Retry, report: o.Observe, hasty: hasty}, CheckRedirect: checkRedirect}
	}
	return Clients{Whole: client(true, false), Stream: client(false, false), Hasty: client(false, true)}
}

// maxRedirects is the limit of net/http's own client.
const maxRedirects = 10

func checkRedirect(req *http.Request, via []*http.Request) error {
	// net/http tells the next server which address redirected to it. If that was
	// pre-signed, the next server would learn its signature.
	req.Header.Del("Referer")
	if method := via[0].Method; method != http.MethodGet && method != http.MethodHead {
		// net/http would continue with GET, and return that answer.
		return fmt.Errorf("%w: %s %s is redirected to %s", ErrRedirectedWrite, method, redact.URLOf(via[0].URL), redact.URLOf(req.URL))
	}
	if len(via) >= maxRedirects {
		return &RedirectsError{Host: req.URL.Host}
	}
	switch last := via[len(via)-1].URL; {
	case req.URL.Scheme != "https" && req.URL.Scheme != "http":
		return &RedirectAddressError{From: last.Host, Scheme: req.URL.Scheme}
	case last.Scheme == "https" && req.URL.Scheme != "https":
		return &InsecureRedirectError{From: last.Host, To: req.URL.Host}
	}
	return nil
}
