package fetch

import (
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/digest"
)

// constantETag was sent with every download by GitLab's proxy for years,
// whatever the object: https://gitlab.com/gitlab-org/gitlab/-/issues/371991
const constantETag = "12ae32cb1ec02d01eda3581b127c1fee"

// validator tells one object from another at the same address.
type validator struct {
	host         string // that said the following
	etag         string // strong, with its quotes; empty if there is none
	tag          string // that of a weak or strong ETag, with its quotes; empty if there is none
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

// tag returns what a weak or a strong ETag has in quotes, unless all archives have it.
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

// ifRange returns the If-Range header for a request to address. An ETag of another host
// means nothing there: the server would send the whole file instead of each range.
func (v validator) ifRange(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != v.host {
		return ""
	}
	return v.etag
}

// matches compares what both answers say. The total size was compared before. Weak ETags
// that differ tell objects apart (RFC 9110 §8.8.3.2); the same one proves nothing. Apache's
// are weak in the second after a file was written, when dates don't tell either.
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

// sha256 returns the ETag, if it looks like a SHA-256, else "".
func (v validator) sha256() string {
	lower, _ := digest.Parse(strings.Trim(v.etag, `"`))
	return lower
}
