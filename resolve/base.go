package resolve

import (
	"context"
	"errors"
	"fmt"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// maxParents is how many first parents of a base commit are searched.
const maxParents = 20

// fromBase returns the jobs from the newest pipeline of the base commit in which they
// have succeeded, or from the nearest of its first parents that has one.
func (r *Resolver) fromBase(ctx context.Context, q Query) ([]Artifact, error) {
	find := r.inTrees
	var first error
	q.SHA = q.Base // and then its parents
	for back := 0; ; back++ {
		found, refusal, err := find(ctx, q)
		if refusal != nil {
			if find, err = r.inProject(ctx, q); err != nil {
				return nil, err
			}
			found, _, err = find(ctx, q)
		}
		if err == nil {
			return passed(found, back), nil
		}
		first = likelier(first, err)
		if !mayBeElsewhere(err) || back == maxParents {
			return nil, first
		}
		parent, err := r.firstParent(ctx, q)
		switch {
		case err != nil:
			return nil, &AncestorError{Commit: q.SHA, Missing: first, Err: err}
		case parent == "":
			return nil, first
		}
		q.SHA = parent
	}
}

// inProject reads the project's list of jobs once, and returns a function that finds jobs
// in it as inTrees does.
func (r *Resolver) inProject(ctx context.Context, q Query) (func(context.Context, Query) ([]Artifact, error, error), error) {
	jobs, _, err := r.family(ctx, q)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, q Query) ([]Artifact, error, error) {
		found, err := r.inList(q, jobs, rootsIn(q, jobs))
		return found, nil, err
	}, nil
}

// firstParent returns the first parent of the query's commit, or "" if it has none.
func (r *Resolver) firstParent(ctx context.Context, q Query) (string, error) {
	c, err := r.api.Commit(ctx, gitlab.Project(q.Project), q.SHA)
	if err != nil || len(c.ParentIDs) == 0 {
		return "", err
	}
	return c.ParentIDs[0], nil
}

// likelier returns the more informative of two errors about missing jobs: that the job
// has no archive, or that a pipeline lacks it, rather than that there is no pipeline.
func likelier(first, second error) error {
	weight := func(err error) int {
		missing, ok := errors.AsType[*NotFoundError](err)
		switch {
		case err == nil:
			return 0
		case !ok:
			return 3
		case missing.What == "job":
			return 2
		}
		return 1
	}
	if weight(second) > weight(first) {
		return second
	}
	one, _ := errors.AsType[*NotFoundError](first)
	other, isMissing := errors.AsType[*NotFoundError](second)
	if isMissing && one != nil && one.What == "job" && other.What == "job" && one.Job != other.Job {
		several := *one // each pipeline lacks a different one
		several.Job, several.Near = "", nil
		return &several
	}
	return first
}

// AncestorError reports that the search for a baseline ended at a commit whose parents
// GitLab doesn't reveal.
type AncestorError struct {
	Commit  string
	Missing error // why the commits so far lack the job
	Err     error // the server's refusal
}

// Error implements error.
func (e *AncestorError) Error() string {
	return fmt.Sprintf("%v; the parents of commit %s are not known%s", e.Missing, e.Commit, said(e.Err))
}

// Unwrap returns both reasons.
func (e *AncestorError) Unwrap() []error { return []error{e.Missing, e.Err} }

// Reason classifies the error for programs.
func (e *AncestorError) Reason() Reason {
	if why, ok := errors.AsType[reasoner](e.Missing); ok {
		return why.Reason()
	}
	return ReasonNoJob
}

// Hint says what to do next.
func (e *AncestorError) Hint() string {
	if Refused(e.Err) {
		return "job tokens read commits since about GitLab 18.3, and of projects whose repository the token's user may read: use a token with the scope read_api"
	}
	return "the commit may have been removed, as after a rebase: name another pipeline or commit"
}
