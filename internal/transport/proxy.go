package transport

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// ProxyError reports a proxy that does not lead to a host.
type ProxyError struct {
	Proxy    string // host and port; never the user or the password
	Host     string // where it should have led
	Variable string // that names the proxy
	Status   int    // of its answer; 0 without one
	Answer   string // its status in its own words
	Login    bool   // it was given a user and a password
	Tunnel   bool   // it refused to connect, so that the request was never sent
	Err      error  // why there is no answer
}

// Error implements error.
func (e *ProxyError) Error() string {
	switch {
	case e.Status == 0:
		return fmt.Sprintf("the proxy %s cannot be reached: %v", e.Proxy, e.Err)
	case e.wantsLogin() && e.Login:
		return fmt.Sprintf("the proxy %s does not accept the user and password of %s (%s)", e.Proxy, e.Variable, e.Answer)
	case e.wantsLogin():
		return fmt.Sprintf("the proxy %s wants a user and a password (%s)", e.Proxy, e.Answer)
	case e.Status >= http.StatusInternalServerError:
		return fmt.Sprintf("the proxy %s gets no connection to %s (%s)", e.Proxy, e.Host, e.Answer)
	}
	return fmt.Sprintf("the proxy %s refuses to lead to %s (%s)", e.Proxy, e.Host, e.Answer)
}

// Hint says what to do next.
func (e *ProxyError) Hint() string {
	host := hostname(e.Host)
	without := fmt.Sprintf("NO_PROXY=%s goes there without it", host)
	switch {
	case e.Status == 0:
		return fmt.Sprintf("%s names it; %s", e.Variable, without)
	case e.wantsLogin():
		return fmt.Sprintf("%s=http://USER:PASSWORD@%s gives them, with %%XX for special characters; %s", e.Variable, e.Proxy, without)
	case e.Status >= http.StatusInternalServerError:
		return fmt.Sprintf("is the name right, and may the proxy reach it? %s", without)
	}
	return fmt.Sprintf("whoever runs the proxy may allow %s; %s", e.Host, without)
}

// Unwrap gives the reason.
func (e *ProxyError) Unwrap() error { return e.Err }

// wantsLogin reports whether it is about a user and a password. tinyproxy says 401
// of those that are wrong.
func (e *ProxyError) wantsLogin() bool {
	return e.Status == http.StatusProxyAuthRequired || e.Status == http.StatusUnauthorized
}

// transient reports whether the same proxy may do better the next time.
func (e *ProxyError) transient() bool {
	return e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}

// proxyFor is the proxy of a request, or nil.
func proxyFor(req *http.Request) *url.URL {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil // net/http has said so
	}
	return proxy
}

// Proxy is the address of the proxy that stands before u, without its user, or "".
func Proxy(u *url.URL) string { return redact.URLOf(proxyFor(&http.Request{URL: u})) }

// proxyVariable is the variable that names the proxy of an address. Of two
// spellings net/http takes the upper-case one first.
func proxyVariable(u *url.URL) string {
	name := strings.ToUpper(u.Scheme) + "_PROXY"
	if lower := strings.ToLower(name); os.Getenv(name) == "" && os.Getenv(lower) != "" {
		return lower
	}
	return name
}

// tunnelled is what [http.Transport.OnProxyConnectResponse] asks.
func tunnelled(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	e := refusal(proxy, connect.Host, proxyVariable(&url.URL{Scheme: "https"}), resp)
	e.Tunnel = true
	return e
}

// maxAnswer bounds what is repeated of a proxy's words, in bytes.
const maxAnswer = 100

func refusal(proxy *url.URL, host, variable string, resp *http.Response) *ProxyError {
	answer := resp.Status
	if len(answer) > maxAnswer {
		answer = strings.ToValidUTF8(answer[:maxAnswer], "") + "…"
	}
	return &ProxyError{Proxy: proxy.Host, Host: host, Variable: variable, Status: resp.StatusCode, Answer: answer, Login: proxy.User != nil}
}

// fromProxy reports whether the answer to a request by plain HTTP is the proxy's
// own. Its status alone does not tell: GitLab says 403 too. RFC 9209 has a header
// for it; squid and tinyproxy, who do not send that, have others.
func fromProxy(resp *http.Response) bool {
	if resp.StatusCode < http.StatusBadRequest {
		return false
	}
	server := strings.ToLower(resp.Header.Get("Server"))
	return resp.StatusCode == http.StatusProxyAuthRequired || resp.Header.Get("X-Squid-Error") != "" ||
		strings.HasPrefix(server, "tinyproxy") || strings.HasPrefix(server, "squid") ||
		strings.Contains(resp.Header.Get("Proxy-Status"), "error=")
}

// hostname is an address without its port.
func hostname(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
