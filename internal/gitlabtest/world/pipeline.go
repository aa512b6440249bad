package world

import (
	"cmp"
	"slices"
	"time"
)

// Pipeline is a pipeline. Child pipelines hang on the bridges that made them.
type Pipeline struct {
	ID        int64
	Ref       string
	Tag       bool // the ref is one
	SHA       string
	Status    string
	Source    string // "push" if empty
	Schedule  string // the description of the schedule that started it
	Name      string
	User      string // who started it; "fixture" if empty
	CreatedAt time.Time
	UpdatedAt time.Time // an hour later if zero
	Locked    bool
	// Follows makes the status follow the jobs: once none can go on, it is
	// "failed", "manual" or "success". Retrying or playing a job sets it.
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
	CreatedAt         time.Time // with the pipeline if zero
	Child             *Pipeline // in the same project; nil before it is created
	DownstreamProject int64     // of a multi-project pipeline
	Downstream        *Pipeline // in that project, which lists it too
}

// SourceName is the Source, or its default.
func (p *Pipeline) SourceName() string { return cmp.Or(p.Source, "push") }

// Starter is the User, or its default.
func (p *Pipeline) Starter() string { return cmp.Or(p.User, FixtureUser) }

// Updated is UpdatedAt, or its default.
func (p *Pipeline) Updated() time.Time {
	if p.UpdatedAt.IsZero() {
		return p.CreatedAt.Add(time.Hour)
	}
	return p.UpdatedAt
}

// State is the Status, or its default.
func (b *Bridge) State() string { return cmp.Or(b.Status, "success") }

// AsJob is what a trigger job has in common with a job.
func (b *Bridge) AsJob() *Job {
	return &Job{
		ID: b.ID, Name: b.Name, Stage: cmp.Or(b.Stage, "deploy"), Status: b.State(),
		AllowFailure: b.AllowFailure, Retried: b.Retried, CreatedAt: b.CreatedAt,
	}
}

// Upstream is what started a child pipeline or a multi-project pipeline.
type Upstream struct {
	Project  *Project
	Pipeline *Pipeline
	Bridge   *Bridge
}

// Upstream finds the trigger job that created a pipeline. A pipeline that no
// trigger job created has none.
func (w *World) Upstream(of *Pipeline) (Upstream, bool) {
	var found Upstream
	for _, project := range w.Projects {
		project.Each(func(pipeline, _ *Pipeline) {
			for _, b := range pipeline.Bridges {
				if of != nil && (b.Child == of || b.Downstream == of) {
					found = Upstream{project, pipeline, b}
				}
			}
		})
	}
	return found, found.Bridge != nil
}

// Reopen is what follows from a job that has begun again.
func (p *Pipeline) Reopen() { p.Status, p.Follows = "running", true }

// settle gives a pipeline that follows its jobs the status that they add up to,
// once none of them can go on without help: lib/gitlab/ci/status/composite.rb.
// A manual job that may fail is optional and holds nothing up; any other blocks
// the pipeline, which is then "manual", with the jobs behind it "created".
func (p *Pipeline) settle() {
	states := map[string]bool{}
	for _, j := range p.Jobs {
		state := j.State()
		switch {
		case j.Retried, j.AllowFailure && slices.Contains([]string{"manual", "failed", "canceled"}, state):
			// It counts for nothing.
		case j.Finished(), state == "manual", state == "created":
			states[state] = true
		default:
			return // at work, or about to be
		}
	}
	switch {
	case states["manual"]:
		p.Status = "manual"
	case states["created"]: // still on its way
	case states["failed"]:
		p.Status = "failed"
	case states["canceled"]:
		p.Status = "canceled"
	default:
		p.Status = "success"
	}
}
