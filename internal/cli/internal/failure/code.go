// Package failure says how the command line reports an error: its exit code, its words
// and its hint.
//
//	code.go           error → exit code
//	servercode.go     the same for a server's refusals
//	problem.go        error → words; what a signal explains
//	hints.go          the hints that name flags, by the type of the error; queryhints.go,
//	                  retrievalhints.go, networkhints.go and synchints.go have most of them
//	query.go          errors about a query, with the flags that caused them
package failure

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/checkout"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/manifest"
)

// Code is an exit code. They are an interface: GitLab's
// allow_failure:exit_codes and retry:exit_codes read them. Never renumber.
type Code int

// The exit codes; Codes explains them.
const (
	CodeDone        Code = 0
	CodeInternal    Code = 1
	CodeUsage       Code = 2
	CodeNotFound    Code = 3
	CodeNoArchive   Code = 4
	CodeDenied      Code = 5
	CodeServer      Code = 6
	CodeIntegrity   Code = 7
	CodeUnsafe      Code = 8
	CodeLocal       Code = 9
	CodeNoMatch     Code = 10
	CodeWaited      Code = 11
	CodeRefused     Code = 12
	CodeHungUp      Code = 129
	CodeInterrupted Code = 130
	CodePipe        Code = 141
	CodeTerminated  Code = 143
)

// Codes returns the meaning of the codes, as in the documentation.
func Codes() map[Code]string {
	return map[Code]string{
		CodeDone:        "done",
		CodeInternal:    "internal error",
		CodeUsage:       "usage or configuration",
		CodeNotFound:    "no such project, ref, pipeline or job",
		CodeNoArchive:   "the job has no archive, report or log, or it has expired, or the job has not succeeded",
		CodeDenied:      "token missing, refused, of the wrong kind, or not allowed",
		CodeServer:      "network or server, after all retries",
		CodeIntegrity:   "corrupt, truncated, or the digest differs",
		CodeUnsafe:      "unsafe archive, or over a limit",
		CodeLocal:       "local file system: disk full, permission, conflict",
		CodeNoMatch:     "no file matched the given paths",
		CodeWaited:      "--wait ran out",
		CodeRefused:     "the server refuses in the current state: a job that is not playable, retryable, erasable, …",
		CodeHungUp:      "the terminal was closed (SIGHUP)",
		CodeInterrupted: "interrupted (SIGINT, ^C)",
		CodePipe:        "standard output was closed by its reader, as by head (SIGPIPE)",
		CodeTerminated:  "terminated (SIGTERM)",
	}
}

// ErrDeadline is the cancellation cause of a context that --deadline ended.
var ErrDeadline = errors.New("--deadline exceeded")

// Of returns an error's code. Our own types come first; then the network, whose errors
// contain system errors like those of the file system; then the file system.
func Of(err error) Code {
	for _, sort := range []func(error) Code{signalCode, ownCode, usageCode, contentCode, limitCode, serverCode, localCode} {
		if c := sort(err); c != CodeDone {
			return c
		}
	}
	return CodeInternal
}

func signalCode(err error) Code {
	stopped, ok := errors.AsType[Signal](err)
	switch {
	case ok:
		return stopped.code()
	case errors.Is(err, ErrDeadline):
		return CodeServer
	case is[*retrieve.TimeoutError](err):
		return CodeWaited
	}
	return CodeDone
}

func ownCode(err error) Code {
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Code
	}
	if e, ok := errors.AsType[*pin.LockError](err); ok {
		return lockCode(e)
	}
	return CodeDone
}

// lockCode distinguishes a token that can't find what to lock from what isn't as locked.
func lockCode(e *pin.LockError) Code {
	if e.Reason == pin.UnknownJob {
		return CodeDenied
	}
	return CodeIntegrity
}

// ofUsage are the errors that are the user's mistakes.
var ofUsage = []func(error) bool{
	is[cli.ExitCoder], is[*extract.PatternError], is[*manifest.Error], is[*dotenv.Error], is[*arrange.Error], is[*webaddress.Error],
	is[*retrieve.SeveralJobsError], is[*retrieve.UnknownIDError], is[*retrieve.UnknownValueError], is[*retrieve.OneFileError],
	is[*checkout.ElsewhereError], is[*checkout.UnclearError], is[*pin.OutsideError], is[*smallfile.TooLargeError],
	func(err error) bool { return errors.Is(err, env.ErrUsage) },
}

func usageCode(err error) Code {
	if slices.ContainsFunc(ofUsage, func(is func(error) bool) bool { return is(err) }) {
		return CodeUsage
	}
	return CodeDone
}

// contentCode returns the code if the archive itself is wrong.
func contentCode(err error) Code {
	switch {
	case is[*extract.NoMatchError](err):
		return CodeNoMatch
	case is[*extract.SeveralFilesError](err):
		return CodeUsage
	case is[*extract.UnsafeError](err), is[*extract.LimitError](err), is[*extract.UnsupportedError](err), is[*extract.NotZipError](err):
		return CodeUnsafe
	case is[*extract.ConflictError](err), is[*extract.UnfitError](err), is[*extract.RescueError](err), is[*pin.StaleError](err):
		return CodeLocal
	case is[*extract.CorruptError](err), is[*extract.NotArchiveError](err), is[*fetch.DigestError](err),
		is[*extract.ProvenanceError](err), is[*pin.DriftError](err), errors.Is(err, fetch.ErrChanged):
		return CodeIntegrity
	}
	return CodeDone
}

// limitCode returns the code for errors about local limits, even if they made a
// connection fail.
func limitCode(err error) Code {
	if openfiles.Exhausted(err) {
		return CodeLocal
	}
	return CodeDone
}

func localCode(err error) Code {
	if is[*fs.PathError](err) || is[*os.LinkError](err) || is[*os.SyscallError](err) || is[syscall.Errno](err) {
		return CodeLocal
	}
	return CodeDone
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
