package fetch

import (
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/digest"
)

// constantETag is the ETag that GitLab's proxy sent with every download for years,
// whatever the object: https://gitlab.com/gitlab-org/gitlab/-/issues/371991
const constantETag = "12ae32cb1ec02d01eda3581b127c1fee"

// validator tells one object from another at the same address.
type validator struct {
	host         string // the host that sent the following
	etag         string // strong, with its quotes; may be empty
	tag          string // of a weak or strong ETag, with its quotes; may be empty
	lastModified string
	total        int64 // bytes
}

func newValidator(resp *http.Response, total int64) validator {
	return validator{
		host:         resp.Request.URL.Host,
		etag:         strongETag(resp),
		tag:          tag(resp),
		lastModified: resp.Header.Get("Last-Modified"),
		total:        total,
	}
}

// strongETag returns the ETag if it identifies the bytes, else "".
func strongETag(resp *http.Response) string {
	if etag := resp.Header.Get("ETag"); isStrong(etag) {
		return etag
	}
	return ""
}

// tag returns the quoted part of a weak or strong ETag, unless all archives have the same
// one.
func tag(resp *http.Response) string {
	if etag := resp.Header.Get("ETag"); !strings.Contains(etag, constantETag) {
		return strings.TrimPrefix(etag, "W/")
	}
	return ""
}

// isStrong reports whether an ETag identifies the bytes (RFC 9110 §8.8.3).
func isStrong(etag string) bool {
	return len(etag) >= 3 && etag[0] == '"' && !strings.Contains(etag, constantETag)
}

// ifRange returns the If-Range header for a request to address. It omits an ETag of
// another host: the server would send the whole file instead of each range.
func (v validator) ifRange(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != v.host {
		return ""
	}
	return v.etag
}

// matches compares the validators of both answers; the total size was compared before.
// Weak ETags that differ tell objects apart (RFC 9110 §8.8.3.2); equal ones prove
// nothing. Apache's ETags are weak in the second after a file was written, when dates
// don't help either.
func (v validator) matches(resp *http.Response) bool {
	other := newValidator(resp, v.total)
	if v.host != other.host {
		return true
	}
	if v.tag != "" && other.tag != "" && v.tag != other.tag {
		return false
	}
	if v.etag != "" && other.etag != "" {
		return true
	}
	return v.lastModified == "" || other.lastModified == "" || v.lastModified == other.lastModified
}

// sameETag reports whether an answer has the same strong ETag, if the first answer had
// one.
func (v validator) sameETag(resp *http.Response) bool {
	return v.etag == "" || v.etag == strongETag(resp)
}

// sha256 returns the ETag, if it looks like a SHA-256, else "".
func (v validator) sha256() string {
	lower, _ := digest.Parse(strings.Trim(v.etag, `"`))
	return lower
}
