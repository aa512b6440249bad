package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"gitlab.com/artifetch/artifetch/internal/jobs"
)

// Signal is the cause of a context that a signal ended.
type Signal struct{ Signal os.Signal }

// Error implements error.
func (s Signal) Error() string { return "stopped by signal: " + s.Signal.String() }

// ExitCode is 128 and the signal's number, as shells have it.
func (s Signal) ExitCode() int { return int(s.code()) }

func (s Signal) code() code {
	switch s.Signal {
	case os.Interrupt:
		return codeInterrupted
	case syscall.SIGHUP:
		return codeHungUp
	}
	return codeTerminated
}

// stopped is what there is to say if ctx ended before a command did. A signal
// explains every error that follows from it, except for those that matter
// afterwards: a request that GitLab may have acted on, and the file system.
func stopped(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil || cause == nil:
		return err
	case is[Signal](cause) && !hasActed(err) && localCode(err) == codeDone:
		return cause
	case errors.Is(err, cause):
		return err
	}
	return &stoppedError{cause, err}
}

// hasActed reports whether an error tells what became of a request that changes
// something.
func hasActed(err error) bool { return is[*jobs.UnsureError](err) || is[*jobs.RefusedError](err) }

// stoppedError is an error that came after a run was stopped.
type stoppedError struct{ cause, err error }

// Error implements error.
func (e *stoppedError) Error() string { return e.cause.Error() + " (" + e.err.Error() + ")" }

// Unwrap gives both.
func (e *stoppedError) Unwrap() []error { return []error{e.cause, e.err} }

// Hint is that of the error. Of one that follows from a signal, it would mislead.
func (e *stoppedError) Hint() string {
	if hasActed(e.err) || !is[Signal](e.cause) {
		return ownHint(e.err)
	}
	return ""
}

// readerLeft reports whether err says that nothing reads standard output any more,
// as in artifetch ls | head -1. That is no mistake of anybody's.
func readerLeft(out io.Writer, err error) bool {
	f, isFile := out.(*os.File)
	failed, ok := errors.AsType[*fs.PathError](err)
	return isFile && ok && failed.Path == f.Name() && errors.Is(failed, syscall.EPIPE)
}
