package jobs

import (
	"cmp"
	"errors"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// SeveralError reports that something was done to some of several jobs, or to none.
type SeveralError struct {
	What string             // was done, such as "kept"
	Done []resolve.Artifact // to which
	Left []resolve.Artifact // to which not, for certain
	Err  error              // why: the first failure, or the one that stopped it
}

// Error implements error.
func (e *SeveralError) Error() string {
	text, done := "", "none"
	if len(e.Left) > 0 {
		text = "not " + e.What + ": " + resolve.Labels(e.Left) + "; "
	}
	if len(e.Done) > 0 {
		done = resolve.Labels(e.Done)
	}
	return text + e.What + ": " + done + "; " + e.Err.Error()
}

// Unwrap gives what went wrong first.
func (e *SeveralError) Unwrap() error { return e.Err }

// Each does something to each of several jobs. It goes on after a failure that is about
// one job alone. The error names what was done and what wasn't.
func Each(found []resolve.Artifact, what string, do func(resolve.Artifact) error) error {
	failed := &SeveralError{What: what}
	for n, a := range found {
		err := do(a)
		switch {
		case err == nil:
			failed.Done = append(failed.Done, a)
			continue
		case len(found) == 1:
			return err
		case ofOneJob(err):
			failed.Left, failed.Err = append(failed.Left, a), cmp.Or(failed.Err, err)
			continue
		}
		if _, unsure := errors.AsType[*UnsureError](err); !unsure {
			failed.Left = append(failed.Left, a)
		}
		failed.Left, failed.Err = append(failed.Left, found[n+1:]...), err
		break
	}
	if failed.Err == nil {
		return nil
	}
	return failed
}

// ofOneJob reports whether a failure says nothing about other jobs.
func ofOneJob(err error) bool {
	if _, ok := errors.AsType[*resolve.NoArchiveError](err); ok {
		return true
	}
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); ok {
		return missing.What == "job id"
	}
	refusal, ok := errors.AsType[*gitlab.Error](err)
	return ok && refusal.NotNow()
}
