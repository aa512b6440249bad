package transport

import (
	"net/http"
	"net/url"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Proxy is the address of the proxy that stands before u, without its user, or "" if
// there is none: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, see
// [http.ProxyFromEnvironment].
func Proxy(u *url.URL) (string, error) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	return redact.URLOf(proxy), redact.Error(err)
}
