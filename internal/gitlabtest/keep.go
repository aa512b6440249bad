package gitlabtest

import (
	"fmt"
	"net/http"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
)

// The routes of lib/api/ci/job_artifacts.rb that change something.

// keep is POST …/artifacts/keep: the archive won't expire. If it doesn't exist or has
// expired, the message contains the job in Ruby's notation.
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

// deleteArtifacts is DELETE …/artifacts. It deletes the archive and the reports, and
// keeps the log.
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

// deleteAllArtifacts is DELETE /projects/:id/artifacts. It sets artifacts to expired,
// unless they are locked or belong to the latest successful pipeline of a ref. Purging
// comes later: [World.Purge].
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

// refreshing writes an answer and returns true while nothing may be deleted
// (lib/api/helpers/project_stats_refresh_conflicts_helpers.rb).
func (c *call) refreshing() bool {
	if c.project.StatsRefresh {
		answer.Message(c.w, http.StatusConflict, "Action temporarily disabled. The project this pipeline belongs to is undergoing stats refresh.")
	}
	return c.project.StatsRefresh
}
