package gitlabtest

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/storage"
)

// jobFile is GET /projects/:id/jobs/:job_id/artifacts/*artifact_path.
func (c *call) jobFile(project string) {
	if job := c.available(project, ""); job != nil {
		c.file(job, c.rest[0])
	}
}

// available finds a job whose archive can be opened. Unlike downloading the whole
// archive, that is possible only until it expires, unless its pipeline is locked. missing
// is what the 404 names. If it returns nil, it has written the answer.
func (c *call) available(project, missing string) *Job {
	if !c.enterArtifacts(project, access.ReadJobs) {
		return nil
	}
	job, pipeline := c.findJob()
	switch {
	case job == nil:
	case !c.caller.MayReadArtifacts(c.project, job):
		answer.Forbidden(c.w, "")
	case !job.Available(pipeline, c.s.opts.Now()):
		answer.NotFound(c.w, missing)
	default:
		return job
	}
	return nil
}

// refFile is GET /projects/:id/jobs/artifacts/:ref_name/raw/*artifact_path.
func (c *call) refFile(project string) {
	job := c.byRef(project, true)
	switch {
	case job == nil:
	case !c.caller.MayReadArtifacts(c.project, job):
		answer.Forbidden(c.w, "")
	case !job.HasArchive():
		answer.NotFound(c.w, "")
	default:
		c.file(job, c.rest[1])
	}
}

// file is Workhorse's artifacts-entry (workhorse/internal/artifacts/entry.go): it looks
// for the exact name, doesn't support ranges, and answers errors as plain text. Before
// that, lib/gitlab/ci/build/artifacts/path.rb refuses invalid paths.
func (c *call) file(job *Job, name string) {
	if strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		answer.BadRequest(c.w, "")
		return
	}
	o, err := c.s.open(job)
	if err != nil {
		answer.Text(c.w, http.StatusNotFound, "404 page not found\n")
		return
	}
	c.w.Stream = func(w http.ResponseWriter) {
		defer func() { _ = o.Close() }()
		o.ServeEntry(w, name)
	}
}

// tree is GET /projects/:id/jobs/:job_id/artifacts/tree, since 18.8. It lists the
// metadata that Workhorse stored at the upload.
func (c *call) tree(project string) {
	job := c.available(project, "Artifacts")
	if job == nil {
		return
	}
	o, err := c.s.open(job)
	if err != nil {
		answer.NotFound(c.w, "Artifacts metadata")
		return
	}
	defer func() { _ = o.Close() }()
	entries, err := o.Metadata()
	if err != nil {
		answer.NotFound(c.w, "Artifacts metadata")
		return
	}
	query := c.r.URL.Query()
	dir := strings.TrimSuffix(query.Get("path"), "/")
	if _, isDir := entries[dir+"/"]; dir != "" && !isDir {
		answer.NotFound(c.w, "Path")
		return
	}
	c.unshifted = true
	paged(c, storage.Below(entries, dir, query.Get("recursive") == "true"), true)
}
