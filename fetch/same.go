package fetch

import (
	"context"
	"net/http"
	"net/url"
)

// SameAt reports whether another GitLab address serves the object that is open. It
// requests one byte. GitLab's storage has one path for each object; if GitLab serves the
// bytes itself, the validator must be the same. If the answers have none, the error is
// [ErrCannotTell].
func (f *File) SameAt(ctx context.Context, address string) (bool, error) {
	r := f.remote
	a, err := r.at(address).first(ctx, question{kind: askSpan, end: 1})
	if err != nil {
		return false, err
	}
	_ = a.Body.Close() // the headers are enough
	if total := a.total(); total >= 0 && total != f.size {
		return false, nil
	}
	where, _, err := r.where(ctx)
	if err != nil {
		return false, err
	}
	if r.redirected() {
		return samePath(where, a.Request.URL), nil
	}
	return r.validator.identifies(a.Response)
}

// total returns the size of the file that an answer is about; negative if it doesn't say.
func (a answer) total() int64 {
	switch a.outcome {
	case gotPart:
		return a.part.total
	case gotAll: // the server doesn't support ranges
		return a.ContentLength
	case gotBeyond: // even the first byte is
		return 0
	}
	return -1
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
// than a date. If they can't be compared, the error is [ErrCannotTell].
func (v validator) identifies(resp *http.Response) (bool, error) {
	other := newValidator(resp, v.total)
	switch {
	case v.host != other.host:
	case v.etag != "" && other.etag != "":
		return v.etag == other.etag, nil
	case v.tag != "" && other.tag != "" && v.tag != other.tag:
		return false, nil
	case v.etag == "" && other.etag == "" && v.lastModified != "" && other.lastModified != "":
		return v.lastModified == other.lastModified, nil
	}
	return false, ErrCannotTell
}
