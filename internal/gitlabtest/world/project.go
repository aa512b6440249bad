package world

import "slices"

// Visibilities of a project.
const (
	Private  = "private"
	Internal = "internal"
	Public   = "public"
)

// Project is a project with its pipelines.
type Project struct {
	ID            int64
	Path          string // full path, such as "group/sub/lib"
	OldPaths      []string
	Visibility    string
	DefaultBranch string // empty if the repository is empty
	// PrivateJobs turns off "Project-based pipeline visibility": pipelines, jobs and
	// artifacts are only for members with at least the Reporter role.
	// https://docs.gitlab.com/ci/pipelines/settings/#change-which-users-can-view-your-pipelines
	PrivateJobs bool
	// Heads are the commits that refs point at. A missing ref points at the commit of its
	// newest pipeline; one with an empty commit is deleted.
	Heads         map[string]string
	Commits       []*Commit // commits with parents, or which are gone
	MergeRequests []*MergeRequest
	// JobTokenAllowlist lists the projects whose job tokens have access. Its own always
	// have. https://docs.gitlab.com/ci/jobs/ci_job_token/
	JobTokenAllowlist []int64
	// JobTokenPolicies are the permissions of a listed project's job tokens, such as
	// "read_jobs" and "read_pipelines". Projects without an entry have all of them.
	// https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
	JobTokenPolicies map[int64][]string
	StatsRefresh     bool // artifacts can't be removed now
	Pipelines        []*Pipeline
}

// Lets reports whether a job token belongs to the project or its allowlist.
func (p *Project) Lets(t *Token) bool {
	return t.Project == p.ID || slices.Contains(p.JobTokenAllowlist, t.Project)
}

// Each visits every pipeline of the project, including child pipelines, with its parent.
func (p *Project) Each(visit func(pipeline, parent *Pipeline)) {
	var walk func(pipeline, parent *Pipeline)
	walk = func(pipeline, parent *Pipeline) {
		visit(pipeline, parent)
		for _, b := range pipeline.Bridges {
			if b.Child != nil {
				walk(b.Child, pipeline)
			}
		}
	}
	for _, pipeline := range p.Pipelines {
		walk(pipeline, nil)
	}
}

// Pipeline finds a pipeline, including child pipelines.
func (p *Project) Pipeline(id int64) *Pipeline {
	var found *Pipeline
	p.Each(func(pipeline, _ *Pipeline) {
		if pipeline.ID == id {
			found = pipeline
		}
	})
	return found
}

// Job finds a job, but not a trigger job.
func (p *Project) Job(id int64) (*Job, *Pipeline) {
	var job *Job
	var of *Pipeline
	p.Each(func(pipeline, _ *Pipeline) {
		for _, j := range pipeline.Jobs {
			if j.ID == id {
				job, of = j, pipeline
			}
		}
	})
	return job, of
}

// Bridge finds a trigger job.
func (p *Project) Bridge(id int64) (*Bridge, *Pipeline) {
	var bridge *Bridge
	var of *Pipeline
	p.Each(func(pipeline, _ *Pipeline) {
		for _, b := range pipeline.Bridges {
			if b.ID == id {
				bridge, of = b, pipeline
			}
		}
	})
	return bridge, of
}
