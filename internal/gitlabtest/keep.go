package gitlabtest

import (
	"fmt"
	"net/http"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
)

// The routes of lib/api/ci/job_artifacts.rb that change something.

// keep is POST …/artifacts/keep: the archive does not expire any more. Where
// there is none, or it has expired, the message shows the job as Ruby does.
func (c *call) keep(project, id string) {
	if !c.act(project, id, "") || !c.needs("developer") {
		return
	}
	job, pipeline := c.findJob()
	switch {
	case job == nil:
	case !job.HasArchive() || job.Expired(c.s.opts.Now()):
		answer.Message(c.w, http.StatusNotFound, fmt.Sprintf("404 #<Ci::Build:0x00007f0bd8a1c0a8 id: %d> Not Found", job.ID))
	default:
		job.ExpireAt = nil
		answer.Respond(c.w, http.StatusOK, c.entities().Job(job, pipeline))
	}
}

// deleteArtifacts is DELETE …/artifacts: the archive and the reports go, the log
// stays.
func (c *call) deleteArtifacts(project, id string) {
	if !c.act(project, id, "") || !c.needs("maintainer") {
		return
	}
	job, _ := c.findJob()
	if job == nil || c.refreshing() {
		return
	}
	job.RemoveFiles()
	c.w.WriteHeader(http.StatusNoContent)
}

// deleteAllArtifacts is DELETE /projects/:id/artifacts. It lets expire what may
// go: not what is locked, nor what the newest successful pipeline of each ref
// has. Purging comes later: [World.Purge].
// https://docs.gitlab.com/api/job_artifacts/#delete-project-artifacts
func (c *call) deleteAllArtifacts(project string) {
	if !c.authenticated("") || !c.enter(project, "") || !c.needs("maintainer") || c.refreshing() {
		return
	}
	now := c.s.opts.Now()
	newest := map[string]int64{}
	for _, p := range c.project.Pipelines {
		if p.Status == "success" {
			newest[p.Ref] = max(newest[p.Ref], p.ID)
		}
	}
	c.project.Each(func(p, _ *Pipeline) {
		for _, j := range p.Jobs {
			if !p.Locked && p.ID != newest[p.Ref] && j.HasArchive() {
				j.ExpireAt = &now
			}
		}
	})
	answer.Message(c.w, http.StatusAccepted, "202 Accepted")
}

// refreshing answers, and returns true, while nothing may be removed
// (lib/api/helpers/project_stats_refresh_conflicts_helpers.rb).
func (c *call) refreshing() bool {
	if c.project.StatsRefresh {
		answer.Message(c.w, http.StatusConflict, "Action temporarily disabled. The project this pipeline belongs to is undergoing stats refresh.")
	}
	return c.project.StatsRefresh
}
