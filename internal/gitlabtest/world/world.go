package world

import (
	"slices"
	"strconv"
	"strings"
)

// World is the content of an instance. [Read] reads one from JSON.
type World struct {
	Projects []*Project
	Tokens   []*Token
}

// Kinds of token.
const (
	KindJob     = "job"
	KindPrivate = "private"
	KindBearer  = "bearer"
)

// FixtureUser owns pipelines, jobs and tokens without a user.
const FixtureUser = "fixture"

// Token is a credential.
type Token struct {
	Value   string
	Kind    string
	Project int64            // of a job token: the project of its job
	Job     int64            // the ID of the job
	User    string           // of other tokens; empty means "fixture"
	Roles   map[int64]string // of other tokens: project → "guest", "reporter", "developer", "maintainer", "owner"
	Dead    bool             // its job has ended, or it has expired
	Scopes  []string         // of other tokens; empty means "api"
	Expires string           // of other tokens: a date, "2027-01-31"; empty means never
	Blocked bool             // its user is blocked
	// Permissions make it a fine-grained token with only these permissions, such as "Job
	// Artifact: Read". https://docs.gitlab.com/auth/tokens/fine_grained_access_tokens/
	Permissions []string
}

// Token finds a credential by its value.
func (w *World) Token(value string) *Token {
	for _, t := range w.Tokens {
		if t.Value == value {
			return t
		}
	}
	return nil
}

// Project finds a project by ID or full path. A project that has the path now comes
// before one that had it, for which moved is true.
func (w *World) Project(ref string) (p *Project, moved bool) {
	for _, p := range w.Projects {
		if ref == strconv.FormatInt(p.ID, 10) || strings.EqualFold(ref, p.Path) {
			return p, false
		}
	}
	for _, p := range w.Projects {
		if slices.ContainsFunc(p.OldPaths, func(old string) bool { return strings.EqualFold(ref, old) }) {
			return p, true
		}
	}
	return nil, false
}

// Job finds a job of any project.
func (w *World) Job(id int64) (*Job, *Pipeline, *Project) {
	for _, p := range w.Projects {
		if job, pipeline := p.Job(id); job != nil {
			return job, pipeline, p
		}
	}
	return nil, nil, nil
}

// NextJobID returns an ID above those of all jobs and trigger jobs: GitLab counts them
// together.
func (w *World) NextJobID() int64 {
	var highest int64
	for _, p := range w.Projects {
		p.Each(func(pipeline, _ *Pipeline) {
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
