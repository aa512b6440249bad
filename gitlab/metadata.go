package gitlab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Greeting is a server's information about itself.
type Greeting struct {
	Version string               // such as "18.5.1-ee"; empty if the token can't read it
	Refused *Error               // why the token can't: 401 or 403; or nil
	Date    time.Time            // the server's clock; zero if it doesn't send it
	TLS     *tls.ConnectionState // nil without TLS
}

// Older reports whether a version, such as "18.5.1-ee", is older than another one. An
// unknown version isn't.
func Older(version, than string) bool {
	var v, t [2]int
	n, _ := fmt.Sscanf(version, "%d.%d", &v[0], &v[1])
	_, _ = fmt.Sscanf(than, "%d.%d", &t[0], &t[1]) // one of our constants
	return n == 2 && (v[0] < t[0] || v[0] == t[0] && v[1] < t[1])
}

// Greet asks a server for its version. If the server refuses the token, as it does every
// job token, the greeting says so, and the error is nil.
//
// GET /metadata (https://docs.gitlab.com/api/metadata/). GitLab has had that since 15.2, and
// GET /version before; a gateway, or the permissions of a token, may block both. The
// projects that the token can see also show that this is GitLab.
func (c *Client) Greet(ctx context.Context) (g Greeting, err error) {
	if err = c.greetAt(ctx, &g, "metadata"); err == nil && g.Version != "" || g.refused(http.StatusUnauthorized) {
		return g, err
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return g, err
	}
	if older := c.greetAt(ctx, &g, "version"); g.Version != "" || g.Refused != nil || !errors.Is(older, ErrNotFound) {
		return g, older
	}
	var rows []struct {
		ID int64 `json:"id"`
	}
	if _, closed := c.greet(ctx, &g, c.address(url.Values{"per_page": {"1"}, "simple": {"true"}}, "projects"), &rows); closed == nil {
		return g, nil
	}
	return g, err
}

// greetAt requests the version at a route.
func (c *Client) greetAt(ctx context.Context, g *Greeting, route string) error {
	var m struct {
		Version string `json:"version"`
	}
	a, err := c.greet(ctx, g, c.address(nil, route), &m)
	if g.Version = m.Version; err == nil && g.Refused == nil && m.Version == "" {
		return a.undecodable(nil)
	}
	return err
}

// greet requests an address, and records what the answer reveals about the server. A
// refusal isn't an error.
func (c *Client) greet(ctx context.Context, g *Greeting, address string, v any) (answer, error) {
	a, err := c.get(ctx, address, v)
	if a.Response == nil {
		return a, err
	}
	g.TLS, g.Refused = a.TLS, nil
	g.Date, _ = http.ParseTime(a.Header.Get("Date"))
	refusal, ok := errors.AsType[*Error](err)
	if ok && !refusal.FromStorage && (errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden)) {
		g.Refused, err = refusal, nil
	}
	return a, err
}

func (g *Greeting) refused(status int) bool {
	return g.Refused != nil && g.Refused.StatusCode == status
}

// TokenInfo describes a personal, project or group access token.
type TokenInfo struct {
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes"`
	ExpiresAt string   `json:"expires_at"` // a date such as "2027-01-31"; empty means never
}

// OwnToken describes the token. GitLab answers tokens with any scope since 15.5, and
// OAuth tokens with 400. GET /personal_access_tokens/self
// (https://docs.gitlab.com/api/personal_access_tokens/#self-inform)
func (c *Client) OwnToken(ctx context.Context) (info TokenInfo, err error) {
	_, err = c.get(ctx, c.address(nil, "personal_access_tokens", "self"), &info)
	return info, err
}
