package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// DefaultBranch stands for the project's default branch where a ref is expected.
const DefaultBranch = "@default"

// refs returns the query's refs in the order to try them.
func (q Query) refs() []string { return append([]string{q.Ref}, q.MoreRefs...) }

// on returns the query for only its nth ref.
func (q Query) on(n int) Query {
	q.Ref, q.MoreRefs = q.refs()[n], nil
	return q
}

// Settle replaces [DefaultBranch] by the name of the branch, if that is known without a
// request, and removes duplicate refs and jobs.
func (r *Resolver) Settle(q Query) Query {
	var refs []string
	for _, ref := range q.refs() {
		if branch := r.branches[q.Project]; ref == DefaultBranch && branch != "" {
			ref = branch
		}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	q.Ref, q.MoreRefs = refs[0], refs[1:]
	var jobs []string
	for _, job := range q.Jobs {
		if !slices.Contains(jobs, job) {
			jobs = append(jobs, job)
		}
	}
	q.Jobs = jobs
	return q
}

// firstRef returns the jobs from the first ref that has them all, with artifacts.
func (r *Resolver) firstRef(ctx context.Context, q Query) ([]Artifact, error) {
	var passed []error
	for n := range q.refs() {
		one, err := r.Concrete(ctx, q.on(n))
		if err != nil {
			return nil, err
		}
		found, err := r.fromOneRef(ctx, one)
		last := n == len(q.MoreRefs)
		if err == nil && len(q.MoreRefs) > 0 && found[0].Found == ByRef {
			found, err = r.chosenOn(ctx, one, last)
		}
		switch {
		case err == nil:
			return found, nil
		case !isMiss(one, err):
			return nil, err
		case last && len(passed) > 0:
			return nil, &RefsError{Err: err, Passed: passed}
		case last:
			return nil, err
		}
		passed = append(passed, err)
		r.onPass(one.Ref, err)
	}
	return nil, nil // the last ref has returned
}

func (r *Resolver) fromOneRef(ctx context.Context, q Query) (found []Artifact, err error) {
	switch {
	case q.AnyPipeline:
		found, err = r.fromAnyPipeline(ctx, q)
	case q.Latest:
		found, err = r.fromTree(ctx, q)
	default:
		found, err = r.fromRef(ctx, q)
	}
	return found, r.unlistable(err, q)
}

// isMiss reports whether to try the next ref. A job that hasn't succeeded counts as
// missing, unless the query asks for the newest pipeline. An impossible ref doesn't count
// as a miss: ignoring refs/heads/main would hide the mistake.
func isMiss(q Query, err error) bool {
	if missing, ok := errors.AsType[*NotFoundError](err); ok {
		mistake, _ := missing.RefMistake()
		mayExist := mistake == RefFine || mistake == RefSeveral || mistake == RefRemote || mistake == RefCommit && !isFullCommit(q.Ref)
		return missing.What != "project" && mayExist
	}
	return mayBeElsewhere(err) && !(q.Latest && is[*StateError](err))
}

// Concrete replaces values that need requests: the pipeline of Root, and the branch of
// [DefaultBranch].
func (r *Resolver) Concrete(ctx context.Context, q Query) (Query, error) {
	if q.Root {
		root, err := r.root(ctx, q)
		q.PipelineID, q.Root = root, false
		return q, err
	}
	if q = r.Settle(q); q.Ref != DefaultBranch {
		return q, nil
	}
	branch, err := r.api.DefaultBranch(ctx, gitlab.Project(q.Project))
	switch {
	case r.jobToken && Refused(err) || err == nil && branch == "":
		return q, &DefaultBranchError{Project: q.Project, Err: err}
	case err != nil:
		return q, r.interpret(err, q, Artifact{})
	}
	q.Ref = branch
	return q, nil
}

// chosenOn returns what the server chooses on one of several refs, if pipelines can't be
// listed. It checks immediately whether that exists, unless it is the last ref: the
// files' directory may depend on the ref. For the last ref the download shows it, and
// [Resolver.Fallback] explains what is missing.
func (r *Resolver) chosenOn(ctx context.Context, q Query, last bool) ([]Artifact, error) {
	if !last {
		if found, err := r.probe(ctx, q); found != nil || err != nil {
			return found, err
		}
	}
	if len(q.Jobs) == 1 && !q.Recent {
		found, err := r.OnRef(ctx, q)
		return []Artifact{found}, err
	}
	return r.chosen(q), nil
}

// probe requests a byte of each archive from the by-ref route. It returns nothing if all
// exist, but artifacts if it needed the project's list.
func (r *Resolver) probe(ctx context.Context, q Query) ([]Artifact, error) {
	for _, job := range q.Jobs {
		err := r.api.RefArchiveExists(ctx, gitlab.Project(q.Project), q.Ref, job)
		refusal, refused := errors.AsType[*gitlab.Error](err)
		switch {
		case err == nil:
			continue
		case !refused:
			return nil, err
		case q.Recent || refusal.ProjectNotFound():
			// The route only considers the newest pipeline, and some servers don't give
			// job tokens any archive by ref.
			if found, err := r.fromProject(ctx, q); !Refused(err) {
				return found, orDownstream(q, err, r.lists.refusal("pipelines of "+q.Project))
			}
		}
		return nil, orDownstream(q, r.interpret(err, q, r.chosenByServer(q, job)), r.lists.refusal("pipelines of "+q.Project))
	}
	return nil, nil
}

// withPassed adds to a miss on one of several refs why the refs before it were passed, as
// far as the project's list says. Only the server's 404 is known about these.
func (r *Resolver) withPassed(ctx context.Context, asked, one Query, err error) error {
	if err == nil || !isMiss(one, err) {
		return err
	}
	var passed []error
	for n := range asked.refs() {
		before := r.Settle(asked.on(n))
		if before.Ref == one.Ref {
			break
		}
		if before.Ref != DefaultBranch {
			_, why := r.fromProject(ctx, before)
			if missing, ok := errors.AsType[*NotFoundError](why); mayBeElsewhere(why) && (!ok || !missing.cut) {
				passed = append(passed, why)
			}
		}
	}
	if len(passed) == 0 {
		return err
	}
	return &RefsError{Err: err, Passed: passed}
}

// RefsError reports that none of several refs has the jobs.
type RefsError struct {
	Err    error   // about the last one
	Passed []error // about the others
}

// Error implements error.
func (e *RefsError) Error() string {
	text := e.Err.Error()
	for i, err := range e.Passed {
		switch question := strings.HasSuffix(text, "?"); {
		case i == 0 && question:
			text += " Before that: "
		case i == 0:
			text += "; before that: "
		case question:
			text += " "
		default:
			text += "; "
		}
		text += err.Error()
	}
	return text
}

// Unwrap returns the error about the last ref, whose hint applies.
func (e *RefsError) Unwrap() error { return e.Err }

// DefaultBranchError reports that the default branch of a project isn't known.
type DefaultBranchError struct {
	Project string
	Err     error // the refusal of a job token; nil if the server returns no branch
}

// Error implements error.
func (e *DefaultBranchError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("project %s has no default branch that this token can see", e.Project)
	}
	return fmt.Sprintf("cannot look up the default branch of project %s with this job token%s", e.Project, said(e.Err))
}

// Unwrap returns the server's refusal.
func (e *DefaultBranchError) Unwrap() error { return e.Err }

// Reason classifies the error for programs.
func (e *DefaultBranchError) Reason() Reason {
	if e.Err == nil {
		return ReasonNoDefault
	}
	return ReasonForbidden
}

// Hint says what to do next.
func (e *DefaultBranchError) Hint() string {
	if e.Err != nil {
		return "GitLab shows a job token the default branch of public projects only: name the branch, or use a token with the scope read_api"
	}
	return "name the branch; or check the project's path, and that the token's user can read its repository"
}
