package gitlab

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Greeting is how a server answers somebody who asks what it is.
type Greeting struct {
	Version string // such as "18.5.1-ee"; empty if the token may not know
	Refused *Error // why it may not: 401 or 403; nil if it may
	Date    time.Time
	TLS     *tls.ConnectionState // nil without TLS
}

// Greet asks a server what it is. That the token is refused is an answer, too: it is
// in the greeting, and no error. Job tokens always are.
// GET /metadata (https://docs.gitlab.com/api/metadata/)
func (c *Client) Greet(ctx context.Context) (Greeting, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(nil, "metadata"), nil)
	if err != nil {
		return Greeting{}, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return Greeting{}, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	g := Greeting{TLS: resp.TLS}
	g.Date, _ = http.ParseTime(resp.Header.Get("Date")) // a server without a clock has none
	if err := checkSuccess(resp); err != nil {
		if e, ok := err.(*Error); ok && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden) && !e.FromStorage { //nolint:errorlint // checkSuccess wraps nothing
			g.Refused = e
			return g, nil
		}
		return g, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return g, err
	}
	var m struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(body, &m) != nil || m.Version == "" {
		return g, notJSON(resp, body)
	}
	g.Version = m.Version
	return g, nil
}

// ArchiveExists asks for the first byte of a job's archive.
// GET /projects/:id/jobs/:job_id/artifacts
func (c *Client) ArchiveExists(ctx context.Context, project Project, job int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.ArchiveURL(project, job), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Range", "bytes=0-0")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // nobody reads it
	return checkPlain(resp)
}
