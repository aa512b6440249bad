package failure

import (
	"strings"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// OfArchive is an error about an archive that --archive writes as it is: hints are about
// that file, and not about an output directory.
func OfArchive(err error, file string) error {
	if is[*extract.ConflictError](err) || is[*space.Error](err) || is[*fetch.DigestError](err) || is[*extract.CorruptError](err) {
		return &archiveError{err, file}
	}
	return err
}

type archiveError struct {
	error
	file string
}

// Unwrap gives the error.
func (e *archiveError) Unwrap() error { return e.error }

// Hint says what to do next.
func (e *archiveError) Hint() string {
	switch {
	case is[*space.Error](e.error):
		return "nothing was written; make room, or choose a file on another disk than " + e.file
	case is[*extract.ConflictError](e.error):
		return "nothing was changed; choose another file than " + e.file + " with --archive"
	}
	return strings.Replace(Hint(e.error), "nothing was extracted", "nothing was written", 1)
}

// hintForValue is about a word in braces that has no value.
func hintForValue(e *retrieve.UnknownValueError) string {
	switch {
	case e.Empty():
		return e.Hint()
	case e.Word == "{report}":
		return "{report} needs --report; use another word for the archive"
	case e.File:
		return "this token can't list jobs; name the file in --archive yourself"
	}
	return "this token can't list jobs; name the directory in --output yourself"
}
