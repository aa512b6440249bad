package gitlabtest

import (
	"net/http"
	"net/url"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/storage"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// enterArtifacts is enterBuilds for the artifacts API, which needs a license for job
// tokens: without it, the project isn't found.
// https://gitlab.com/gitlab-org/gitlab/-/issues/347244
func (c *call) enterArtifacts(project, permission string) bool {
	if !c.enterBuilds(project, permission) {
		return false
	}
	if c.s.opts.Unlicensed && c.caller.ByJobToken {
		answer.NotFound(c.w, "Project")
		return false
	}
	return true
}

// jobArchive is GET /projects/:id/jobs/:job_id/artifacts. It ignores the job's status and
// expiry. Newer versions also serve reports.
func (c *call) jobArchive(project string) {
	query := c.r.URL.Query()
	kind, ok := c.fileType(query) // validated first
	if !ok || c.s.has(feature.DownloadMode) && !validMode(c.w, query) || !c.enterArtifacts(project, access.ReadJobs) {
		return
	}
	job, pipeline := c.findJob()
	if job == nil {
		return
	}
	c.s.world.Look(job, pipeline)
	file := storage.File{Job: job}
	if kind != "archive" {
		file.Report, file.IsReport = job.Report(kind), true
	}
	c.artifact(file, c.delivery(feature.DownloadMode, c.s.opts.delivery()))
}

// fileType reads file_type: gitlab!252518. Older versions ignore it.
func (c *call) fileType(query url.Values) (string, bool) {
	kind := query.Get("file_type")
	if !c.s.has(feature.FileType) || !query.Has("file_type") {
		return "archive", true
	}
	if !world.DownloadableType(kind) {
		answer.Invalid(c.w, "file_type does not have a valid value")
		return "", false
	}
	return kind, true
}

// refArchive is GET /projects/:id/jobs/artifacts/:ref_name/download.
func (c *call) refArchive(project string) {
	if c.s.has(feature.RefDownloadMode) && !validMode(c.w, c.r.URL.Query()) {
		return
	}
	job := c.byRef(project, false)
	if job == nil {
		return
	}
	if !job.HasArchive() && !c.s.has(feature.MissingArchive) && c.caller.MayReadArtifacts(c.project, job) {
		// Older versions crash on a nil file.
		answer.Message(c.w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	c.artifact(storage.File{Job: job}, c.delivery(feature.RefDownloadMode, c.s.opts.delivery()))
}

// byRef finds the job with a name for a ref. Any job token may read a single file of a
// public project, whatever its permissions.
func (c *call) byRef(project string, file bool) *Job {
	query := c.r.URL.Query()
	if !query.Has("job") { // validated first
		answer.Invalid(c.w, "job is missing")
		return nil
	}
	recent, ok := false, true
	if c.s.has(feature.Recent) {
		recent, ok = answer.Boolean(c.w, query, "search_recent_successful_pipelines")
	}
	permission := access.ReadJobs
	if p, _ := c.s.world.Project(project); file && p != nil && p.Visibility == Public {
		permission = access.AnyPermission
	}
	if !ok || !c.enterArtifacts(project, permission) {
		return nil
	}
	if recent {
		job := c.project.RecentJob(c.rest[0], query.Get("job"))
		if job == nil {
			answer.NotFound(c.w, "Job")
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
		answer.RecordNotFound(c.w)
	}
	return job
}

// runnerArchive is GET /jobs/:id/artifacts (lib/api/ci/runner.rb, with
// authenticate_job_via_dependent_job! of lib/api/ci/helpers/runner.rb): only for job
// tokens of running jobs, with or without a license. It proxies the bytes unless
// direct_download or download_mode=direct is set.
func (c *call) runnerArchive(id string) {
	query := c.r.URL.Query()
	if !c.number(id) {
		answer.Invalid(c.w, "id is invalid")
		return
	}
	direct, ok := answer.Boolean(c.w, query, "direct_download")
	if !ok || c.s.has(feature.DownloadMode) && !validMode(c.w, query) || c.limited(limitRunner) {
		return
	}
	caller, ok := c.s.identify(c.w, c.r, true)
	if !ok {
		return
	}
	if caller.Token == nil {
		answer.Unauthorized(c.w)
		return
	}
	job, pipeline, project := c.s.world.Job(c.id)
	if job == nil || !caller.ByJobToken || !access.JobMaySee(caller.Token, project) || !caller.MayReadBuilds(project) {
		answer.Forbidden(c.w, "")
		return
	}
	c.project, c.caller = project, caller
	if !c.permitted(access.ReadJobs) {
		return
	}
	c.s.world.Look(job, pipeline)
	without := modeProxied
	if direct {
		without = c.s.opts.delivery()
	}
	file := storage.File{Job: job}
	mode := c.delivery(feature.DownloadMode, without)
	if c.s.has(feature.RunnerAccess) {
		c.artifact(file, mode)
		return
	}
	c.sendIfExists(file, mode)
}

// artifact serves an archive or a report if the caller may read it. It checks the job
// first, then the file, if it exists.
func (c *call) artifact(file storage.File, mode string) {
	readable := c.caller.MayReadArtifacts(c.project, file.Job) && (!file.Exists() || c.caller.MayRead(c.project, file.Access()))
	if mode != "" && !readable {
		answer.Forbidden(c.w, "")
		return
	}
	c.sendIfExists(file, mode)
}

// sendIfExists serves an archive or a report. An empty mode is refused.
func (c *call) sendIfExists(file storage.File, mode string) {
	switch {
	case mode == "":
		answer.Message(c.w, c.s.opts.RefusedMode, "download_mode is not allowed") // (U)
	case !file.Exists():
		answer.NotFound(c.w, "")
	default:
		c.send(file, mode)
	}
}
