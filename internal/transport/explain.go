package transport

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/origin"
)

// explain replaces net/http's errors about connections with a [TLSError] or a
// [ProxyError], which people can understand. It also detects answers that come neither
// from GitLab nor from storage, but from a proxy, or from a web server that rejects the
// request's scheme or host.
type explain struct {
	next  http.RoundTripper
	api   *url.URL
	shown bool // a client certificate is configured
}

// RoundTrip implements [http.RoundTripper].
func (e *explain) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := e.next.RoundTrip(req)
	if err != nil {
		return nil, e.failed(req, err)
	}
	if err := e.answered(req, resp); err != nil {
		_ = resp.Body.Close() // the answer's error counts
		return nil, err
	}
	return resp, nil
}

// CloseIdleConnections calls the next layer's.
func (e *explain) CloseIdleConnections() { closeIdle(e.next) }

// failed explains why a connection failed.
func (e *explain) failed(req *http.Request, err error) error {
	if _, known := errors.AsType[*ProxyError](err); known || req.Context().Err() != nil {
		return err
	}
	host := e.host(req.URL)
	proxy := proxyFor(req)
	if op, ok := errors.AsType[*net.OpError](err); ok && proxy != nil && (op.Op == "proxyconnect" || op.Op == "socks connect") {
		if explained := tlsError(peer{name: "the proxy " + proxy.Host, address: proxy.Host}, op.Err); explained != nil {
			return explained
		}
		return &ProxyError{Proxy: proxy.Host, Host: host.address, Variable: proxyVariable(req.URL), Err: op.Err}
	}
	if proxy != nil {
		host.proxy = proxy.Host
	}
	if explained := tlsError(host, err); explained != nil {
		return explained
	}
	return err
}

// host describes the server at an address.
func (e *explain) host(u *url.URL) peer {
	return peer{name: u.Host, address: u.Host, gitlab: origin.Same(e.api, u), shown: e.shown}
}

// answered returns an error for answers that aren't from the request's server.
func (e *explain) answered(req *http.Request, resp *http.Response) error {
	if proxy := proxyFor(req); proxy != nil && req.URL.Scheme == "http" && fromProxy(resp) {
		return refusal(proxy, req.URL.Host, proxyVariable(req.URL), resp)
	}
	if resp.StatusCode != http.StatusBadRequest {
		return nil
	}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media != "text/html" { // a malformed one isn't HTML
		return nil
	}
	page := peek(resp)
	host := e.host(req.URL)
	switch {
	case strings.Contains(page, "No required SSL certificate was sent"), strings.Contains(page, "The SSL certificate error"):
		return clientCertificate(host, nil)
	case strings.Contains(page, "The plain HTTP request was sent to HTTPS port"):
		return &TLSError{
			Host: host.address, What: host.name + " uses TLS, but its address says http",
			Next: "write its address with https://",
		}
	}
	return nil
}

// maxPage limits how much of a web server's own error page is read, in bytes. nginx's
// have about 250.
const maxPage = 4 << 10

// peek reads the beginning of a body without consuming it.
func peek(resp *http.Response) string {
	page, _ := io.ReadAll(io.LimitReader(resp.Body, maxPage)) // the next reader gets the error again
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(page), resp.Body), resp.Body}
	return string(page)
}
