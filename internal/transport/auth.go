package transport

import (
	"maps"
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/origin"
)

// credentialHeaders carry tokens to GitLab.
// https://docs.gitlab.com/api/rest/authentication/
var credentialHeaders = []string{"JOB-TOKEN", "PRIVATE-TOKEN", "Authorization"}

// auth adds the token to requests to GitLab's API, and removes all credentials from other
// requests. Headers for a gateway only go to GitLab's origin.
type auth struct {
	next                     http.RoundTripper
	api                      *url.URL
	header, token, userAgent string
	gateway                  http.Header // for a gateway in front of GitLab
}

// RoundTrip implements [http.RoundTripper].
func (a *auth) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context()) // a RoundTripper must not modify its request
	for _, name := range credentialHeaders {
		req.Header.Del(name)
	}
	if a.userAgent != "" {
		req.Header.Set("User-Agent", a.userAgent)
	}
	if a.header != "" && a.token != "" && belowAPI(a.api, req.URL) {
		req.Header.Set(a.header, a.token)
	}
	if origin.Same(a.api, req.URL) {
		maps.Copy(req.Header, a.gateway)
	}
	return a.next.RoundTrip(req)
}

// CloseIdleConnections calls the next layer's.
func (a *auth) CloseIdleConnections() { closeIdle(a.next) }

// belowAPI reports whether u is part of the API. Storage may have the same origin as
// GitLab, and would refuse a second credential.
func belowAPI(api, u *url.URL) bool {
	root := strings.TrimRight(api.EscapedPath(), "/") + "/"
	return origin.Same(api, u) && strings.HasPrefix(u.EscapedPath(), root) && !strings.Contains(u.Path+"/", "/../")
}
