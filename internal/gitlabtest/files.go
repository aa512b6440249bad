package gitlabtest

import (
	"archive/zip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jobFile is GET /projects/:id/jobs/:job_id/artifacts/*artifact_path.
func (c *call) jobFile(project string) {
	if job := c.available(project, ""); job != nil {
		c.file(job, c.rest[0])
	}
}

// available finds a job whose archive can be looked into. Unlike the archive as a
// whole, that is possible only until it expires, unless its pipeline is locked.
// missing names what is not there then. A nil job means that the answer was given.
func (c *call) available(project, missing string) *Job {
	if !c.enterArtifacts(project) {
		return nil
	}
	job, pipeline := c.project.job(c.id)
	if job == nil {
		recordNotFound(c.w)
		return nil
	}
	expired := job.ExpireAt != nil && job.ExpireAt.Before(c.s.opts.Now()) && !pipeline.Locked
	switch {
	case !mayReadArchive(c.caller, c.project, job):
		forbidden(c.w, "")
	case !job.hasArchive() || expired:
		notFound(c.w, missing)
	default:
		return job
	}
	return nil
}

// refFile is GET /projects/:id/jobs/artifacts/:ref_name/raw/*artifact_path.
func (c *call) refFile(project string) {
	job := c.byRef(project)
	switch {
	case job == nil:
	case !mayReadArchive(c.caller, c.project, job):
		forbidden(c.w, "")
	case !job.hasArchive():
		notFound(c.w, "")
	default:
		c.file(job, c.rest[1])
	}
}

// file is Workhorse's artifacts-entry (workhorse/internal/artifacts/entry.go):
// the name is looked up literally, there are no ranges, and errors are plain
// text. Before it, lib/gitlab/ci/build/artifacts/path.rb refuses a path that is
// none.
func (c *call) file(job *Job, name string) {
	if strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		message(c.w, http.StatusBadRequest, "400 Bad request")
		return
	}
	content, closer, err := c.s.open(job)
	if err != nil {
		text(c.w, http.StatusNotFound, "404 page not found\n")
		return
	}
	defer func() { _ = closer.Close() }()
	size, _ := content.Seek(0, io.SeekEnd)
	archive, err := zip.NewReader(content.(io.ReaderAt), size)
	if err != nil {
		text(c.w, http.StatusInternalServerError, "Internal Server Error\n")
		return
	}
	for _, f := range archive.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			text(c.w, http.StatusInternalServerError, "Internal Server Error\n")
			return
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		c.w.Header().Set("Content-Type", kind)
		c.w.Header().Set("Content-Length", strconv.FormatUint(f.UncompressedSize64, 10))
		c.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(name)))
		_, _ = io.Copy(c.w, r)
		return
	}
	text(c.w, http.StatusNotFound, "404 page not found\n")
}
