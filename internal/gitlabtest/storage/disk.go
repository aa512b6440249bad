package storage

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// constantETag came with every download of older versions:
// https://gitlab.com/gitlab-org/gitlab/-/issues/371991
const constantETag = `W/"12ae32cb1ec02d01eda3581b127c1fee"`

// archivedAt is the modification time of every stored file.
var archivedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// ServeDisk serves a local file as Workhorse does (workhorse/internal/sendfile): with
// net/http's ServeContent. With digest, as newer versions do, the ETag is the SHA-256.
func (o *Object) ServeDisk(w http.ResponseWriter, r *http.Request, digest bool) {
	name := cmp.Or(o.name, "artifacts.zip")
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q; filename*=UTF-8''%s", name, url.PathEscape(name)))
	h.Set("Content-Transfer-Encoding", "binary")
	h.Set("ETag", constantETag)
	if digest && o.inMemory {
		h.Set("ETag", o.etag(sha256.New()))
	}
	http.ServeContent(w, r, "", archivedAt, o)
}

// ServeWhole ignores Range, as some proxies do. Without length it doesn't send
// Content-Length either.
func (o *Object) ServeWhole(w http.ResponseWriter, length bool) {
	w.Header().Set("Content-Type", "application/octet-stream")
	if length {
		size, _ := o.Seek(0, io.SeekEnd)
		_, _ = o.Seek(0, io.SeekStart)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	} else {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // before the length is known
	}
	_, _ = io.Copy(w, o)
}
