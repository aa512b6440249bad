package retrieve

import (
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Events are called while archives are retrieved, from any goroutine. Each may be nil.
type Events struct {
	// FallingBack is called with the next place to look for an archive that GitLab
	// refused.
	FallingBack func(resolve.Artifact)
	// Unreachable is called once if the storage that GitLab redirects to is unreachable.
	// GitLab then has to send the bytes itself.
	Unreachable func(*fetch.StorageError)
	// Opened is called for each archive that will be extracted, with its size in bytes,
	// and whether the server supports ranges.
	Opened func(a resolve.Artifact, size int64, ranges bool)
	// Costly is called for each archive whose ranges all go through GitLab's own server.
	Costly func(resolve.Artifact)
	// Listed is called with the cost of listing an archive.
	Listed func(fetch.Stats)
	// StartingOver is called if an archive changed during the download. Everything is
	// downloaded again.
	StartingOver func(error)
	// Waiting is called when a Waiter tries again, with the reason.
	Waiting func(pause time.Duration, because error)
	// NotCached is called with the reason why an archive isn't kept in the cache; with
	// [fetch.ErrNoETag] only once, because that concerns the server.
	NotCached func(error)
	// Sharing is told that another run is downloading an archive into the cache, and that
	// this one waits for it.
	Sharing func(resolve.Artifact)
	// Progress is called for each archive with the name of its job or source, and returns
	// the functions to call with its progress.
	Progress func(name string) Progress
}

// Progress receives the progress of one archive. Each function may be nil.
type Progress struct {
	// Spool gets the number of bytes of the whole archive that are on disk, and the
	// total: see [fetch.Options].
	Spool func(have, total int64)
	// Plan and Read get the number of bytes that will be read to extract the archive, and
	// how many were: see [extract.Options].
	Plan func(bytes int64)
	Read func(n int)
}

func (e Events) progress(name string) Progress {
	if e.Progress == nil {
		return Progress{}
	}
	return e.Progress(name)
}

// tell calls f unless it is nil.
func tell[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}
