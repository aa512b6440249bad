package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Explanation says why a query finds nothing.
type Explanation struct {
	Reason   Reason   // for programs
	Cause    string   // what is wrong
	Evidence []string // what the server says about it
	Remedy   Remedy   // what to do next

	PipelineID int64 // that has the job; of RemedyPipeline and RemedyRecent
}

// Remedy is what to do about what an [Explanation] has found out.
type Remedy string

// The remedies.
const (
	RemedyHint     Remedy = ""         // the error's own hint says it
	RemedyWait     Remedy = "wait"     // for the newest pipeline, or take it as it is
	RemedyPipeline Remedy = "pipeline" // take the job from another pipeline
	RemedyRecent   Remedy = "recent"   // take the job from an older successful pipeline
	RemedyLicence  Remedy = "licence"  // another kind of token, or the job's id
	RemedyToken    Remedy = "token"    // another token: the job that this one is of has ended
)

// Explain looks for the reason behind an error of [Resolver.Artifacts] or
// [Resolver.Fallback]. It makes a handful of cheap requests at most, and ignores those that
// are refused.
func (r *Resolver) Explain(ctx context.Context, q Query, err error) Explanation {
	x := Explanation{Cause: err.Error()}
	if h, ok := errors.AsType[reasoner](err); ok {
		x.Reason = h.Reason()
	}
	if missing, ok := errors.AsType[*NotFoundError](err); ok {
		q.Ref = cmp.Or(missing.Query.Ref, q.Ref) // of several refs the last one; of @default the branch
	}
	switch x.Reason {
	case ReasonNoSuccess, ReasonNoPipeline:
		r.aboutPipelines(ctx, q, &x)
	case ReasonNoJob:
		r.aboutJobs(ctx, q, &x)
	case ReasonToken, ReasonProject, ReasonClosed:
		r.aboutToken(ctx, q, &x)
	}
	return x
}

func (x *Explanation) see(format string, args ...any) {
	x.Evidence = append(x.Evidence, fmt.Sprintf(format, args...))
}

// aboutPipelines finds the newest pipeline of the ref, else refs that have pipelines.
func (r *Resolver) aboutPipelines(ctx context.Context, q Query, x *Explanation) {
	if q.Ref == "" || q.Exact() && !q.Latest {
		return
	}
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref}) {
		if err == nil {
			x.see("the newest pipeline of %q is %d: %s %s", q.Ref, p.ID, p.Status, p.WebURL)
			if p.Status == "running" || p.Status == "pending" || p.Status == "created" {
				x.Remedy = RemedyWait
			}
		}
		return
	}
	var refs []string
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{}) {
		if err != nil {
			return
		}
		if refs = append(refs, p.Ref); len(refs) == pageSize {
			break
		}
	}
	x.see("no pipeline of ref %q at all", q.Ref)
	if close := near(q.Ref, refs); len(close) > 0 {
		x.see("refs that have pipelines: %q", close)
	}
}

// maxExplained is how many pipelines aboutJobs searches.
const maxExplained = 5

// aboutJobs looks for a pipeline that has the job.
func (r *Resolver) aboutJobs(ctx context.Context, q Query, x *Explanation) {
	if q.Ref == "" {
		return
	}
	back := 0
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref}) {
		if err != nil || back == maxExplained {
			return
		}
		back++
		names := r.names(ctx, q.Project, p.ID)
		if back == 1 || p.Status == "success" && len(x.Evidence) == 0 {
			x.see("pipeline %d (%s) has the jobs %q", p.ID, p.Status, names)
		}
		if slices.ContainsFunc(q.Jobs, func(job string) bool { return slices.ContainsFunc(names, compile(job).MatchString) }) {
			x.see("pipeline %d (%s) has it: %s", p.ID, p.Status, p.WebURL)
			x.Remedy, x.PipelineID = RemedyPipeline, p.ID
			if p.Status == "success" {
				x.Remedy = RemedyRecent
			}
			return
		}
	}
}

// names lists the jobs of one pipeline.
func (r *Resolver) names(ctx context.Context, project string, pipeline int64) []string {
	var names []string
	for job, err := range r.lists.jobs(ctx, project, pipeline, gitlab.JobsOptions{}) {
		if err != nil {
			return names
		}
		names = append(names, job.Name)
	}
	slices.Sort(names)
	return names
}

// aboutToken asks GitLab for the job of a job token. If that has ended, GitLab refuses.
func (r *Resolver) aboutToken(ctx context.Context, q Query, x *Explanation) {
	if !r.jobToken {
		return
	}
	job, err := r.api.CurrentJob(ctx)
	switch {
	case err == nil:
		x.see("the job token is alive: job %q (%d) of project %d", job.Name, job.ID, job.Pipeline.ProjectID)
		if x.Reason == ReasonProject && q.Project == strconv.FormatInt(job.Pipeline.ProjectID, 10) {
			x.see("GitLab denies this token its own project: that is the answer of an instance without the licence")
			x.Reason, x.Remedy = ReasonLicence, RemedyLicence
		}
	case errors.Is(err, gitlab.ErrUnauthorized):
		x.see("the job token is dead: GitLab has no running job with it")
		x.Reason, x.Remedy = ReasonToken, RemedyToken
	}
}
