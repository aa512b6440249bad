package gitlabtest

import "time"

// World is what an instance holds. It is plain data; [ReadWorld] reads one.
type World struct {
	Projects []*Project
	Tokens   []*Token
}

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
	// Heads are the commits that refs point at. A ref that is not here points at
	// the commit of its newest pipeline; one with an empty commit is gone.
	Heads map[string]string
	// JobTokenAllowlist lists the projects whose job tokens may come in. Its own
	// always may. https://docs.gitlab.com/ci/jobs/ci_job_token/
	JobTokenAllowlist []int64
	// JobTokenPolicies is what the job tokens of a listed project may do, such as
	// "read_jobs" and "read_pipelines"; those of a project that is no key may do
	// everything. https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
	JobTokenPolicies map[int64][]string
	StatsRefresh     bool // artifacts cannot be removed at present
	Pipelines        []*Pipeline
}

// Pipeline is a pipeline. Children hang on the bridges that made them.
type Pipeline struct {
	ID        int64
	Ref       string
	Tag       bool // the ref is one
	SHA       string
	Status    string
	Source    string // "push" if empty
	Name      string
	User      string // who started it; "fixture" if empty
	CreatedAt time.Time
	UpdatedAt time.Time // an hour later if zero
	Locked    bool
	// Follows makes the status follow the jobs: once none is unfinished, it is
	// "failed" or "success". Retrying or playing a job sets it.
	Follows bool
	Jobs    []*Job
	Bridges []*Bridge
}

// Bridge is a trigger job.
type Bridge struct {
	ID                int64
	Name              string
	Stage             string // "deploy" if empty
	Status            string // "success" if empty
	AllowFailure      bool
	Retried           bool
	Child             *Pipeline // in the same project; nil before it is created
	DownstreamProject int64     // of a multi-project pipeline
	Downstream        *Pipeline // in that project, which lists it too
}

func (p *Pipeline) source() string { return firstOf(p.Source, "push") }

func (p *Pipeline) user() string { return firstOf(p.User, fixtureUser) }

func (p *Pipeline) updatedAt() time.Time {
	if p.UpdatedAt.IsZero() {
		return p.CreatedAt.Add(time.Hour)
	}
	return p.UpdatedAt
}

func (b *Bridge) status() string { return firstOf(b.Status, "success") }

// Kinds of token.
const (
	KindJob     = "job"
	KindPrivate = "private"
	KindBearer  = "bearer"
)

// fixtureUser is whose pipelines, jobs and tokens are if nothing else is said.
const fixtureUser = "fixture"

// Token is a credential.
type Token struct {
	Value   string
	Kind    string
	Project int64            // of a job token: the project its job belongs to
	Job     int64            // and the job
	User    string           // of other tokens: "fixture" if empty
	Roles   map[int64]string // of other tokens: project → "guest", "reporter", "developer", "maintainer", "owner"
	Dead    bool             // its job has ended, or it has expired
	Scopes  []string         // of other tokens; empty means "api"
	Blocked bool             // its user is
	// Permissions make it a fine-grained token, which may do these alone, such as
	// "Job Artifact: Read". https://docs.gitlab.com/auth/tokens/fine_grained_access_tokens/
	Permissions []string
}

func (w *World) token(value string) *Token {
	for _, t := range w.Tokens {
		if t.Value == value {
			return t
		}
	}
	return nil
}

// each visits every pipeline of the project, children included, with its parent.
func (p *Project) each(visit func(pipeline, parent *Pipeline)) {
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

func (p *Project) pipeline(id int64) *Pipeline {
	var found *Pipeline
	p.each(func(pipeline, _ *Pipeline) {
		if pipeline.ID == id {
			found = pipeline
		}
	})
	return found
}

// job finds a job, but no trigger job.
func (p *Project) job(id int64) (*Job, *Pipeline) {
	var job *Job
	var of *Pipeline
	p.each(func(pipeline, _ *Pipeline) {
		for _, j := range pipeline.Jobs {
			if j.ID == id {
				job, of = j, pipeline
			}
		}
	})
	return job, of
}

func (p *Project) bridge(id int64) (*Bridge, *Pipeline) {
	var bridge *Bridge
	var of *Pipeline
	p.each(func(pipeline, _ *Pipeline) {
		for _, b := range pipeline.Bridges {
			if b.ID == id {
				bridge, of = b, pipeline
			}
		}
	})
	return bridge, of
}

// nextJobID is above every id of a job or trigger job: they are counted together.
func (w *World) nextJobID() int64 {
	var highest int64
	for _, p := range w.Projects {
		p.each(func(pipeline, _ *Pipeline) {
			for _, j := range pipeline.Jobs {
				highest = max(highest, j.ID)
			}
			for _, b := range pipeline.Bridges {
				highest = max(highest, b.ID)
			}
		})
	}
	return highest + 1
}
