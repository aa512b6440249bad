// Package storage serves the files that GitLab stores: from its disk, or from object
// storage with pre-signed URLs, as S3 does.
package storage

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// storageKey signs pre-signed URLs.
const storageKey = "the key of the simulated storage"

func signature(method, path string, expires int64) string {
	mac := hmac.New(sha256.New, []byte(storageKey))
	_, _ = fmt.Fprintf(mac, "%s\n%s\n%d", method, path, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// NoSuchKey is S3's answer if nothing is stored at the path.
func NoSuchKey(w http.ResponseWriter) {
	answer.StorageError(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// Presign returns a URL that is valid for one method until a time. As in AWS Signature
// Version 4, the signature includes the method.
func Presign(base, method, path string, until time.Time) string {
	expires := until.UnixMilli()
	query := url.Values{
		"X-Amz-Algorithm":  {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential": {"AKIAIOSFODNN7EXAMPLE/20260304/us-east-1/s3/aws4_request"},
		"X-Amz-Expires":    {strconv.FormatInt(expires, 10)},
		"X-Amz-Signature":  {signature(method, path, expires)},
	}
	return base + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// CheckSignature checks a pre-signed URL as S3 does. If it isn't valid, it writes the
// answer and returns false.
func CheckSignature(w http.ResponseWriter, r *http.Request, now time.Time) bool {
	query := r.URL.Query()
	expires, _ := strconv.ParseInt(query.Get("X-Amz-Expires"), 10, 64) // without it, the URL has expired
	switch {
	case r.Header.Get("Authorization") != "": // S3 ignores GitLab's own headers; the log notes them
		answer.StorageError(w, http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed")
		return false
	case query.Has("job_token") || query.Has("private_token") || query.Get("X-Amz-Signature") != signature(r.Method, r.URL.Path, expires):
		answer.StorageError(w, http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		return false
	case now.UnixMilli() > expires:
		answer.StorageError(w, http.StatusForbidden, "AccessDenied", "Request has expired")
		return false
	}
	return true
}

// At finds the file at a path in object storage.
func At(w *world.World, path string) (File, bool) {
	var id int64
	_, _ = fmt.Sscanf(path, "/artifacts/%d/", &id) // no job has id 0
	job, _, _ := w.Job(id)
	if job == nil {
		return File{}, false
	}
	if file := (File{Job: job}); file.Exists() && file.Path() == path {
		return file, true
	}
	for _, report := range job.AllReports() {
		if file := (File{Job: job, Report: report, IsReport: true}); file.Path() == path {
			return file, true
		}
	}
	return File{}, false
}

// Quirks are how other object storage differs from S3.
type Quirks struct {
	NoSuffixRange     bool // it ignores suffix ranges, as Azure's does
	SuffixStatus      int  // it refuses them with this status; zero means it doesn't
	IgnoreIfNoneMatch bool // it ignores If-None-Match, as fake-gcs-server does
}

// ServeS3 serves as S3 does: single ranges, If-Range, and an MD5 as ETag. Azure
// documents only "bytes=a-" and "bytes=a-b": with NoSuffixRange it ignores "bytes=-n",
// with SuffixStatus it refuses it.
// https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
func (o *Object) ServeS3(w http.ResponseWriter, r *http.Request, q Quirks) {
	asked := r.Header.Get("Range")
	suffix := strings.HasPrefix(asked, "bytes=-")
	if suffix && q.SuffixStatus != 0 {
		w.WriteHeader(q.SuffixStatus)
		return
	}
	r = r.Clone(r.Context())
	if strings.Contains(asked, ",") || suffix && q.NoSuffixRange {
		r.Header.Del("Range")
	}
	if q.IgnoreIfNoneMatch {
		r.Header.Del("If-None-Match")
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
	if o.inMemory {
		w.Header().Set("ETag", o.etag(md5.New())) // as S3 does
	}
	http.ServeContent(w, r, "", archivedAt.Add(time.Second), o)
}
