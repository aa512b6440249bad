package world

import (
	"cmp"
	"slices"
	"time"
)

// Pipeline is a pipeline. Child pipelines belong to the bridges that created them.
type Pipeline struct {
	ID        int64
	Ref       string
	Tag       bool // the ref is a tag
	SHA       string
	Status    string
	Source    string // empty means "push"
	Schedule  string // the description of its schedule
	Name      string
	User      string // who started it; empty means "fixture"
	CreatedAt time.Time
	UpdatedAt time.Time // zero means an hour later
	Locked    bool
	// Follows makes the status follow the jobs: once no job can continue, it becomes
	// "failed", "manual" or "success". Retrying or playing a job sets it.
	Follows bool
	Jobs    []*Job
	Bridges []*Bridge
}

// Bridge is a trigger job.
type Bridge struct {
	ID                int64
	Name              string
	Stage             string // empty means "deploy"
	Status            string // empty means "success"
	AllowFailure      bool
	Retried           bool
	CreatedAt         time.Time // zero means with its pipeline
	Child             *Pipeline // in the same project; nil until it is created
	DownstreamProject int64     // of a multi-project pipeline
	Downstream        *Pipeline // that project lists it too
}

// SourceName returns the Source or its default.
func (p *Pipeline) SourceName() string { return cmp.Or(p.Source, "push") }

// Starter returns the User or its default.
func (p *Pipeline) Starter() string { return cmp.Or(p.User, FixtureUser) }

// Updated returns UpdatedAt or its default.
func (p *Pipeline) Updated() time.Time {
	if p.UpdatedAt.IsZero() {
		return p.CreatedAt.Add(time.Hour)
	}
	return p.UpdatedAt
}

// State returns the Status or its default.
func (b *Bridge) State() string { return cmp.Or(b.Status, "success") }

// AsJob returns a job with the fields that trigger jobs share.
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

// Upstream finds the trigger job that created a pipeline, if there is one.
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

// Reopen updates the pipeline after a job has started again.
func (p *Pipeline) Reopen() { p.Status, p.Follows = "running", true }

// settle updates the status of a pipeline that follows its jobs, once none of them can
// continue by itself: lib/gitlab/ci/status/composite.rb. A manual job that is allowed to
// fail is optional and doesn't block; any other makes the pipeline "manual", and the jobs
// behind it stay "created".
func (p *Pipeline) settle() {
	states := map[string]bool{}
	for _, j := range p.Jobs {
		state := j.State()
		switch {
		case j.Retried, j.AllowFailure && slices.Contains([]string{"manual", "failed", "canceled"}, state):
			// It doesn't count.
		case j.Finished(), state == "manual", state == "created":
			states[state] = true
		default:
			return // running, or about to
		}
	}
	switch {
	case states["manual"]:
		p.Status = "manual"
	case states["created"]: // not finished yet
	case states["failed"]:
		p.Status = "failed"
	case states["canceled"]:
		p.Status = "canceled"
	default:
		p.Status = "success"
	}
}
