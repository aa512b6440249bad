package retrieve

import (
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Events are called while archives are retrieved, from any goroutine. Each may be nil.
type Events struct {
	// FallingBack is told the next place to look for an archive whose download GitLab
	// refused.
	FallingBack func(resolve.Artifact)
	// Unreachable is told, once, that the storage that GitLab redirects to can't be
	// reached. GitLab is asked to send the bytes itself.
	Unreachable func(*fetch.StorageError)
	// Opened is told about each archive that is going to be extracted, its size in
	// bytes, and whether it comes in ranges.
	Opened func(a resolve.Artifact, size int64, ranges bool)
	// Costly is told about each archive whose every range passes GitLab's own server.
	Costly func(resolve.Artifact)
	// Listed is told what it cost to list an archive.
	Listed func(fetch.Stats)
	// StartingOver is told that an archive changed while it was downloaded. Everything
	// is downloaded again.
	StartingOver func(error)
	// Waiting is told when a Waiter tries again, and why.
	Waiting func(pause time.Duration, because error)
	// NotCached is told why an archive isn't kept in the cache; [fetch.ErrNoETag] comes
	// only once, because it is about the server.
	NotCached func(error)
	// Sharing is told that another run is downloading an archive into the cache, and that
	// this one waits for it.
	Sharing func(resolve.Artifact)
	// Progress is called for each archive, with the name of its job or source, and
	// returns who is told how far it is.
	Progress func(name string) Progress
}

// Progress is told how far one archive is. Each function may be nil.
type Progress struct {
	// Spool is told how many bytes of the whole archive are on disk, and how many there
	// are: see [fetch.Options].
	Spool func(have, total int64)
	// Plan and Read are told how many bytes are going to be read to extract the
	// archive, and how many were: see [extract.Options].
	Plan func(bytes int64)
	Read func(n int)
}

func (e Events) progress(name string) Progress {
	if e.Progress == nil {
		return Progress{}
	}
	return e.Progress(name)
}

// tell calls f, if there is one.
func tell[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}
