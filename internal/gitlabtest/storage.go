package gitlabtest

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
)

// storageKey signs pre-signed URLs.
const storageKey = "the key of the simulated storage"

// presign makes an address that is good for one method, and for a while, as AWS
// Signature Version 4 does: the method is part of what is signed.
func (s *Server) presign(method, path string) string {
	expires := s.opts.Now().Add(s.opts.URLExpiry).UnixMilli()
	query := url.Values{
		"X-Amz-Algorithm":  {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential": {"AKIAIOSFODNN7EXAMPLE/20260304/us-east-1/s3/aws4_request"},
		"X-Amz-Expires":    {strconv.FormatInt(expires, 10)},
		"X-Amz-Signature":  {signature(method, path, expires)},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.storageURL + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

func signature(method, path string, expires int64) string {
	mac := hmac.New(sha256.New, []byte(storageKey))
	_, _ = fmt.Fprintf(mac, "%s\n%s\n%d", method, path, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// store answers for the object storage.
func (s *Server) store(w *reply, r *http.Request) {
	query := r.URL.Query()
	expires, _ := strconv.ParseInt(query.Get("X-Amz-Expires"), 10, 64) // none has expired long ago
	switch {
	case r.Header.Get("Authorization") != "": // GitLab's own headers mean nothing to S3; the log notes them
		storageError(w, http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed")
		return
	case query.Has("job_token") || query.Has("private_token") || query.Get("X-Amz-Signature") != signature(r.Method, r.URL.Path, expires):
		storageError(w, http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		return
	case s.opts.Now().UnixMilli() > expires:
		storageError(w, http.StatusForbidden, "AccessDenied", "Request has expired")
		return
	}
	file, found := s.atPath(r.URL.Path)
	if !found {
		noSuchKey(w)
		return
	}
	o, err := s.openFile(file)
	if err != nil {
		noSuchKey(w)
		return
	}
	w.stream = func(w http.ResponseWriter) {
		defer func() { _ = o.Close() }()
		s.storedObject(w, r, o)
	}
}

// atPath finds the file that object storage has at a path.
func (s *Server) atPath(path string) (stored, bool) {
	var id int64
	_, _ = fmt.Sscanf(path, "/artifacts/%d/", &id) // no job has id 0
	job, _, _ := s.world.Job(id)
	if job == nil {
		return stored{}, false
	}
	if file := (stored{job: job}); file.exists() && file.path() == path {
		return file, true
	}
	for _, report := range job.AllReports() {
		if file := (stored{job: job, report: report, missing: true}); file.path() == path {
			return file, true
		}
	}
	return stored{}, false
}

func noSuchKey(w http.ResponseWriter) {
	storageError(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// storedObject serves as S3 does: single ranges, If-Range, an ETag that is an
// MD5. Azure documents "bytes=a-" and "bytes=a-b" alone: with NoSuffixRange "bytes=-n"
// is no range, with SuffixStatus it is refused.
// https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
func (s *Server) storedObject(w http.ResponseWriter, r *http.Request, o *object) {
	asked := r.Header.Get("Range")
	suffix := strings.HasPrefix(asked, "bytes=-")
	if suffix && s.opts.SuffixStatus != 0 {
		w.WriteHeader(s.opts.SuffixStatus)
		return
	}
	r = r.Clone(r.Context())
	if strings.Contains(asked, ",") || suffix && s.opts.NoSuffixRange {
		r.Header.Del("Range")
	}
	if s.opts.Deaf {
		r.Header.Del("If-None-Match")
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Amz-Request-Id", "4442587FB7D0A2F9")
	if o.inMemory {
		w.Header().Set("ETag", o.etag(md5.New())) // what S3 has for one
	}
	http.ServeContent(w, r, "", archivedAt.Add(time.Second), o)
}
