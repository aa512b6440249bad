package retrieve

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/resolve"
)

// SeveralJobsError reports a query that finds several jobs where only one archive is
// possible.
type SeveralJobsError struct {
	Jobs    int
	Reports bool // it finds as many reports of one job
	Digest  bool // one archive, because one SHA-256 is given
}

// Error implements error.
func (e *SeveralJobsError) Error() string {
	one, several := "archive", "jobs"
	if e.Reports {
		one, several = "report", "reports"
	}
	if e.Digest {
		return fmt.Sprintf("the SHA-256 is for one %s, but the query means %d %s", one, e.Jobs, several)
	}
	return fmt.Sprintf("the query means %d %s, but only one %s can be opened", e.Jobs, several, one)
}

// Hint says what to do next.
func (e *SeveralJobsError) Hint() string {
	if e.Reports {
		return "name one report"
	}
	return "name one job"
}

// UnlistedError reports an archive whose files the server can't list.
type UnlistedError struct{ Err error }

// Error implements error.
func (e *UnlistedError) Error() string { return e.Err.Error() }

// Unwrap returns the server's answer, or an [*UnknownIDError].
func (e *UnlistedError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*UnlistedError) Hint() string {
	return "GitLab lists archives since 18.8, if the job's ID is known; read the archive itself"
}

// UnknownIDError reports a job whose ID isn't known, because the token can't list jobs.
type UnknownIDError struct{ Artifact resolve.Artifact }

// Error implements error.
func (e *UnknownIDError) Error() string {
	return fmt.Sprintf("the ID of %s is not known, because this token cannot list jobs", e.Artifact.Label())
}

// TimeoutError reports that a [Waiter] has reached its limit.
type TimeoutError struct {
	Waited   time.Duration
	Err      error    // why the job isn't ready yet
	For      string   // what was waited for; may be empty
	Evidence []string // the current state, as the server reports it
}

// Error implements error.
func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("waited %v: %v", e.Waited, e.Err)
	if e.For != "" {
		text = fmt.Sprintf("waited %v for %s: %v", e.Waited, e.For, e.Err)
	}
	if len(e.Evidence) > 0 {
		text += "; " + strings.Join(e.Evidence, "; ")
	}
	return text
}

// Unwrap returns the last reason.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *TimeoutError) Hint() string { return "wait longer" }

// CollisionError reports files of two jobs with the same path.
type CollisionError struct {
	Jobs []string // their labels, if known
	Dir  string   // where the files were going
	Err  *extract.ConflictError
}

// Error implements error.
func (e *CollisionError) Error() string {
	if e.Err.By != "" && len(e.Jobs) == 2 {
		return fmt.Sprintf("%s and %s", e.Err, e.Jobs[1])
	}
	return fmt.Sprintf("%s, by %s", e.Err, strings.Join(e.Jobs, " and "))
}

// Unwrap returns the conflict.
func (e *CollisionError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*CollisionError) Hint() string { return "give each job a directory of its own" }

// OneFileError reports two archives with the same file name.
type OneFileError struct {
	File string
	Jobs [2]string // their labels

	Reports bool // the archives are reports of different types
}

// Error implements error.
func (e *OneFileError) Error() string {
	if e.Reports {
		return fmt.Sprintf("the %s and the %s would both be %s", e.Jobs[0], e.Jobs[1], e.File)
	}
	return fmt.Sprintf("the archives of %s and %s would both be %s", e.Jobs[0], e.Jobs[1], e.File)
}

// Hint says what to do next.
func (e *OneFileError) Hint() string {
	if e.Reports {
		return "put {report} into the name of the file, or name one report"
	}
	return "put {job} into the name of the file, or name one job"
}

// UnknownWordError reports an unknown word in an [Output].
type UnknownWordError struct{ Known []string }

// Error implements error.
func (e *UnknownWordError) Error() string { return "unknown word in braces" }

// Hint says what to do next.
func (e *UnknownWordError) Hint() string {
	return "use one of " + strings.Join(e.Known, ", ") + ", or no braces"
}

// UnknownValueError reports a word in an [Output] whose value is unknown or empty for a
// job.
type UnknownValueError struct {
	Word     string
	Artifact resolve.Artifact
	File     bool // the word is in a file's name
}

// Empty reports whether the value is known, but its slug is empty.
func (e *UnknownValueError) Empty() bool {
	return e.Word == "{job_slug}" && e.Artifact.JobName != "" || e.Word == "{ref_slug}" && e.Artifact.Ref != ""
}

// Error implements error.
func (e *UnknownValueError) Error() string {
	if e.Empty() {
		return fmt.Sprintf("%s is empty for %s: its name has no letters a-z and no digits", e.Word, e.Artifact.Label())
	}
	if e.Word == "{report}" {
		return fmt.Sprintf("%s has no value for the archive of %s", e.Word, e.Artifact.Label())
	}
	return fmt.Sprintf("%s is unknown for %s", e.Word, e.Artifact.Label())
}

// Hint says what to do next.
func (e *UnknownValueError) Hint() string {
	switch {
	case e.Empty():
		return "use another word, such as {job} or {pipeline}"
	case e.Word == "{report}":
		return "{report} is the type of a report, and this is an archive; use another word"
	}
	return "this token can't list jobs; name the directory yourself"
}

// Missing reports whether err means that the job doesn't exist or has no archive. It
// doesn't include missing projects: they are a mistake in the query, or the token can't
// see them.
func Missing(err error) bool {
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); ok {
		return missing.Reason() != resolve.ReasonProject
	}
	return is[*resolve.NoArchiveError](err) || is[*resolve.StateError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
