package pin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gitlab.com/artifetch/artifetch/manifest"
)

// OutsideError reports a lock file outside the manifest's directory. It is put into place
// together with the files.
type OutsideError struct{ LockFile string }

// Error implements error.
func (e *OutsideError) Error() string {
	return fmt.Sprintf("the lock file %s is not below the manifest's directory", e.LockFile)
}

// Hint says what to do next.
func (*OutsideError) Hint() string { return "choose a file below it" }

// NoManifestError reports that the manifest doesn't exist.
type NoManifestError struct {
	File string
	Err  error // an [fs.ErrNotExist]
}

// Error implements error.
func (e *NoManifestError) Error() string {
	if target := danglesTo(e.File); target != "" {
		return fmt.Sprintf("the manifest %s is a link to %s, which doesn't exist", e.File, target)
	}
	return "there is no manifest " + e.File
}

// Unwrap returns the error of the file system.
func (e *NoManifestError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*NoManifestError) Hint() string { return "write one" }

// ExistsError reports an existing manifest where the first one would go.
type ExistsError struct {
	File string
	Err  error // an [fs.ErrExist]
}

// Error implements error.
func (e *ExistsError) Error() string {
	if target := danglesTo(e.File); target != "" {
		return fmt.Sprintf("%s is a link to %s, which doesn't exist", e.File, target)
	}
	return "there is already a manifest " + e.File
}

// danglesTo returns what a link points to if that doesn't exist, or "".
func danglesTo(file string) string {
	target, err := os.Readlink(file)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return target
}

// Dangling reports whether a file is a link to something that doesn't exist.
func Dangling(file string) bool { return danglesTo(file) != "" }

// Unwrap returns the error of the file system.
func (e *ExistsError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*ExistsError) Hint() string { return "add sources to it, or write another file" }

// DriftError reports that the lock file and the manifest disagree, although only locked
// archives may be used.
type DriftError struct {
	LockFile    string
	NoLock      bool     // there is no lock file at all
	Differences []string // in the words of the manifest, such as "lib: ref main → next"
}

// maxDifferences is how many differences an error names.
const maxDifferences = 10

// Error implements error.
func (e *DriftError) Error() string {
	if e.NoLock {
		return "there is no lock file " + filepath.Base(e.LockFile)
	}
	named := strings.Join(e.Differences[:min(len(e.Differences), maxDifferences)], "; ")
	if more := len(e.Differences) - maxDifferences; more > 0 {
		named += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Sprintf("%s doesn't match the manifest: %s", filepath.Base(e.LockFile), named)
}

// Hint says what to do next.
func (*DriftError) Hint() string {
	return "update the lock file where that is allowed, and commit it"
}

// Reason says why a source isn't available as locked.
type Reason int

// The reasons.
const (
	NoRequests Reason = iota // it isn't locked, and requests aren't allowed
	NotInPlace               // its files aren't in place, its archive isn't in the cache, and requests aren't allowed
	UnknownJob               // the token can't list jobs, so there is no job ID to lock
	Replaced                 // someone has changed the archive of the locked job
	Mislisted                // the archive is the locked one, but the lock file lists other files
)

// LockError reports a source that differs from the lock file.
type LockError struct {
	Reason Reason
	Source string // several are separated by commas
	Err    error  // the evidence; may be nil
}

// Error implements error.
func (e *LockError) Error() string {
	text := map[Reason]string{
		NoRequests: "not locked, and no requests are allowed",
		NotInPlace: "not in place, and not in the cache, and no requests are allowed",
		UnknownJob: "cannot lock it: this token cannot list jobs, so the job ID is unknown",
		Replaced:   "the archive differs from what is locked",
		Mislisted:  "the archive is the locked one, but the lock file doesn't describe it",
	}[e.Reason]
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return inSource(e.Source, text)
}

// Unwrap returns the evidence.
func (e *LockError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *LockError) Hint() string {
	return map[Reason]string{
		NoRequests: "allow requests once, to lock it",
		NotInPlace: "verify the directory to see which, or allow requests",
		UnknownJob: "set GITLAB_TOKEN to a token with the scope read_api, or name the job by job-id",
		Replaced:   "someone has changed the archive of a job that has ended; update the source to accept the new archive",
		Mislisted:  "the lock file was edited, or merged wrongly: restore it from version control, or update the source to lock it again",
	}[e.Reason]
}

// GoneError reports that a locked job's archive no longer exists.
type GoneError struct {
	Locked manifest.Locked
	Err    error // the server's answer, explained
}

// Error implements error.
func (e *GoneError) Error() string {
	commit := e.Locked.SHA
	if commit == "" {
		commit = "(unknown)"
	}
	return fmt.Sprintf("it was locked at commit %s, job %d, pipeline %d: %v", commit, e.Locked.JobID, e.Locked.PipelineID, e.Err)
}

// Unwrap returns the server's answer.
func (e *GoneError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (*GoneError) Hint() string {
	return "it has expired or was erased: update the source, or run the job of that commit again"
}

func inSource(name, text string) string {
	switch {
	case name == "":
		return text
	case strings.Contains(name, ", "):
		return "sources " + name + ": " + text
	}
	return fmt.Sprintf("source %q: %s", name, text)
}

// withReason names all sources that aren't available for the same reason.
func withReason(reason Reason, sources []manifest.Source, errs []error) string {
	var names []string
	for i, err := range errs {
		if e, ok := errors.AsType[*LockError](err); ok && e.Reason == reason {
			names = append(names, sources[i].Name)
		}
	}
	return strings.Join(names, ", ")
}
