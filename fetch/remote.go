package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"gitlab.com/artifetch/artifetch/internal/redact"
)

// remote is the object behind a file: where it is, and what it was when it was
// first seen.
type remote struct {
	client  *http.Client
	check   func(*http.Response) error
	backoff func() Backoff
	onSpool func(have, total int64)
	origin  string // GitLab's address
	stats   counters
	latency atomic.Int64 // of the last request, until its headers; nanoseconds

	validator validator // set once, before there are readers

	mu         sync.Mutex
	current    string // where ranges are asked for: the end of the redirects
	generation int    // how often current was found anew
	changed    error  // sticky: no read succeeds after one that found a change
}

func newRemote(url string, o Options) *remote {
	return &remote{client: o.Client, check: o.Check, backoff: o.Backoff, onSpool: o.OnSpool, origin: url, current: url}
}

// send makes one request. header is the value of Range, or "".
func (r *remote) send(ctx context.Context, address, header, ifRange string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, redact.Error(err)
	}
	if header != "" {
		req.Header.Set("Range", header)
	}
	if ifRange != "" {
		req.Header.Set("If-Range", ifRange)
	}
	return r.do(req)
}

func (r *remote) do(req *http.Request) (*http.Response, error) {
	// The bytes must arrive as they are stored: ranges count them.
	req.Header.Set("Accept-Encoding", "identity")
	r.stats.requests.Add(1)
	start := time.Now()
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, redact.Error(err)
	}
	r.latency.Store(int64(time.Since(start)))
	return resp, nil
}

// settle remembers what the first answer says about the object.
func (r *remote) settle(resp *http.Response, total int64) {
	r.validator = newValidator(resp, total)
	r.current = resp.Request.URL.String()
}

// get asks for the bytes [off, end). When the address that was used before no
// longer answers, GitLab is asked again, once for all readers.
func (r *remote) get(ctx context.Context, off, end int64) (*http.Response, error) {
	address, generation, err := r.where()
	if err != nil {
		return nil, err
	}
	resp, err := r.getFrom(ctx, address, off, end)
	if err != nil || !r.expired(resp, address) {
		return r.accept(resp, err, off, end)
	}
	_ = resp.Body.Close() // its content is of no interest
	return r.renew(ctx, generation, off, end)
}

func (r *remote) where() (address string, generation int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.generation, r.changed
}

func (r *remote) getFrom(ctx context.Context, address string, off, end int64) (*http.Response, error) {
	return r.send(ctx, address, fmt.Sprintf("bytes=%d-%d", off, end-1), r.validator.ifRange(address))
}

// expired reports whether the answer looks like one to a pre-signed address
// whose time is over: S3 and Azure say 403, Google Cloud Storage 400 or 403.
func (r *remote) expired(resp *http.Response, address string) bool {
	if address == r.origin {
		return false
	}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// renew asks GitLab for a new address, unless another reader has done so since.
// The others wait meanwhile: what they would ask for would be refused too.
func (r *remote) renew(ctx context.Context, generation int, off, end int64) (*http.Response, error) {
	r.mu.Lock()
	address := r.origin
	if r.generation != generation {
		address = r.current
		r.mu.Unlock()
		resp, err := r.getFrom(ctx, address, off, end)
		return r.accept(resp, err, off, end)
	}
	resp, err := r.getFrom(ctx, address, off, end)
	if err == nil && resp.StatusCode == http.StatusPartialContent {
		r.current = resp.Request.URL.String()
		r.generation++
	}
	r.mu.Unlock()
	return r.accept(resp, err, off, end)
}

// accept lets an answer through if it is the range that was asked for, of the
// object that was opened.
func (r *remote) accept(resp *http.Response, err error, off, end int64) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	if err := r.judge(resp, off, end); err != nil {
		_ = resp.Body.Close() // the error is the answer's
		return nil, err
	}
	return resp, nil
}

func (r *remote) judge(resp *http.Response, off, end int64) error {
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK: // If-Range did not match
		return r.change("it was sent whole in answer to a range")
	case http.StatusRequestedRangeNotSatisfiable:
		return r.change("it is shorter than before")
	default:
		return r.check(resp)
	}
	c, err := parseContentRange(resp)
	if err != nil {
		return err
	}
	if c.total != r.validator.total {
		return r.change(fmt.Sprintf("it has %d bytes, not %d", c.total, r.validator.total))
	}
	if c.first != off || c.last != end-1 || encoded(resp) {
		return answered(resp, "was asked for bytes %d-%d and sent %q", off, end-1, resp.Header.Get("Content-Range"))
	}
	if !r.validator.matches(resp) {
		return r.change("its validator is another")
	}
	return nil
}

func (r *remote) change(how string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = fmt.Errorf("%w: %s", ErrChanged, how)
	}
	return r.changed
}

// digest is the archive's SHA-256, if the answer's ETag is GitLab's and not that
// of the storage it redirected to.
func (r *remote) digest() string {
	origin, err := url.Parse(r.origin)
	if err != nil || origin.Host != r.validator.host {
		return ""
	}
	return r.validator.sha256()
}
