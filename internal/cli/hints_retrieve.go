package cli

import (
	"strings"

	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
)

// lockHints say what to do about a source that can't be had as it is locked.
var lockHints = map[pin.Reason]string{
	pin.NotLocked:  "run artifetch sync without --locked, outside CI, and commit the lock file",
	pin.NoRequests: "run artifetch sync without --offline once",
	pin.NotInPlace: "artifetch verify says which; run artifetch sync without --offline",
	pin.Replaced:   "someone has changed the archive of a job that has ended; --update takes it as it is now",
}

func hintForRetrieval(h hinter) string {
	switch e := h.(type) {
	case *pin.LockError:
		return lockHints[e.Reason]
	case *pin.OutsideError:
		return "choose a file below it with --lock"
	case *retrieve.UnlistedError:
		return "GitLab lists archives since 18.8, if the job's ID is known; leave out --server to read the archive itself"
	case *retrieve.SeveralJobsError:
		if e.Digest {
			return "name one job, or leave out --sha256"
		}
	case *retrieve.UnknownWordError:
		return "use one of " + strings.Join(e.Known, ", ") + " in --output, or no braces"
	case *retrieve.UnknownValueError:
		return "this token can't list jobs; name the directory in --output yourself"
	case *webaddress.Error:
		if e.OtherServer {
			return "give --server-url, or " + e.Fix
		}
	}
	return ""
}
