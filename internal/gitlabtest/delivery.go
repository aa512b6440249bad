package gitlabtest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// constantETag came with every download of older versions:
// https://gitlab.com/gitlab-org/gitlab/-/issues/371991
const constantETag = `W/"12ae32cb1ec02d01eda3581b127c1fee"`

// archivedAt is the modification time of every stored file.
var archivedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// How the bytes of object storage come to the client.
const (
	modeDirect  = "direct"
	modeProxied = "proxy"
)

// delivery is what the instance does without being asked.
func (o *Options) delivery() string {
	if o.Mode == ModeRedirect {
		return modeDirect
	}
	return modeProxied
}

// validMode is how a route that knows download_mode validates it.
func validMode(w http.ResponseWriter, query url.Values) bool {
	return oneOf(w, query, "download_mode", []string{modeDirect, modeProxied})
}

// delivery is the mode of an answer: the one that download_mode asks for, where the
// instance knows the parameter on this route and allows the mode, and otherwise the
// route's own. An empty one is a refusal.
func (c *call) delivery(f feature, without string) string {
	asked := c.r.URL.Query().Get("download_mode")
	if asked == "" || !c.s.has(f) {
		return without
	}
	if slices.Contains(c.s.opts.DownloadModes, asked) || len(c.s.opts.DownloadModes) == 0 && asked == c.s.opts.delivery() {
		return asked
	}
	if c.s.opts.RefusedMode != 0 {
		return ""
	}
	return without
}

// send sends the bytes, or the client to storage.
func (c *call) send(file stored, mode string) {
	remote := c.s.opts.Mode == ModeProxy || c.s.opts.Mode == ModeRedirect
	if remote && mode == modeDirect {
		c.w.Header().Set("Content-Type", "text/plain")
		http.Redirect(c.w, c.r, c.s.presign(c.r.Method, file.path()), redirectStatus(c.r))
		return
	}
	o, err := c.s.openFile(file)
	switch {
	case err != nil && remote:
		noSuchKey(c.w)
	case err != nil:
		message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
	default:
		c.w.stream = func(w http.ResponseWriter) {
			defer func() { _ = o.Close() }()
			c.s.sendBytes(w, c.r, o)
		}
	}
}

func (s *Server) sendBytes(w http.ResponseWriter, r *http.Request, o *object) {
	switch mode := s.opts.Mode; mode {
	case ModeProxy, ModeRedirect:
		s.storedObject(w, r, o)
	case ModeNoRanges, ModeNoLength:
		whole(w, o, mode == ModeNoRanges)
	default:
		s.fromDisk(w, r, o)
	}
}

// redirectStatus is Grape's choice: 303 unless the verb is GET.
func redirectStatus(r *http.Request) int {
	if r.Method == http.MethodGet {
		return http.StatusFound
	}
	return http.StatusSeeOther
}

// fromDisk is X-Sendfile (workhorse/internal/sendfile): net/http's ServeContent.
func (s *Server) fromDisk(w http.ResponseWriter, r *http.Request, o *object) {
	name := cmp.Or(o.name, "artifacts.zip")
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q; filename*=UTF-8''%s", name, url.PathEscape(name)))
	h.Set("Content-Transfer-Encoding", "binary")
	h.Set("ETag", constantETag)
	if s.has(featDigestETag) && o.inMemory {
		h.Set("ETag", o.etag(sha256.New()))
	}
	http.ServeContent(w, r, "", archivedAt, o)
}

// whole ignores Range.
func whole(w http.ResponseWriter, o *object, length bool) {
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
