package fetch

import (
	"context"
	"net/http"
	"net/url"

	"gitlab.com/artifetch/artifetch/internal/origin"
	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Identity says which object a GitLab address serves: enough to compare it with an open
// [File].
type Identity struct {
	storage *url.URL // the object's address in storage; nil if GitLab serves the bytes itself
	answer  answer   // from GitLab itself; its body is closed
}

// Identify finds out which object a GitLab address serves. It requests one byte, and doesn't
// follow a redirect to storage, whose path is enough. Client, Check and Meter of the options
// apply.
func Identify(ctx context.Context, address string, o Options) (Identity, error) {
	o = o.withDefaults()
	q := question{kind: askSpan, end: 1}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Identity{}, redact.Error(err)
	}
	q.ask(req.Header)
	var id Identity
	client, check := *o.Client, orDefault(o.Client.CheckRedirect)
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		err := check(req, via)
		if err == nil && req.URL.Host != via[0].URL.Host {
			id.storage = req.URL
			return http.ErrUseLastResponse
		}
		return err
	}
	o.Meter.requests.Add(1)
	resp, err := client.Do(req)
	if err != nil {
		return id, unanswered(ctx, err, "")
	}
	defer func() { _ = resp.Body.Close() }() // the headers are enough; more may never come
	if id.storage == nil {
		id.answer, err = q.judge(resp, false, o.Check)
	}
	return id, err
}

// Is reports whether the open object is the one that was identified. GitLab's storage has
// one path for each object; if GitLab serves the bytes itself, the validator must be the
// same. If that doesn't tell, the error is [ErrCannotTell].
func (f *File) Is(id Identity) (bool, error) {
	r := f.remote
	where, _, err := r.where(f.ctx)
	switch {
	case err != nil:
		return false, err
	case (id.storage != nil) != r.redirected():
		return false, ErrCannotTell
	case id.storage != nil:
		return samePath(where, id.storage), nil
	}
	if total := id.answer.total(); total >= 0 && total != f.size {
		return false, nil
	}
	return r.validator.identifies(id.answer.Response)
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

// samePath compares addresses without their signatures.
func samePath(address string, other *url.URL) bool {
	u, err := url.Parse(address)
	return err == nil && origin.Same(u, other) && u.Path == other.Path
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
