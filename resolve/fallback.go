package resolve

import (
	"context"
	"errors"
	"net/http"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Fallback returns the next place to look for a's archive after GitLab refused its
// download with err. If there is no other place, it returns err, explained. It returns
// errors that aren't refusals as they are.
func (r *Resolver) Fallback(ctx context.Context, q Query, a Artifact, err error) (Artifact, error) {
	refusal, ok := errors.AsType[*gitlab.Error](err)
	if !ok {
		return a, err
	}
	asked, q := q.about(a)
	switch missing := absent(err); {
	case missing && a.Found == ByRef:
		// The route doesn't say what is missing, and knows the newest pipeline alone.
		instead, err := r.instead(ctx, q, a, err)
		return instead, r.withPassed(ctx, asked, q, err)
	case missing:
		return a, r.missing(ctx, q, a, err)
	case !r.jobToken || a.runner || !refusal.ProjectNotFound():
		return a, r.interpret(err, q, a)
	}
	if a.JobID == 0 {
		if a, err = r.instead(ctx, q, a, err); err != nil {
			return a, err
		}
	}
	a.URL, a.runner = r.api.RunnerArchiveURL(a.JobID), true
	return a, nil
}

// about narrows a query to the job of an artifact, and to the one of several refs that has
// the job.
func (q Query) about(a Artifact) (onAnyRef, onItsRef Query) {
	if a.JobName != "" {
		q.Jobs = []string{a.JobName}
	}
	onAnyRef = q
	if a.Found == ByRef {
		q.Ref, q.MoreRefs = a.Ref, nil
	}
	return onAnyRef, q
}

// Identified looks in the project's list of jobs for the job of an archive that GitLab
// selects by ref. If the list doesn't have it, or if the token can't read the list, it
// returns a as it is.
func (r *Resolver) Identified(ctx context.Context, q Query, a Artifact) Artifact {
	_, q = q.about(a)
	if found, err := r.fromProject(ctx, q); err == nil && len(found) == 1 {
		return found[0]
	}
	return a
}

// Proxied returns the addresses at which GitLab may send an archive's bytes itself, in the
// order to try them. There are none if the job's ID isn't known.
func (r *Resolver) Proxied(a Artifact) []string {
	if a.JobID == 0 {
		return nil
	}
	if a.Report.Type != "" {
		return []string{gitlab.ReportInMode(a.URL, "proxy")}
	}
	list := []string{r.api.DownloadModeURL(gitlab.Project(a.Project), a.JobID, "proxy")}
	if r.jobToken {
		list = append(list, r.api.RunnerProxyURL(a.JobID))
	}
	return list
}

// instead looks for the job in the project's list of jobs, after the by-ref route
// refused it with err. If the list says what is missing, that is the error; if the list
// doesn't go back to the ref's pipelines, the server's own answer counts.
func (r *Resolver) instead(ctx context.Context, q Query, a Artifact, err error) (Artifact, error) {
	found, listErr := r.fromProject(ctx, q)
	closed := listErr
	if !Refused(listErr) {
		closed = r.lists.refusal("pipelines of " + q.Project)
	}
	if listErr == nil && len(found) == 1 {
		return found[0], nil
	}
	missing, ok := errors.AsType[*NotFoundError](listErr)
	if mayBeElsewhere(listErr) && (q.Recent || !ok || !missing.cut) {
		return a, orDownstream(q, listErr, closed)
	}
	return a, orDownstream(q, r.interpret(err, q, a), closed)
}

// missing explains the 404 of a job that was named by its id. GitLab words it in more
// than one way; the job itself says whether it exists and what happened to its archive.
// Job tokens may not read it.
func (r *Resolver) missing(ctx context.Context, q Query, a Artifact, err error) error {
	if r.jobToken || a.Found != ByID {
		return r.interpret(err, q, a)
	}
	job, jobErr := r.api.Job(ctx, gitlab.Project(a.Project), a.JobID)
	refusal, refused := errors.AsType[*gitlab.Error](jobErr)
	switch {
	case jobErr == nil:
		known, noArchive := r.available(Query{}, candidate{job, a.Project}, ByID)
		if empty, ok := errors.AsType[*NoArchiveError](noArchive); ok {
			empty.Err = err
			return empty
		}
		return &NoArchiveError{Artifact: known, Err: err}
	case refused && refusal.StatusCode == http.StatusNotFound && !refusal.ProjectNotFound():
		return &NotFoundError{Query: Query{Project: a.Project, JobID: a.JobID}, What: "job id", Err: err}
	}
	return r.interpret(err, q, a)
}
