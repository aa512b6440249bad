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
	if !c.enterArtifacts(project, readJobs) {
		return nil
	}
	job, pipeline := c.findJob()
	switch {
	case job == nil:
	case !c.caller.mayReadArtifacts(c.project, job):
		forbidden(c.w, "")
	case !job.Available(pipeline, c.s.opts.Now()):
		notFound(c.w, missing)
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
	case !c.caller.mayReadArtifacts(c.project, job):
		forbidden(c.w, "")
	case !job.HasArchive():
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
		badRequest(c.w, "")
		return
	}
	o, err := c.s.open(job)
	if err != nil {
		text(c.w, http.StatusNotFound, "404 page not found\n")
		return
	}
	c.w.stream = func(w http.ResponseWriter) {
		defer func() { _ = o.Close() }()
		sendFile(w, o, name)
	}
}

func sendFile(w http.ResponseWriter, o *object, name string) {
	size, _ := o.Seek(0, io.SeekEnd)
	archive, err := zip.NewReader(o, size)
	if err != nil {
		text(w, http.StatusInternalServerError, "Internal Server Error\n")
		return
	}
	for _, f := range archive.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			text(w, http.StatusInternalServerError, "Internal Server Error\n")
			return
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.FormatUint(f.UncompressedSize64, 10))
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", path.Base(name)))
		_, _ = io.Copy(w, r)
		return
	}
	text(w, http.StatusNotFound, "404 page not found\n")
}
