package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"gitlab.com/artifetch/artifetch/internal/lateheader"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/origin"
)

// base is two transports: the client certificate is for GitLab only, and tls.Config can't
// distinguish hosts.
type base struct {
	api           *url.URL
	gitlab, other http.RoundTripper
	system        bool // the authorities are the system's, which aren't loading yet
}

func newBase(o Options) *base {
	b := &base{api: o.API, other: newTransport(o.Roots), system: o.Roots == nil}
	b.gitlab = b.other
	if o.ClientCert != nil {
		gitlab := newTransport(o.Roots)
		config := gitlab.TLSClientConfig
		if behind := proxyFor(&http.Request{URL: o.API}); behind != nil {
			// DialTLSContext connects to the proxy; the handshake with GitLab comes later.
			config = config.Clone()
		}
		gitlab.TLSClientConfig.Certificates = []tls.Certificate{*o.ClientCert}
		gitlab.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return o.Roots.dialTLS(ctx, network, address, config)
		}
		b.gitlab = gitlab
	}
	return b
}

// RoundTrip implements [http.RoundTripper].
func (b *base) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.system && secure(req) {
		builtIn()
	}
	req = lateheader.Apply(req)
	if origin.Same(b.api, req.URL) {
		return b.gitlab.RoundTrip(req)
	}
	return b.other.RoundTrip(req)
}

// secure reports whether there is a handshake with the server or a proxy.
func secure(req *http.Request) bool {
	proxy := proxyFor(req)
	return req.URL.Scheme == "https" || proxy != nil && proxy.Scheme == "https"
}

// CloseIdleConnections is called by [http.Client.CloseIdleConnections]. Each layer above
// calls the next one's.
func (b *base) CloseIdleConnections() {
	closeIdle(b.gitlab)
	closeIdle(b.other)
}

func closeIdle(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// The limits of idle connections to a host.
const (
	maxIdle   = 16 // as many as there are parallel range requests; net/http keeps two
	idleShare = 8  // at most an eighth of the allowed open files
)

// connectTimeout limits connecting, and the handshake.
const connectTimeout = 30 * time.Second

// dial connects, and also waits until the authorities for a handshake are loaded.
func (r *Roots) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectTimeout, KeepAlive: connectTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := r.wait(ctx); err != nil {
		_ = conn.Close() // it was not used
		return nil, err
	}
	return conn, nil
}

// dialTLS is dial with a handshake.
func (r *Roots) dialTLS(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout) // for both connecting and handshake
	defer cancel()
	conn, err := r.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.ServerName = hostname(address)
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error counts
		return nil, err
	}
	return secure, nil
}

func newTransport(roots *Roots) *http.Transport {
	// Ranges need separate connections: with HTTP/2 they would share one, and its
	// congestion window.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         roots.dial,
		TLSClientConfig:     roots.config(),
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
