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

// ProxyError reports a proxy that can't be used to reach a host.
type ProxyError struct {
	Proxy    string // host and port; never the user or the password
	Host     string // the host to connect to
	Variable string // the variable with the proxy's address
	Status   int    // of its answer; 0 without an answer
	Answer   string // its status in its own words
	Login    bool   // its address has a user name and password
	Tunnel   bool   // it refused to connect, so the request was never sent
	Err      error  // the reason for no answer
}

// Error implements error.
func (e *ProxyError) Error() string {
	switch {
	case e.Status == 0:
		return fmt.Sprintf("the proxy %s cannot be reached: %v", e.Proxy, e.Err)
	case e.wantsLogin() && e.Login:
		return fmt.Sprintf("the proxy %s doesn't accept the user name and password of %s (%s)", e.Proxy, e.Variable, e.Answer)
	case e.wantsLogin():
		return fmt.Sprintf("the proxy %s requires a user name and password (%s)", e.Proxy, e.Answer)
	case e.Status >= http.StatusInternalServerError:
		return fmt.Sprintf("the proxy %s cannot connect to %s (%s)", e.Proxy, e.Host, e.Answer)
	}
	return fmt.Sprintf("the proxy %s refused to connect to %s (%s)", e.Proxy, e.Host, e.Answer)
}

// Hint says what to do next.
func (e *ProxyError) Hint() string {
	host := hostname(e.Host)
	without := fmt.Sprintf("NO_PROXY=%s connects without it", host)
	switch {
	case e.Status == 0:
		return fmt.Sprintf("%s is its address; %s", e.Variable, without)
	case e.wantsLogin():
		return fmt.Sprintf("%s=http://USER:PASSWORD@%s sets them, with %%XX for special characters; %s", e.Variable, e.Proxy, without)
	case e.Status >= http.StatusInternalServerError:
		return fmt.Sprintf("check the name, and whether the proxy can reach it; %s", without)
	}
	return fmt.Sprintf("ask the operator of the proxy to allow %s; %s", e.Host, without)
}

// Unwrap returns the reason.
func (e *ProxyError) Unwrap() error { return e.Err }

// wantsLogin reports whether the proxy rejects the user name and password. tinyproxy
// answers 401 if they are wrong.
func (e *ProxyError) wantsLogin() bool {
	return e.Status == http.StatusProxyAuthRequired || e.Status == http.StatusUnauthorized
}

// transient reports whether a retry may succeed.
func (e *ProxyError) transient() bool {
	return e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}

// proxyFor returns the proxy for a request, or nil.
func proxyFor(req *http.Request) *url.URL {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil // net/http has already reported it
	}
	return proxy
}

// Proxy returns the address of the proxy for u, without its user, or "".
func Proxy(u *url.URL) string { return redact.URLOf(proxyFor(&http.Request{URL: u})) }

// proxyVariable returns the name of the variable with the proxy for an address. If both
// spellings are set, net/http uses the upper-case one.
func proxyVariable(u *url.URL) string {
	name := strings.ToUpper(u.Scheme) + "_PROXY"
	if lower := strings.ToLower(name); os.Getenv(name) == "" && os.Getenv(lower) != "" {
		return lower
	}
	return name
}

// tunnelled is an [http.Transport.OnProxyConnectResponse].
func tunnelled(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	e := refusal(proxy, connect.Host, proxyVariable(&url.URL{Scheme: "https"}), resp)
	e.Tunnel = true
	return e
}

// maxAnswer limits how much of a proxy's status is printed, in bytes.
const maxAnswer = 100

func refusal(proxy *url.URL, host, variable string, resp *http.Response) *ProxyError {
	answer := resp.Status
	if len(answer) > maxAnswer {
		answer = strings.ToValidUTF8(answer[:maxAnswer], "") + "…"
	}
	return &ProxyError{Proxy: proxy.Host, Host: host, Variable: variable, Status: resp.StatusCode, Answer: answer, Login: proxy.User != nil}
}

// fromProxy reports whether the proxy itself answered a request by plain HTTP. The status
// isn't enough: GitLab answers 403, too. RFC 9209 defines a header for it; squid and
// tinyproxy don't send that, but other headers.
func fromProxy(resp *http.Response) bool {
	if resp.StatusCode < http.StatusBadRequest {
		return false
	}
	server := strings.ToLower(resp.Header.Get("Server"))
	return resp.StatusCode == http.StatusProxyAuthRequired || resp.Header.Get("X-Squid-Error") != "" ||
		strings.HasPrefix(server, "tinyproxy") || strings.HasPrefix(server, "squid") ||
		strings.Contains(resp.Header.Get("Proxy-Status"), "error=")
}

// hostname returns an address without its port.
func hostname(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
