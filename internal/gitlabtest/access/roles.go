// Package access decides what callers may do: which role they have in a project, which
// project they may see, and which permission a route needs.
package access

import (
	"cmp"
	"slices"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// ranks are the roles of members, lowest first.
// https://docs.gitlab.com/user/permissions/
var ranks = []string{"guest", "reporter", "developer", "maintainer", "owner"}

// Caller sends a request. The zero value is anonymous.
type Caller struct {
	Token      *world.Token
	ByJobToken bool // the request authenticated as a job, not as a user
}

// role returns the caller's role in the project. A job token that the project allows
// acts as a developer. In other projects it can only read what is public.
func (c Caller) role(p *world.Project) string {
	switch {
	case c.ByJobToken && p.Lets(c.Token):
		return "developer"
	case c.Token != nil:
		return c.Token.Roles[p.ID]
	}
	return ""
}

// AtLeast reports whether the caller has that role or a higher one.
func (c Caller) AtLeast(p *world.Project, role string) bool {
	return slices.Index(ranks, c.role(p)) >= slices.Index(ranks, role)
}

// User is the caller's username; empty if anonymous.
func (c Caller) User() string {
	if c.Token == nil {
		return ""
	}
	return cmp.Or(c.Token.User, world.FixtureUser)
}

// MayErase is erase_build: for maintainers, and for developers if it's their own job
// (app/policies/ci/build_policy.rb).
func (c Caller) MayErase(p *world.Project, j *world.Job, of *world.Pipeline) bool {
	return c.AtLeast(p, "maintainer") || c.AtLeast(p, "developer") && c.User() == cmp.Or(j.User, of.Starter())
}

// MayReadBuilds is read_build and read_pipeline (app/policies/project_policy.rb):
// everyone who can see the project can read its pipelines and jobs, unless they are
// for members only.
func (c Caller) MayReadBuilds(p *world.Project) bool {
	return !p.PrivateJobs || c.AtLeast(p, "reporter")
}

// MayReadCode is read_code: guests can't read the code of a private project.
func (c Caller) MayReadCode(p *world.Project) bool {
	return p.Visibility != world.Private || c.AtLeast(p, "reporter")
}

// MayRead is read_job_artifacts for a level of artifacts:access
// (app/policies/ci/build_policy.rb, app/policies/ci/job_artifact_policy.rb).
func (c Caller) MayRead(p *world.Project, access string) bool {
	switch access {
	case "none":
		return false
	case "maintainer", "developer":
		return c.AtLeast(p, access)
	}
	return true
}

// MayReadArtifacts is the check for the whole job. It depends on the archive's access
// level, and a job without an archive is open to everyone
// (Ci::Build#artifacts_public?).
func (c Caller) MayReadArtifacts(p *world.Project, j *world.Job) bool {
	return !j.HasArchive() || c.MayRead(p, j.Access)
}

// Fine-grained permissions of job tokens.
// https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
const (
	ReadJobs          = "read_jobs"
	ReadPipelines     = "read_pipelines"
	ReadRepository    = "read_repositories"
	ReadMergeRequests = "read_merge_requests"
	AnyPermission     = "any" // every job token may use the route
)

// JobMaySee reports whether a job token may see the project: by its allowlist, which
// protects only private projects.
func JobMaySee(t *world.Token, p *world.Project) bool {
	return p.Visibility != world.Private || p.Lets(t)
}

// MaySee reports whether a user's token, or nil for none, may see the project.
func MaySee(t *world.Token, p *world.Project) bool {
	switch p.Visibility {
	case world.Public:
		return true
	case world.Internal:
		return t != nil
	}
	return t != nil && t.Roles[p.ID] != ""
}
