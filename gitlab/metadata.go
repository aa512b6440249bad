package gitlab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Greeting is what a server says about itself.
type Greeting struct {
	Version string               // such as "18.5.1-ee"; empty if the token may not read it
	Refused *Error               // why it may not: 401 or 403; nil if it may
	Date    time.Time            // the server's clock; zero if it sends none
	TLS     *tls.ConnectionState // nil without TLS
}

// Older reports whether a version, such as "18.5.1-ee", is older than another one. A version
// that isn't known is not.
func Older(version, than string) bool {
	var v, t [2]int
	n, _ := fmt.Sscanf(version, "%d.%d", &v[0], &v[1])
	_, _ = fmt.Sscanf(than, "%d.%d", &t[0], &t[1]) // one of ours
	return n == 2 && (v[0] < t[0] || v[0] == t[0] && v[1] < t[1])
}

// Greet asks a server for its version. If the server refuses the token, that is in the
// greeting and not an error. It refuses every job token.
// GET /metadata (https://docs.gitlab.com/api/metadata/)
func (c *Client) Greet(ctx context.Context) (Greeting, error) {
	var m struct {
		Version string `json:"version"`
	}
	a, err := c.get(ctx, c.address(nil, "metadata"), &m)
	if a.Response == nil {
		return Greeting{}, err
	}
	g := Greeting{TLS: a.TLS}
	g.Date, _ = http.ParseTime(a.Header.Get("Date"))
	if refusal, ok := errors.AsType[*Error](err); ok && !refusal.FromStorage && (errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden)) {
		g.Refused = refusal
		return g, nil
	}
	if err == nil && m.Version == "" {
		err = a.undecodable(nil)
	}
	g.Version = m.Version
	return g, err
}
