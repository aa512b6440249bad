package gitlabtest

import (
	"bytes"
	"crypto/md5" // what S3 uses as an ETag
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// constantETag came with every download of older versions:
// https://gitlab.com/gitlab-org/gitlab/-/issues/371991
const constantETag = `W/"12ae32cb1ec02d01eda3581b127c1fee"`

// archivedAt is the modification time of every stored archive.
var archivedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// enterArtifacts is enter for the artifacts API, which asks for a licence where
// a job token comes: without it, no project is found.
// https://gitlab.com/gitlab-org/gitlab/-/issues/347244
func (c *call) enterArtifacts(project string) bool {
	if !c.enter(project, true) {
		return false
	}
	if c.s.opts.Unlicensed && c.caller.job {
		notFound(c.w, "Project")
		return false
	}
	return true
}

// jobArchive is GET /projects/:id/jobs/:job_id/artifacts. It looks neither at
// the job's status nor at its expiry.
func (c *call) jobArchive(project string) {
	if !c.enterArtifacts(project) {
		return
	}
	job, _ := c.project.job(c.id)
	if job == nil {
		recordNotFound(c.w)
		return
	}
	c.archive(job, true)
}

// refArchive is GET /projects/:id/jobs/artifacts/:ref_name/download.
func (c *call) refArchive(project string) {
	job := c.byRef(project)
	if job == nil {
		return
	}
	if !job.hasArchive() && !c.s.since(18, 0) && mayReadArchive(c.caller, c.project, job) {
		// Older versions met a nil file here.
		message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	c.archive(job, true)
}

func (c *call) byRef(project string) *Job {
	query := c.r.URL.Query()
	if !query.Has("job") { // validated before anything else
		invalid(c.w, "job is missing")
		return nil
	}
	if !c.enterArtifacts(project) {
		return nil
	}
	recent := c.s.since(18, 10) && query.Get("search_recent_successful_pipelines") == "true"
	if recent {
		job := c.project.recentJob(c.rest[0], query.Get("job"))
		if job == nil {
			notFound(c.w, "Job")
		}
		return job
	}
	c.s.mu.Lock()
	c.project.each(func(pipeline, _ *Pipeline) {
		for _, j := range pipeline.Jobs {
			if j.Name == query.Get("job") {
				j.advance()
			}
		}
	})
	c.s.mu.Unlock()
	job := c.project.latestJob(c.rest[0], query.Get("job"))
	if job == nil {
		recordNotFound(c.w)
	}
	return job
}

// runnerArchive is GET /jobs/:id/artifacts (lib/api/ci/runner.rb): for live job
// tokens only, without a look at the licence.
func (c *call) runnerArchive(id string) {
	if !c.number(id) {
		invalid(c.w, "id is invalid")
		return
	}
	caller, ok := c.s.identify(c.w, c.r, true)
	if !ok {
		return
	}
	for _, p := range c.s.world.Projects {
		job, _ := p.job(c.id)
		if job != nil && caller.job && c.s.jobMayRead(caller.token, p) {
			c.project, c.caller = p, caller
			c.archive(job, c.r.URL.Query().Get("direct_download") == "true")
			return
		}
	}
	forbidden(c.w, "")
}

// archive serves a job's archive; redirect allows to send the client to storage.
func (c *call) archive(job *Job, redirect bool) {
	if !mayReadArchive(c.caller, c.project, job) {
		forbidden(c.w, "")
		return
	}
	if !job.hasArchive() {
		notFound(c.w, "")
		return
	}
	switch mode := c.s.opts.Mode; {
	case mode == ModeRedirect && redirect:
		c.w.Header().Set("Content-Type", "text/plain")
		http.Redirect(c.w, c.r, c.s.presign(c.r.Method, job.ID), redirectStatus(c.r))
	case mode == ModeProxy || mode == ModeRedirect:
		c.s.storedObject(c.w, c.r, job)
	case mode == ModeNoRanges || mode == ModeNoLength:
		c.whole(job, mode == ModeNoRanges)
	default:
		c.fromDisk(job)
	}
}

// redirectStatus is Grape's choice: 303 for what is no GET.
func redirectStatus(r *http.Request) int {
	if r.Method == http.MethodGet {
		return http.StatusFound
	}
	return http.StatusSeeOther
}

// fromDisk is X-Sendfile (workhorse/internal/sendfile): net/http's ServeContent.
func (c *call) fromDisk(job *Job) {
	content, closer, err := c.s.open(job)
	if err != nil {
		message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	defer func() { _ = closer.Close() }()
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="artifacts.zip"; filename*=UTF-8''artifacts.zip`)
	h.Set("Content-Transfer-Encoding", "binary")
	h.Set("ETag", constantETag)
	if c.s.since(19, 0) && job.ArchiveFile == "" {
		h.Set("ETag", `"`+c.s.digest(job)+`"`)
	}
	http.ServeContent(c.w, c.r, "", archivedAt, content)
}

// whole ignores Range.
func (c *call) whole(job *Job, length bool) {
	content, closer, err := c.s.open(job)
	if err != nil {
		message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	defer func() { _ = closer.Close() }()
	c.w.Header().Set("Content-Type", "application/octet-stream")
	if length {
		size, _ := content.Seek(0, io.SeekEnd)
		_, _ = content.Seek(0, io.SeekStart)
		c.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	} else {
		c.w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(c.w).Flush() // before the length is known
	}
	_, _ = io.Copy(c.w, content)
}

// open opens the archive as it is at present.
func (s *Server) open(job *Job) (io.ReadSeeker, io.Closer, error) {
	s.mu.Lock()
	changed := s.changed
	s.mu.Unlock()
	switch {
	case changed:
		return bytes.NewReader(otherArchive()), io.NopCloser(nil), nil
	case job.ArchiveFile != "":
		f, err := os.Open(job.ArchiveFile)
		return f, f, err
	}
	return bytes.NewReader(job.Archive), io.NopCloser(nil), nil
}

// otherArchive is what every archive is after the fault "changed".
func otherArchive() []byte {
	return Zip(File{Name: "changed.txt", Content: strings.Repeat("another archive\n", 9999), Store: true})
}

func (s *Server) digest(job *Job) string {
	content, closer, err := s.open(job)
	if err != nil {
		return ""
	}
	defer func() { _ = closer.Close() }()
	h := sha256.New()
	_, _ = io.Copy(h, content)
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Server) md5(job *Job) string {
	content, closer, err := s.open(job)
	if err != nil {
		return ""
	}
	defer func() { _ = closer.Close() }()
	h := md5.New() // what S3 uses as an ETag
	_, _ = io.Copy(h, content)
	return hex.EncodeToString(h.Sum(nil))
}
