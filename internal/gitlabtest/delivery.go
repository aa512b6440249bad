package gitlabtest

import (
	"net/http"
	"net/url"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/storage"
)

// How clients get the bytes from object storage.
const (
	modeDirect  = "direct"
	modeProxied = "proxy"
)

// delivery returns the mode if the request doesn't ask for one.
func (o *Options) delivery() string {
	if o.Mode == ModeRedirect {
		return modeDirect
	}
	return modeProxied
}

// validMode validates download_mode on a route that has it.
func validMode(w http.ResponseWriter, query url.Values) bool {
	return answer.OneOf(w, query, "download_mode", []string{modeDirect, modeProxied})
}

// delivery returns the mode for an answer: the one in download_mode, if this version
// supports the parameter on the route and allows the mode; otherwise the route's own. An
// empty mode means to refuse the request.
func (c *call) delivery(f feature.Name, without string) string {
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

// send sends the bytes, or redirects the client to storage.
func (c *call) send(file storage.File, mode string) {
	remote := c.s.opts.Mode == ModeProxy || c.s.opts.Mode == ModeRedirect
	if remote && mode == modeDirect {
		c.w.Header().Set("Content-Type", "text/plain")
		http.Redirect(c.w, c.r, c.s.presigned(c.r.Method, file.Path()), redirectStatus(c.r))
		return
	}
	o, err := file.Open(c.s.otherArchives())
	switch {
	case err != nil && remote:
		storage.NoSuchKey(c.w)
	case err != nil:
		answer.Message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
	default:
		c.w.Stream = func(w http.ResponseWriter) {
			defer func() { _ = o.Close() }()
			c.s.sendBytes(w, c.r, o)
		}
	}
}

func (s *Server) sendBytes(w http.ResponseWriter, r *http.Request, o *storage.Object) {
	switch mode := s.opts.Mode; mode {
	case ModeProxy, ModeRedirect:
		o.ServeS3(w, r, s.opts.quirks())
	case ModeNoRanges, ModeNoLength:
		o.ServeWhole(w, mode == ModeNoRanges)
	default:
		o.ServeDisk(w, r, s.has(feature.DigestETag))
	}
}

// redirectStatus is Grape's choice: 303 unless the method is GET.
func redirectStatus(r *http.Request) int {
	if r.Method == http.MethodGet {
		return http.StatusFound
	}
	return http.StatusSeeOther
}

// store answers for the object storage.
func (s *Server) store(w *answer.Reply, r *http.Request) {
	if !storage.CheckSignature(w, r, s.opts.Now()) {
		return
	}
	file, found := storage.At(s.world, r.URL.Path)
	if !found {
		storage.NoSuchKey(w)
		return
	}
	o, err := file.Open(s.otherArchives())
	if err != nil {
		storage.NoSuchKey(w)
		return
	}
	w.Stream = func(w http.ResponseWriter) {
		defer func() { _ = o.Close() }()
		o.ServeS3(w, r, s.opts.quirks())
	}
}

// presigned returns a pre-signed URL for a file in storage.
func (s *Server) presigned(method, path string) string {
	until := s.opts.Now().Add(s.opts.URLExpiry)
	s.mu.Lock()
	defer s.mu.Unlock()
	return storage.Presign(s.storageURL, method, path, until)
}

// otherArchives reports whether the fault "changed" has replaced every archive.
func (s *Server) otherArchives() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
