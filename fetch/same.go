package fetch

import (
	"context"
	"net/http"
	"net/url"
)

// SameAt reports whether another GitLab address serves the object that is open. It
// requests one byte. GitLab's storage has one path for each object; if GitLab serves the
// bytes itself, the validator and the size must be the same.
func (f *File) SameAt(ctx context.Context, address string) (bool, error) {
	r := f.remote
	a, err := r.at(address).first(ctx, question{kind: askSpan, end: 1})
	if err != nil {
		return false, err
	}
	var total int64
	switch a.outcome {
	case gotPart:
		total = a.part.total
	case gotAll: // the server doesn't support ranges
		total = a.ContentLength
	default:
		return false, nil
	}
	_ = a.Body.Close() // the headers are enough
	if total != f.size {
		return false, nil
	}
	where, _, err := r.where(ctx)
	if err != nil {
		return false, err
	}
	if r.redirected() {
		return samePath(where, a.Request.URL), nil
	}
	return r.validator.identifies(a.Response), nil
}

// at returns a remote for another address of the same archive.
func (r *remote) at(address string) *remote {
	return &remote{
		client: r.client, check: r.check, backoff: r.backoff, onSpool: r.onSpool, servers: r.servers, meter: r.meter,
		origin: address, home: address, current: address, sizes: r.sizes, most: r.most, settled: make(chan struct{}),
	}
}

// samePath compares addresses without their signatures.
func samePath(address string, other *url.URL) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host == other.Host && u.Path == other.Path
}

// identifies reports whether an answer has the same validator. A strong ETag counts more
// than a date.
func (v validator) identifies(resp *http.Response) bool {
	if v.host != resp.Request.URL.Host {
		return false
	}
	if etag := strongETag(resp); v.etag != "" || etag != "" {
		return v.etag == etag
	}
	return v.lastModified != "" && v.lastModified == resp.Header.Get("Last-Modified")
}
