// Package gitlab is a client for the parts of GitLab's REST API that deal with
// jobs, pipelines and artifacts:
//
//	address.go   where things are: one encoder for every path
//	errors.go    one status gate, which reads every error envelope
//	page.go      lists, as sequences that hide paging
//	jobs.go, bridges.go, pipelines.go, tree.go: what can be read
//	actions.go: what can be done, and logs
//
// Credentials, redirects and retries are the business of the [http.Client].
//
// https://docs.gitlab.com/api/job_artifacts/, https://docs.gitlab.com/api/jobs/
package gitlab

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
)

// Client talks to one GitLab instance. Safe for concurrent use.
type Client struct {
	api  *url.URL
	http *http.Client

	noTriggerJobs atomic.Bool // the server is older than the route
}

// New returns a client of the API whose root is api, such as
// https://gitlab.com/api/v4.
func New(api *url.URL, client *http.Client) *Client {
	return &Client{api: api, http: client}
}

// maxBody bounds how much of a JSON answer is read, in bytes. A page of a
// hundred jobs has about 400 kB.
const maxBody = 16 << 20

// get asks for an address and decodes the JSON answer into v. It returns the headers,
// and how many bytes the answer has.
func (c *Client) get(ctx context.Context, address string, v any) (http.Header, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	return c.do(req, v)
}

// do sends a request and decodes the JSON answer into v, if that is not nil.
func (c *Client) do(req *http.Request, v any) (http.Header, int64, error) {
	req.Header.Set("Accept", "application/json") // also tells the transport to read the answer whole
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	if err := checkSuccess(resp); err != nil || v == nil {
		return nil, 0, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, 0, notJSON(resp, body)
	}
	return resp.Header, int64(len(body)), nil
}
