package gitlabtest

import (
	"crypto/sha256"
	"io"
	"net/http"
	"strconv"
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
func (c *call) enterArtifacts(project, permission string) bool {
	if !c.enter(project, permission) {
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
	if !c.enterArtifacts(project, readJobs) {
		return
	}
	if job, pipeline := c.findJob(); job != nil {
		c.s.world.look(job, pipeline)
		c.archive(job, true)
	}
}

// refArchive is GET /projects/:id/jobs/artifacts/:ref_name/download.
func (c *call) refArchive(project string) {
	job := c.byRef(project, false)
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

// byRef finds the job that a ref and a name mean. Of a public project, a single
// file is for every job token, whatever its permissions.
func (c *call) byRef(project string, file bool) *Job {
	query := c.r.URL.Query()
	if !query.Has("job") { // validated before anything else
		invalid(c.w, "job is missing")
		return nil
	}
	permission := readJobs
	if p, _ := c.s.findProject(project); file && p != nil && p.Visibility == Public {
		permission = anyPermission
	}
	if !c.enterArtifacts(project, permission) {
		return nil
	}
	if c.s.since(18, 10) && query.Get("search_recent_successful_pipelines") == "true" {
		job := c.project.recentJob(c.rest[0], query.Get("job"))
		if job == nil {
			notFound(c.w, "Job")
		}
		return job
	}
	c.project.each(func(pipeline, _ *Pipeline) {
		for _, j := range pipeline.Jobs {
			if j.Name == query.Get("job") {
				c.s.world.look(j, pipeline)
			}
		}
	})
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
		job, pipeline := p.job(c.id)
		if job == nil || !caller.job || !c.s.jobMayRead(caller.token, p) {
			continue
		}
		c.project, c.caller = p, caller
		if c.permitted(readJobs) {
			c.s.world.look(job, pipeline)
			c.archive(job, c.r.URL.Query().Get("direct_download") == "true")
		}
		return
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
	mode := c.s.opts.Mode
	if mode == ModeRedirect && redirect {
		c.w.Header().Set("Content-Type", "text/plain")
		http.Redirect(c.w, c.r, c.s.presign(c.r.Method, job.ID), redirectStatus(c.r))
		return
	}
	o, err := c.s.open(job)
	switch {
	case err != nil && (mode == ModeProxy || mode == ModeRedirect):
		noSuchKey(c.w)
	case err != nil:
		message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
	default:
		c.w.stream = func(w http.ResponseWriter) {
			defer func() { _ = o.Close() }()
			c.s.sendArchive(w, c.r, o)
		}
	}
}

func (s *Server) sendArchive(w http.ResponseWriter, r *http.Request, o *object) {
	switch mode := s.opts.Mode; mode {
	case ModeProxy, ModeRedirect:
		s.storedObject(w, r, o)
	case ModeNoRanges, ModeNoLength:
		whole(w, o, mode == ModeNoRanges)
	default:
		s.fromDisk(w, r, o)
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
func (s *Server) fromDisk(w http.ResponseWriter, r *http.Request, o *object) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="artifacts.zip"; filename*=UTF-8''artifacts.zip`)
	h.Set("Content-Transfer-Encoding", "binary")
	h.Set("ETag", constantETag)
	if s.since(19, 0) && o.inMemory {
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
