package jobs

import (
	"cmp"
	"errors"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// SeveralError reports that an action succeeded for only some of several jobs, or for
// none.
type SeveralError struct {
	What string             // the action, such as "kept"
	Done []resolve.Artifact // for which it succeeded
	Left []resolve.Artifact // for which it certainly didn't
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

// Unwrap returns the first error.
func (e *SeveralError) Unwrap() error { return e.Err }

// Each calls do for each of several jobs. It continues after a failure that only concerns
// one job. The error names the jobs for which it succeeded and for which it didn't.
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
