package staging

import (
	"errors"
	"fmt"
	"syscall"
)

// ConflictError reports two things that can't both have one path.
type ConflictError struct {
	Path   string
	Reason string
	Twice  bool   // both are new; otherwise, one exists already
	By     string // names the archive of the second, if it is known

	Reserved bool // the caller writes its own file there
}

// Error implements error.
func (e *ConflictError) Error() string { return fmt.Sprintf("%q: %s", e.Path, e.Reason) }

// Hint says what to do next.
func (*ConflictError) Hint() string {
	return "nothing was changed; choose another directory, or other files"
}

// UnfitError reports a selected entry that this system or file system can't store,
// though others can. The archive isn't at fault.
type UnfitError struct {
	Entry  string // as it stands in the archive
	Reason string
	NoLink bool // no symbolic link can be made here
}

// Error implements error.
func (e *UnfitError) Error() string {
	return fmt.Sprintf("this system can't have a file named %q: %s", e.Entry, e.Reason)
}

// Hint says what to do next.
func (*UnfitError) Hint() string {
	return "nothing was extracted; leave it out, or use another system"
}

// unfitHere returns an [UnfitError] if err says that the file system rejects the
// name of a file that was to be created, and else err itself.
func unfitHere(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EILSEQ):
		return &UnfitError{Entry: name, Reason: "the file system rejects the name"}
	case errors.Is(err, syscall.ENAMETOOLONG):
		return &UnfitError{Entry: name, Reason: "it is too long for the file system"}
	}
	return err
}
