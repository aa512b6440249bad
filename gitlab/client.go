// Package gitlab is a client for the parts of GitLab's REST API that deal with jobs,
// pipelines and artifacts. A request goes through these files:
//
//	jobs.go, pipelines.go, bridges.go, mergerequests.go, projects.go, tree.go,
//	metadata.go: what can be read
//	actions.go    what can be changed
//	download.go   logs, and whether an archive can be downloaded
//	address.go    where things are: one encoder for every path
//	page.go       lists, as sequences that hide paging
//	client.go     sends requests whose answers are JSON
//	raw.go        jobs as the server sent them
//	gate.go       decides which answers are a success
//	about.go      refuses answers about another thing than was asked for
//	message.go, scope.go, errors.go: what an error says, in all its forms
//
// Credentials, redirects and retries are the business of the [http.Client]s.
//
// https://docs.gitlab.com/api/job_artifacts/, https://docs.gitlab.com/api/jobs/
package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
)

// Client talks to one GitLab instance. Safe for concurrent use.
type Client struct {
	api           *url.URL
	whole, stream *http.Client

	// KeepRaw keeps jobs as the server sent them in [Job.Raw]. Set it before the first
	// request.
	KeepRaw bool

	noTriggerJobs atomic.Bool // the server is older than the route
	projects      sync.Map    // IDs by path in lower case, from answers
}

// New returns a client for the API at this root, such as https://gitlab.com/api/v4. It
// sends requests for JSON with whole, which may read answers to their end before it
// returns them, and all others with stream.
func New(api *url.URL, whole, stream *http.Client) *Client {
	return &Client{api: api, whole: whole, stream: stream}
}

// maxBody limits how much of a JSON answer is read, in bytes. A page of a hundred jobs
// has about 400 kB.
const maxBody = 16 << 20

// answer is an answer that was read to its end.
type answer struct {
	*http.Response        // may be nil
	body           []byte // of a success
}

// get requests an address and decodes the JSON answer into v.
func (c *Client) get(ctx context.Context, address string, v any) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	return c.do(req, v)
}

// send sends body as JSON, if it isn't nil, and decodes the answer into v, if that isn't
// nil.
func (c *Client) send(ctx context.Context, method, address string, body, v any) (answer, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.do(req, v)
}

// do sends a request and decodes the JSON answer into v, unless v is nil. An error's
// answer has headers, too.
func (c *Client) do(req *http.Request, v any) (answer, error) {
	req.Header.Set("Accept", "application/json")
	resp, err := c.whole.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	a := answer{Response: resp}
	if err := checkSuccess(resp); err != nil || v == nil {
		return a, err
	}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody)); err != nil {
		return a, err
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return a, a.undecodable(err)
	}
	if !identified(v) {
		return a, a.unusable("the answer is JSON, but not what GitLab sends: an ID that can't be")
	}
	if c.KeepRaw {
		if err := keepRaw(a.body, v); err != nil {
			return a, a.unusable("the answer is JSON, but not what GitLab sends: " + err.Error())
		}
	}
	return a, nil
}
