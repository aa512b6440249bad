package gitlabtest

import (
	"io"
	"net/http"
	"strconv"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/access"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/entity"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// authenticated is lib/api/helpers.rb's authenticate!: an anonymous request gets 401
// before anything else is checked.
func (c *call) authenticated(permission string) bool {
	caller, ok := c.s.identify(c.w, c.r, permission != "")
	if ok && caller.Token == nil {
		answer.Unauthorized(c.w)
		ok = false
	}
	c.caller = caller
	return ok
}

// enterBuilds is enter for pipelines, jobs and artifacts, which the caller must be
// allowed to read.
func (c *call) enterBuilds(project, permission string) bool {
	if !c.enter(project, permission) {
		return false
	}
	if !c.caller.MayReadBuilds(c.project) {
		answer.Forbidden(c.w, "")
		return false
	}
	return true
}

// act starts a route of lib/api/ci/jobs.rb: it authenticates before it validates
// parameters.
func (c *call) act(project, id, permission string) bool {
	if !c.authenticated(permission) {
		return false
	}
	if !c.number(id) {
		answer.Invalid(c.w, "job_id is invalid")
		return false
	}
	return c.enterBuilds(project, permission)
}

// showJob is GET /projects/:id/jobs/:job_id.
func (c *call) showJob(project, id string) {
	if job, pipeline := c.enterJob(project, id); job != nil {
		c.s.world.Look(job, pipeline)
		answer.Respond(c.w, http.StatusOK, c.entities().Job(job, pipeline))
	}
}

// trace is GET /projects/:id/jobs/:job_id/trace: the whole log so far, without ranges.
func (c *call) trace(project, id string) {
	job, pipeline := c.enterJob(project, id)
	if job == nil {
		return
	}
	if job.DebugTrace && !c.caller.AtLeast(c.project, "developer") { // app/policies/ci/build_policy.rb
		answer.Forbidden(c.w, "")
		return
	}
	c.s.world.Look(job, pipeline)
	h := c.w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Disposition", `infile; filename="`+strconv.FormatInt(job.ID, 10)+`.log"`)
	_, _ = c.w.Write([]byte(job.ReadLog()))
}

// enterJob finds a job for a read route of lib/api/ci/jobs.rb. If it can't, it writes the
// answer and returns nil.
func (c *call) enterJob(project, id string) (*Job, *Pipeline) {
	if !c.act(project, id, c.s.tokenPermission(access.ReadJobs, feature.TokenJob)) {
		return nil, nil
	}
	return c.findJob()
}

// findJob is find_build! of lib/api/helpers.rb: it doesn't find trigger jobs.
func (c *call) findJob() (*Job, *Pipeline) {
	job, pipeline := c.project.Job(c.id)
	if job == nil {
		answer.RecordNotFound(c.w)
	}
	return job, pipeline
}

// currentJob is GET /job, only for job tokens. Fine-grained permissions don't affect it.
func (c *call) currentJob() {
	caller, ok := c.s.identify(c.w, c.r, true)
	switch {
	case !ok:
	case caller.Token == nil:
		answer.Unauthorized(c.w)
	case !caller.ByJobToken:
		answer.NotFound(c.w, "Job")
	default:
		if c.project, _ = c.s.world.Project(strconv.FormatInt(caller.Token.Project, 10)); c.project != nil {
			if job, pipeline := c.project.Job(caller.Token.Job); job != nil {
				answer.Respond(c.w, http.StatusOK, c.entities().Job(job, pipeline))
				return
			}
		}
		answer.NotFound(c.w, "Job")
	}
}

// entities makes the JSON of the project's entities.
func (c *call) entities() entity.Instance {
	return entity.Instance{
		World: c.s.world, Project: c.project, Web: c.webURL(), Now: c.s.opts.Now(), Size: c.s.size,
		JobSource: c.s.has(feature.JobSource), PipelineMR: c.s.has(feature.PipelineMR),
	}
}

func (c *call) webURL() string { return origin(c.r) + c.s.opts.RelativeRoot }
func (s *Server) size(j *world.Job) int64 {
	o, err := s.open(j)
	if err != nil {
		return 0
	}
	defer func() { _ = o.Close() }()
	size, _ := o.Seek(0, io.SeekEnd)
	return size
}
