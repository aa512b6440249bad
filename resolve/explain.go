package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Explanation says why a query finds nothing.
type Explanation struct {
	Reason   Reason   // for programs
	Cause    string   // what is wrong
	Evidence []string // what the server says
	Remedy   Remedy   // what to do next

	PipelineID int64 // the pipeline with the job; for RemedyPipeline, RemedyRecent and RemedyStatus
	JobID      int64 // for RemedyPlay and RemedyJob
}

// Remedy says what to do about an [Explanation].
type Remedy string

// The remedies.
const (
	RemedyHint     Remedy = ""         // the error's own hint says it
	RemedyWait     Remedy = "wait"     // for the newest pipeline, or take it as it is
	RemedyPipeline Remedy = "pipeline" // take the job from another pipeline
	RemedyRecent   Remedy = "recent"   // take the job from an older successful pipeline
	RemedyPlay     Remedy = "play"     // start the manual job that blocks the newest pipeline
	RemedyJob      Remedy = "job"      // the pipeline's number is a job's
	RemedyAny      Remedy = "any"      // take the job if it has succeeded, whatever its pipeline
	RemedyStatus   Remedy = "status"   // take the job from another pipeline although it hasn't succeeded
	RemedySource   Remedy = "source"   // take a pipeline of another source
	RemedyFirst    Remedy = "first"    // ignore it: there may be no earlier pipeline
	RemedyLicence  Remedy = "licence"  // another kind of token, or the job's id
	RemedyToken    Remedy = "token"    // another token: this one's job has ended
)

// Explain looks for the reason for an error of [Resolver.Artifacts] or
// [Resolver.Fallback]. It makes at most a handful of cheap requests, and ignores refused
// ones.
func (r *Resolver) Explain(ctx context.Context, q Query, err error) Explanation {
	x := Explanation{Cause: err.Error()}
	if h, ok := errors.AsType[reasoner](err); ok {
		x.Reason = h.Reason()
	}
	if missing, ok := errors.AsType[*NotFoundError](err); ok {
		q.Ref = cmp.Or(missing.Query.Ref, q.Ref) // the last of several refs; the branch for @default
	}
	if r.aboutSearch(ctx, q, &x) {
		return x
	}
	switch x.Reason {
	case ReasonNoSuccess, ReasonNoPipeline:
		r.aboutPipelines(ctx, q, &x)
	case ReasonNoJob:
		missing, ok := errors.AsType[*NotFoundError](err)
		if ok && missing.Pipeline != 0 {
			x.see("pipeline %d was searched, with its children; the jobs there are %s", missing.Pipeline, readable(missing.Names))
		}
		r.aboutJobs(ctx, q, &x)
	case ReasonRunning:
		r.aboutState(ctx, err, &x)
	case ReasonToken, ReasonProject, ReasonClosed:
		r.aboutToken(ctx, q, &x)
	}
	return x
}

func (x *Explanation) see(format string, args ...any) {
	x.Evidence = append(x.Evidence, fmt.Sprintf(format, args...))
}

// aboutPipelines finds the newest pipeline of the ref, or refs that have pipelines. If a
// pipeline's number is wrong, it finds out what it belongs to.
func (r *Resolver) aboutPipelines(ctx context.Context, q Query, x *Explanation) {
	if q.PipelineID != 0 {
		r.aboutNumber(ctx, q, x)
		return
	}
	if q.Ref == "" || !q.ofRef() {
		return
	}
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref}) {
		if err == nil {
			r.aboutNewest(ctx, q, p, x)
		}
		return
	}
	r.aboutRefs(ctx, q, x)
}

// aboutNewest says what state the newest pipeline of the ref is in.
func (r *Resolver) aboutNewest(ctx context.Context, q Query, p gitlab.Pipeline, x *Explanation) {
	x.see("the newest pipeline of %q is %d: %s %s", q.Ref, p.ID, p.Status, p.WebURL)
	switch {
	case Unfinished(p.Status):
		x.Remedy = RemedyWait
	case x.Reason == ReasonNoSuccess:
		x.Remedy = RemedyAny
	}
	if p.Status == "manual" {
		r.aboutBlocked(ctx, q, p.ID, x)
	}
}

// aboutRefs lists similar refs that have pipelines, or else any.
func (r *Resolver) aboutRefs(ctx context.Context, q Query, x *Explanation) {
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
		refs = close
	}
	if len(refs) > 0 {
		x.see("refs that have pipelines: %s", readable(refs))
	}
}

// aboutBlocked names the manual jobs that block a pipeline: those that aren't allowed to
// fail. https://docs.gitlab.com/ci/jobs/job_control/#types-of-manual-jobs
func (r *Resolver) aboutBlocked(ctx context.Context, q Query, pipeline int64, x *Explanation) {
	for _, job := range r.Blocking(ctx, q.Project, pipeline) {
		x.see("job %s (%d) blocks it: it is manual, and must be played %s", readable([]string{job.Name}), job.ID, job.WebURL)
		x.Remedy, x.JobID = RemedyPlay, job.ID
	}
}

// Blocking returns the manual jobs that block a pipeline, or none if that is unknown.
// While other jobs run, a pipeline isn't blocked: it has another status.
func (r *Resolver) Blocking(ctx context.Context, project string, pipeline int64) (blocking []gitlab.Job) {
	for job, err := range r.lists.jobs(ctx, project, pipeline, gitlab.JobsOptions{Scope: []string{"manual"}}) {
		if err != nil {
			return nil
		}
		if job.Status == "manual" && !job.AllowFailure && (job.Pipeline.Status == "manual" || job.Pipeline.Status == "") {
			blocking = append(blocking, job)
		}
	}
	return blocking
}

// aboutNumber finds out whether a pipeline's number is a job's, or what numbers pipelines
// have.
func (r *Resolver) aboutNumber(ctx context.Context, q Query, x *Explanation) {
	if job, err := r.api.Job(ctx, gitlab.Project(q.Project), q.PipelineID); err == nil {
		x.see("%d is the number of job %s in pipeline %d", job.ID, readable([]string{job.Name}), job.Pipeline.ID)
		x.Remedy, x.JobID = RemedyJob, job.ID
		return
	}
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{}) {
		if err == nil {
			x.see("the newest pipeline of the project is %d, of ref %q: %s", p.ID, p.Ref, p.WebURL)
		}
		return
	}
}

// aboutState finds the manual job that an unfinished job waits for: the job itself, or
// one that blocks its pipeline.
func (r *Resolver) aboutState(ctx context.Context, err error, x *Explanation) {
	state, ok := errors.AsType[*StateError](err)
	switch {
	case !ok:
	case state.Artifact.Status == "manual":
		x.Remedy, x.JobID = RemedyPlay, state.Artifact.JobID
	case state.Artifact.Status == "created" && state.Artifact.PipelineID != 0:
		r.aboutBlocked(ctx, Query{Project: state.Artifact.Project}, state.Artifact.PipelineID, x)
	}
}

// maxExplained is how many pipelines aboutJobs searches.
const maxExplained = 5

// aboutJobs looks for a pipeline from which the query could take the job. If it isn't
// known which one was searched, it lists the newest one's jobs.
func (r *Resolver) aboutJobs(ctx context.Context, q Query, x *Explanation) {
	if q.Ref == "" {
		return
	}
	back, seen := 0, 0
	for p, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref, Source: q.SourceFilter()}) {
		if seen++; err != nil || back == maxExplained || seen > pageSize {
			return
		}
		if !q.FromSource(p.Source) {
			continue
		}
		back++
		names, has := r.names(ctx, q, p.ID)
		if len(x.Evidence) == 0 {
			x.see("pipeline %d (%s) has the jobs %s", p.ID, p.Status, readable(names))
		}
		if has {
			x.see("pipeline %d (%s) has it: %s", p.ID, p.Status, p.WebURL)
			x.Remedy, x.PipelineID = RemedyPipeline, p.ID
			if p.Status == "success" {
				x.Remedy = RemedyRecent
			}
			return
		}
	}
}

// maxNamed is the maximum number of names in a line.
const maxNamed = 40

// readable lists names as people write them. Ambiguous ones are in quotation marks.
func readable(names []string) string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var list []string
	for i, name := range names {
		if i == maxNamed {
			list = append(list, fmt.Sprintf("and %d more", len(names)-maxNamed))
			break
		}
		if strings.Contains(name, ",") || strings.TrimSpace(name) != name || name == "" {
			name = `"` + name + `"`
		}
		list = append(list, name)
	}
	if len(list) == 0 {
		return "(none)"
	}
	return strings.Join(list, ", ")
}

// names lists the jobs of one pipeline, and reports whether the query could take one of
// them.
func (r *Resolver) names(ctx context.Context, q Query, pipeline int64) (names []string, has bool) {
	for job, err := range r.lists.jobs(ctx, q.Project, pipeline, gitlab.JobsOptions{}) {
		if err != nil {
			return names, has
		}
		names = append(names, job.Name)
		if has || !slices.ContainsFunc(q.Jobs, func(name string) bool { return compile(name).MatchString(job.Name) }) {
			continue
		}
		_, err := r.available(q, candidate{job, q.Project}, ByListing)
		has = q.Bare || err == nil && (q.AnyStatus || job.Status == "success")
	}
	return names, has
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
