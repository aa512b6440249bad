package failure

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// OfStorage reports whether GitLab has found an archive, but its storage can't be reached
// or doesn't send it.
func OfStorage(err error) bool {
	refusal, refused := errors.AsType[*gitlab.Error](err)
	return refused && refusal.FromStorage || is[*fetch.StorageError](err)
}

// serverCode returns the code for the server's answers, and for the lack of them.
func serverCode(err error) Code {
	switch {
	case is[*resolve.NotFoundError](err):
		return CodeNotFound
	case is[*resolve.DefaultBranchError](err):
		return defaultBranchCode(err)
	case is[*resolve.NoArchiveError](err), is[*resolve.StateError](err), is[*jobs.NoLogError](err), is[*retrieve.OldServerError](err):
		return CodeNoArchive
	case is[*jobs.WaitingError](err), is[*jobs.NotCanceledError](err), is[*jobs.OldServerError](err):
		return CodeRefused
	case is[*resolve.ClosedError](err), is[*resolve.DownstreamError](err), is[*jobs.TokenError](err):
		return CodeDenied
	case is[*retrieve.NotProxiedError](err):
		return CodeServer
	}
	if refusal, ok := errors.AsType[*gitlab.Error](err); ok {
		switch {
		case refusal.FromStorage, refusal.NotAPI():
			return CodeServer // it refuses its own address, or isn't GitLab's API
		case refusal.NotNow():
			return CodeRefused
		}
		return statusCode(refusal.StatusCode)
	}
	if onTheWay(err) {
		return CodeServer
	}
	return CodeDone
}

// onTheWay reports whether no usable answer arrived.
func onTheWay(err error) bool {
	return is[*jobs.LogBrokenError](err) || is[*url.Error](err) || is[*net.OpError](err) || is[*fetch.BrokenError](err) || is[*fetch.AnswerError](err) || errors.Is(err, context.DeadlineExceeded)
}

// defaultBranchCode distinguishes a project without a default branch from one that a job
// token can't read.
func defaultBranchCode(err error) Code {
	if unknown, ok := errors.AsType[*resolve.DefaultBranchError](err); ok && unknown.Err == nil {
		return CodeNotFound
	}
	return CodeDenied
}

func statusCode(status int) Code {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return CodeDenied
	case http.StatusNotFound:
		return CodeNotFound
	case http.StatusMethodNotAllowed:
		return CodeRefused // the project has moved
	}
	return CodeServer
}
