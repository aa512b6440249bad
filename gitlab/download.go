package gitlab

import (
	"context"
	"io"
	"net/http"
)

// Downloads through the API, except archives, which package fetch reads.

// Trace opens a job's log, as far as the runner has sent it. GitLab always sends the
// whole log and doesn't support ranges. GET /projects/:id/jobs/:job_id/trace
func (c *Client) Trace(ctx context.Context, project Project, job int64) (io.ReadCloser, error) {
	return c.open(ctx, c.jobAddress(project, job, "trace"), "")
}

// ArchiveExists downloads the first byte of a job's archive, to find out whether the
// rest can be downloaded. GET /projects/:id/jobs/:job_id/artifacts
func (c *Client) ArchiveExists(ctx context.Context, project Project, job int64) error {
	return c.exists(ctx, c.ArchiveURL(project, job))
}

// RefArchiveExists is ArchiveExists by ref and job name.
func (c *Client) RefArchiveExists(ctx context.Context, project Project, ref, job string) error {
	return c.exists(ctx, c.RefArchiveURL(project, ref, job))
}

// Storage downloads the first byte of an archive at one of this client's addresses. It
// also returns the host of the object storage that GitLab redirects to, or "".
func (c *Client) Storage(ctx context.Context, address string) (host string, err error) {
	stream := *c.stream
	stream.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != via[0].URL.Host {
			host = req.URL.Host
		}
		if c.stream.CheckRedirect == nil {
			return nil
		}
		return c.stream.CheckRedirect(req, via)
	}
	err = (&Client{api: c.api, stream: &stream}).exists(ctx, address)
	return host, err
}

func (c *Client) exists(ctx context.Context, address string) error {
	body, err := c.open(ctx, address, "bytes=0-0")
	if err != nil {
		return err
	}
	return body.Close()
}

// open sends a request for something other than JSON, and returns the body. byteRange is
// a Range header; empty means the whole file.
func (c *Client) open(ctx context.Context, address, byteRange string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if byteRange != "" {
		req.Header.Set("Range", byteRange)
	}
	resp, err := c.stream.Do(req)
	if err != nil {
		return nil, err
	}
	if err := checkPlain(resp); err != nil {
		_ = resp.Body.Close() // it contains nothing else
		return nil, err
	}
	return resp.Body, nil
}
