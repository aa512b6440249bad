package gitlabtest

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// ranks of members, lowest first.
// https://docs.gitlab.com/user/permissions/
var ranks = []string{"guest", "reporter", "developer", "maintainer", "owner"}

// role is what the caller is in the project. A job's user is taken for a
// developer where the job token is let in; elsewhere it reads what anybody may.
func (c caller) role(p *Project) string {
	switch {
	case c.job && p.Lets(c.token):
		return "developer"
	case c.token != nil:
		return c.token.Roles[p.ID]
	}
	return ""
}

// atLeast reports whether the caller has that role or a higher one.
func (c caller) atLeast(p *Project, role string) bool {
	return slices.Index(ranks, c.role(p)) >= slices.Index(ranks, role)
}

func (c caller) user() string {
	if c.token == nil {
		return ""
	}
	return cmp.Or(c.token.User, world.FixtureUser)
}

// mayErase is erase_build: maintainers, and developers for jobs of their own
// (app/policies/ci/build_policy.rb).
func (c caller) mayErase(p *Project, j *Job, of *Pipeline) bool {
	return c.atLeast(p, "maintainer") || c.atLeast(p, "developer") && c.user() == cmp.Or(j.User, of.Starter())
}

// mayReadBuilds is read_build and read_pipeline (app/policies/project_policy.rb):
// of who may see the project, everybody may read its pipelines and jobs, unless
// they are for members.
func (c caller) mayReadBuilds(p *Project) bool { return !p.PrivateJobs || c.atLeast(p, "reporter") }

// mayReadCode is read_code: of a private project, guests may not.
func (c caller) mayReadCode(p *Project) bool {
	return p.Visibility != Private || c.atLeast(p, "reporter")
}

// mayRead is read_job_artifacts for a level of artifacts:access
// (app/policies/ci/build_policy.rb, app/policies/ci/job_artifact_policy.rb).
func (c caller) mayRead(p *Project, access string) bool {
	switch access {
	case "none":
		return false
	case "maintainer", "developer":
		return c.atLeast(p, access)
	}
	return true
}

// mayReadArtifacts is the check of a job as a whole: it goes by the archive, and
// allows everyone if there is none (Ci::Build#artifacts_public?).
func (c caller) mayReadArtifacts(p *Project, j *Job) bool {
	return !j.HasArchive() || c.mayRead(p, j.Access)
}

// Fine-grained permissions of job tokens.
// https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
const (
	readJobs          = "read_jobs"
	readPipelines     = "read_pipelines"
	readRepository    = "read_repositories"
	readMergeRequests = "read_merge_requests"
	anyPermission     = "any" // a route for every job token
)

// flagged is the permission that a route asks of job tokens, or nothing where the
// instance does not take job tokens on it.
func (s *Server) flagged(permission string, f feature) string {
	if !s.has(f) {
		return ""
	}
	return permission
}

// permitted checks a permission as lib/api/helpers.rb does, and answers itself
// if a job token of another project lacks it. Older versions had none.
func (c *call) permitted(permission string) bool {
	if !c.caller.job || permission == "" || permission == anyPermission || c.caller.token.Project == c.project.ID || !c.s.has(featPolicies) {
		return true
	}
	policies, restricted := c.project.JobTokenPolicies[c.caller.token.Project]
	if !restricted || slices.Contains(policies, permission) {
		return true
	}
	forbidden(c.w, fmt.Sprintf("Insufficient permissions to access this resource in project %s. "+
		"The following token permission is required: %s.", path.Base(c.project.Path), permission))
	return false
}
