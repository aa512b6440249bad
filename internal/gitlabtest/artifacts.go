package gitlabtest

import (
	"net/http"
	"net/url"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// enterArtifacts is enterBuilds for the artifacts API, which asks for a licence
// where a job token comes: without it, no project is found.
// https://gitlab.com/gitlab-org/gitlab/-/issues/347244
func (c *call) enterArtifacts(project, permission string) bool {
	if !c.enterBuilds(project, permission) {
		return false
	}
	if c.s.opts.Unlicensed && c.caller.job {
		notFound(c.w, "Project")
		return false
	}
	return true
}

// jobArchive is GET /projects/:id/jobs/:job_id/artifacts. It looks neither at
// the job's status nor at its expiry. Newer versions serve reports on it, too.
func (c *call) jobArchive(project string) {
	query := c.r.URL.Query()
	kind, ok := c.fileType(query) // validated before anything else
	if !ok || c.s.has(featDownloadMode) && !validMode(c.w, query) || !c.enterArtifacts(project, readJobs) {
		return
	}
	job, pipeline := c.findJob()
	if job == nil {
		return
	}
	c.s.world.Look(job, pipeline)
	file := stored{job: job}
	if kind != "archive" {
		file.report, file.missing = job.Report(kind), true
	}
	c.artifact(file, c.delivery(featDownloadMode, c.s.opts.delivery()))
}

// fileType reads file_type: gitlab!252518. Older versions ignore it.
func (c *call) fileType(query url.Values) (string, bool) {
	kind := query.Get("file_type")
	if !c.s.has(featFileType) || !query.Has("file_type") {
		return "archive", true
	}
	if !world.DownloadableType(kind) {
		invalid(c.w, "file_type does not have a valid value")
		return "", false
	}
	return kind, true
}

// refArchive is GET /projects/:id/jobs/artifacts/:ref_name/download.
func (c *call) refArchive(project string) {
	if c.s.has(featRefDownloadMode) && !validMode(c.w, c.r.URL.Query()) {
		return
	}
	job := c.byRef(project, false)
	if job == nil {
		return
	}
	if !job.HasArchive() && !c.s.has(featMissingArchive) && c.caller.mayReadArtifacts(c.project, job) {
		// Older versions met a nil file here.
		message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	c.artifact(stored{job: job}, c.delivery(featRefDownloadMode, c.s.opts.delivery()))
}

// byRef finds the job that a ref and a name mean. Of a public project, a single
// file is for every job token, whatever its permissions.
func (c *call) byRef(project string, file bool) *Job {
	query := c.r.URL.Query()
	if !query.Has("job") { // validated before anything else
		invalid(c.w, "job is missing")
		return nil
	}
	recent, ok := false, true
	if c.s.has(featRecent) {
		recent, ok = boolean(c.w, query, "search_recent_successful_pipelines")
	}
	permission := readJobs
	if p, _ := c.s.world.Project(project); file && p != nil && p.Visibility == Public {
		permission = anyPermission
	}
	if !ok || !c.enterArtifacts(project, permission) {
		return nil
	}
	if recent {
		job := c.project.RecentJob(c.rest[0], query.Get("job"))
		if job == nil {
			notFound(c.w, "Job")
		}
		return job
	}
	c.project.Each(func(pipeline, _ *Pipeline) {
		for _, j := range pipeline.Jobs {
			if j.Name == query.Get("job") {
				c.s.world.Look(j, pipeline)
			}
		}
	})
	job := c.project.LatestJob(c.rest[0], query.Get("job"))
	if job == nil {
		recordNotFound(c.w)
	}
	return job
}

// runnerArchive is GET /jobs/:id/artifacts (lib/api/ci/runner.rb, with
// authenticate_job_via_dependent_job! of lib/api/ci/helpers/runner.rb): for live
// job tokens only, without a look at the licence. Bytes are proxied unless
// direct_download, or download_mode=direct, asks for them directly.
func (c *call) runnerArchive(id string) {
	query := c.r.URL.Query()
	if !c.number(id) {
		invalid(c.w, "id is invalid")
		return
	}
	direct, ok := boolean(c.w, query, "direct_download")
	if !ok || c.s.has(featDownloadMode) && !validMode(c.w, query) || c.limited(limitRunner) {
		return
	}
	caller, ok := c.s.identify(c.w, c.r, true)
	if !ok {
		return
	}
	if caller.token == nil {
		unauthorized(c.w)
		return
	}
	job, pipeline, project := c.s.world.Job(c.id)
	if job == nil || !caller.job || !jobMaySee(caller.token, project) || !caller.mayReadBuilds(project) {
		forbidden(c.w, "")
		return
	}
	c.project, c.caller = project, caller
	if !c.permitted(readJobs) {
		return
	}
	c.s.world.Look(job, pipeline)
	without := modeProxied
	if direct {
		without = c.s.opts.delivery()
	}
	file := stored{job: job, open: !c.s.has(featRunnerAccess)}
	c.artifact(file, c.delivery(featDownloadMode, without))
}

// artifact serves an archive or a report. The job as a whole is checked first,
// then the file; one that is not there cannot be checked.
func (c *call) artifact(file stored, mode string) {
	switch {
	case mode == "":
		message(c.w, c.s.opts.RefusedMode, "download_mode is not allowed") // (U)
	case !file.open && !c.caller.mayReadArtifacts(c.project, file.job), !file.open && file.exists() && !c.caller.mayRead(c.project, file.access()):
		forbidden(c.w, "")
	case !file.exists():
		notFound(c.w, "")
	default:
		c.send(file, mode)
	}
}
