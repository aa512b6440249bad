package gitlabtest

import (
	"fmt"
	"path"
	"slices"
)

// ranks of members, lowest first.
// https://docs.gitlab.com/user/permissions/
var ranks = []string{"guest", "reporter", "developer", "maintainer", "owner"}

// role is what the caller is in the project. A job's user is taken for a
// developer where the job token is let in; elsewhere it reads what anybody may.
func (c caller) role(p *Project) string {
	switch {
	case c.job && p.lets(c.token):
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
	return firstOf(c.token.User, fixtureUser)
}

// mayErase is erase_build: maintainers, and developers for jobs of their own
// (app/policies/ci/build_policy.rb).
func (c caller) mayErase(p *Project, j *Job, of *Pipeline) bool {
	return c.atLeast(p, "maintainer") || c.atLeast(p, "developer") && c.user() == firstOf(j.User, of.user())
}

// mayReadArchive follows artifacts:access (app/policies/ci/build_policy.rb).
func mayReadArchive(c caller, p *Project, j *Job) bool {
	switch j.Access {
	case "none":
		return false
	case "maintainer", "developer":
		return c.atLeast(p, j.Access)
	}
	return true
}

// Fine-grained permissions of job tokens.
// https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
const (
	readJobs      = "read_jobs"
	readPipelines = "read_pipelines"
	anyPermission = "any" // a route for every job token
)

// flagged is the permission that a route asks of job tokens. On older versions,
// and with an empty permission, it knows no job tokens at all.
func (s *Server) flagged(permission string, major, minor int) string {
	if !s.since(major, minor) {
		return ""
	}
	return permission
}

// permitted checks a permission as lib/api/helpers.rb does, and answers itself
// if a job token of another project lacks it. Before 18.0 there were none.
func (c *call) permitted(permission string) bool {
	if !c.caller.job || permission == "" || permission == anyPermission || c.caller.token.Project == c.project.ID || !c.s.since(18, 0) {
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
