package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/openfiles"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/smallfile"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// code is an exit code. They are an interface: GitLab's
// allow_failure:exit_codes and retry:exit_codes read them. Never renumber.
type code int

const (
	codeDone        code = 0
	codeInternal    code = 1
	codeUsage       code = 2
	codeNotFound    code = 3
	codeNoArchive   code = 4
	codeDenied      code = 5
	codeServer      code = 6
	codeIntegrity   code = 7
	codeUnsafe      code = 8
	codeLocal       code = 9
	codeNoMatch     code = 10
	codeWaited      code = 11
	codeRefused     code = 12
	codeHungUp      code = 129
	codeInterrupted code = 130
	codePipe        code = 141
	codeTerminated  code = 143
)

// codes is what they mean, in the words of the documentation.
func codes() map[code]string {
	return map[code]string{
		codeDone:        "done",
		codeInternal:    "internal error",
		codeUsage:       "usage or configuration",
		codeNotFound:    "no such project, ref, pipeline or job",
		codeNoArchive:   "the job has no archive, or it has expired, or the job has not succeeded",
		codeDenied:      "token missing, refused, of the wrong kind, or not allowed",
		codeServer:      "network or server, after all retries",
		codeIntegrity:   "corrupt, truncated, or the digest differs",
		codeUnsafe:      "unsafe archive, or over a limit",
		codeLocal:       "local file system: disk full, permission, conflict",
		codeNoMatch:     "no file matched the given paths",
		codeWaited:      "--wait ran out",
		codeRefused:     "the server refuses as things stand: a job that is not playable, retryable, erasable, …",
		codeHungUp:      "the terminal was closed (SIGHUP)",
		codeInterrupted: "interrupted (SIGINT, ^C)",
		codePipe:        "standard output was closed by its reader, as by head (SIGPIPE)",
		codeTerminated:  "terminated (SIGTERM)",
	}
}

// errDeadline is the cause of a context that --deadline ended.
var errDeadline = errors.New("the time of --deadline is over")

// exitCode sorts an error. Own types come first; then the network, whose errors
// hold system errors as those of the file system do; then the file system.
func exitCode(err error) code {
	for _, sort := range []func(error) code{signalCode, ownCode, usageCode, contentCode, limitCode, serverCode, localCode} {
		if c := sort(err); c != codeDone {
			return c
		}
	}
	return codeInternal
}

func signalCode(err error) code {
	stopped, ok := errors.AsType[Signal](err)
	switch {
	case ok:
		return stopped.code()
	case errors.Is(err, errDeadline):
		return codeServer
	case is[*retrieve.TimeoutError](err):
		return codeWaited
	}
	return codeDone
}

func ownCode(err error) code {
	if own, ok := errors.AsType[*failure](err); ok {
		return own.code
	}
	return codeDone
}

func usageCode(err error) code {
	if is[cli.ExitCoder](err) || is[*extract.PatternError](err) || is[*manifest.Error](err) || is[*dotenv.Error](err) || is[*arrange.Error](err) || is[*retrieve.SeveralJobsError](err) || is[*retrieve.UnknownIDError](err) || is[*retrieve.UnknownValueError](err) || is[*webaddress.Error](err) || is[*pin.OutsideError](err) || is[*smallfile.TooLargeError](err) || errors.Is(err, env.ErrUsage) {
		return codeUsage
	}
	return codeDone
}

// contentCode sorts what is wrong with the archive itself.
func contentCode(err error) code {
	switch {
	case is[*extract.NoMatchError](err):
		return codeNoMatch
	case is[*extract.UnsafeError](err), is[*extract.LimitError](err), is[*extract.UnsupportedError](err):
		return codeUnsafe
	case is[*extract.ConflictError](err), is[*extract.UnfitError](err), is[*extract.RescueError](err):
		return codeLocal
	case is[*extract.CorruptError](err), is[*extract.NotArchiveError](err), is[*fetch.DigestError](err),
		is[*extract.ProvenanceError](err), is[*pin.LockError](err),
		errors.Is(err, fetch.ErrChanged):
		return codeIntegrity
	}
	return codeDone
}

// limitCode sorts errors about local limits, even if a connection failed by them.
func limitCode(err error) code {
	if openfiles.Exhausted(err) {
		return codeLocal
	}
	return codeDone
}

// serverCode sorts what the server said, and what kept it from saying it.
func serverCode(err error) code {
	switch {
	case is[*resolve.NotFoundError](err):
		return codeNotFound
	case is[*resolve.NoArchiveError](err), is[*resolve.StateError](err):
		return codeNoArchive
	case is[*jobs.WaitingError](err):
		return codeRefused
	case is[*resolve.ClosedError](err), is[*resolve.DownstreamError](err), is[*jobs.TokenError](err):
		return codeDenied
	}
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		switch {
		case refusal.FromStorage:
			return codeServer // it refuses its own address, not the token
		case refusal.NotNow():
			return codeRefused
		}
		return statusCode(refusal.StatusCode)
	}
	if is[*jobs.LogBrokenError](err) || is[*url.Error](err) || is[*net.OpError](err) || is[*fetch.BrokenError](err) || is[*fetch.AnswerError](err) || errors.Is(err, context.DeadlineExceeded) {
		return codeServer
	}
	return codeDone
}

func statusCode(status int) code {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return codeDenied
	case http.StatusNotFound:
		return codeNotFound
	case http.StatusMethodNotAllowed:
		return codeRefused // of a project that has moved
	}
	return codeServer
}

func localCode(err error) code {
	if is[*fs.PathError](err) || is[*os.LinkError](err) || is[*os.SyscallError](err) || is[syscall.Errno](err) {
		return codeLocal
	}
	return codeDone
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
