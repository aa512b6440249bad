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
	Path          string // full, such as "group/sub/lib"
	OldPaths      []string
	Visibility    string
	DefaultBranch string // empty if the repository is
	// PrivateJobs turns "Project-based pipeline visibility" off: pipelines, jobs
	// and artifacts are for members with the Reporter role or a higher one.
	// https://docs.gitlab.com/ci/pipelines/settings/#change-which-users-can-view-your-pipelines
	PrivateJobs bool
	// Heads are the commits that refs point at. A ref that is not here points at
	// the commit of its newest pipeline; one with an empty commit is gone.
	Heads         map[string]string
	Commits       []*Commit // whose parents matter, or which are gone
	MergeRequests []*MergeRequest
	// JobTokenAllowlist lists the projects whose job tokens may come in. Its own
	// always may. https://docs.gitlab.com/ci/jobs/ci_job_token/
	JobTokenAllowlist []int64
	// JobTokenPolicies is what the job tokens of a listed project may do, such as
	// "read_jobs" and "read_pipelines"; those of a project that isn't a key may do
	// everything. https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
	JobTokenPolicies map[int64][]string
	StatsRefresh     bool // artifacts cannot be removed at present
	Pipelines        []*Pipeline
}

// Lets reports whether a job token is the project's own or on its allowlist.
func (p *Project) Lets(t *Token) bool {
	return t.Project == p.ID || slices.Contains(p.JobTokenAllowlist, t.Project)
}

// Each visits every pipeline of the project, child pipelines included, with its
// parent.
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

// Pipeline finds a pipeline, child pipelines included.
func (p *Project) Pipeline(id int64) *Pipeline {
	var found *Pipeline
	p.Each(func(pipeline, _ *Pipeline) {
		if pipeline.ID == id {
			found = pipeline
		}
	})
	return found
}

// Job finds a job, but no trigger job.
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
