package gitlabtest

import "time"

// World is what an instance holds. It is plain data.
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
	DefaultBranch string
	// JobTokenAllowlist lists the projects whose job tokens may come in. Its own
	// always may. https://docs.gitlab.com/ci/jobs/ci_job_token/
	JobTokenAllowlist []int64
	Pipelines         []*Pipeline
}

// Pipeline is a pipeline. Children hang on the bridges that made them.
type Pipeline struct {
	ID        int64
	Ref       string
	SHA       string
	Status    string
	Source    string // "push" if empty
	CreatedAt time.Time
	Locked    bool
	Jobs      []*Job
	Bridges   []*Bridge
}

// Bridge is a trigger job.
type Bridge struct {
	ID                int64
	Name              string
	Status            string
	Retried           bool
	Child             *Pipeline // in the same project; nil before it is created
	DownstreamProject int64     // of a multi-project pipeline
	Downstream        *Pipeline // in that project, which lists it too
}

// Job is a job. Without an Archive it has none.
type Job struct {
	ID           int64
	Name         string
	Stage        string
	Status       string // "success" if empty
	AllowFailure bool
	Retried      bool
	Archive      []byte
	ArchiveFile  string   // a file on disk, in place of Archive
	Reports      []string // file types, such as "junit"
	Access       string   // of the archive: "public" if empty, "developer", "maintainer", "none"
	ExpireAt     *time.Time
	Erased       bool
	Trace        string

	// FinishAfter is how many requests see the job unfinished, without its archive,
	// before it becomes FinishAs ("success" if empty).
	FinishAfter int
	FinishAs    string
}

// advance lets time pass for a job that a request looks at. The server's lock is
// held.
func (j *Job) advance() {
	if j.FinishAfter == 0 {
		return
	}
	if j.FinishAfter--; j.FinishAfter == 0 {
		j.Status = j.FinishAs
	}
}

func (j *Job) status() string {
	if j.Status == "" {
		return "success"
	}
	return j.Status
}

func (j *Job) hasArchive() bool {
	return j.FinishAfter == 0 && !j.Erased && (j.Archive != nil || j.ArchiveFile != "")
}

func (p *Pipeline) source() string {
	if p.Source == "" {
		return "push"
	}
	return p.Source
}

// Kinds of token.
const (
	KindJob     = "job"
	KindPrivate = "private"
	KindBearer  = "bearer"
)

// Token is a credential.
type Token struct {
	Value   string
	Kind    string
	Project int64            // of a job token: the project its job belongs to
	Job     int64            // and the job
	Roles   map[int64]string // of other tokens: project → "guest", "reporter", "developer", "maintainer"
	Dead    bool             // its job has ended, or it has expired
	Scopes  []string         // of other tokens; empty means "api"
	Blocked bool             // its user is
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
