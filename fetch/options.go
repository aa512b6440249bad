package fetch

import (
	"net/http"
	"time"
)

// Backoff gives the pauses between failed attempts; a negative one ends them. Reset is
// called after real progress. [github.com/cenkalti/backoff/v4] has its like.
type Backoff interface {
	NextBackOff() time.Duration
	Reset()
}

// Options say how to open a file. Client is required.
type Options struct {
	// Client follows redirects, repeats requests that fail before the headers
	// arrive, and adds credentials.
	Client *http.Client
	// Check makes the error of an answer that isn't a success. Where it finds nothing
	// wrong with a status that wasn't asked for, that is an [*AnswerError]. Nil means
	// always.
	Check func(*http.Response) error
	// Backoff returns the pauses for one transfer. Nil means three attempts
	// without pauses.
	Backoff func() Backoff
	// Size of the archive in bytes, if a listing told it: it saves a request, and a
	// server without ranges may not send more. Zero means unknown.
	Size int64
	// Partial tells that a part of the archive is wanted, so that reading it
	// begins at its end.
	Partial bool
	// RangesOnly asks for [ErrNoRanges] instead of the whole file, unless that is
	// small.
	RangesOnly bool
	// SpoolDir is where the archive is put if the server has no ranges. Empty
	// means the system's directory for temporary files.
	SpoolDir string
	// CacheDir is a directory that keeps whole archives between runs. Empty means
	// none. An archive with a strong ETag that is there already, and has not
	// changed, costs one request; one that is not is downloaded whole, whatever is
	// wanted of it.
	CacheDir string
	// CacheSize bounds the cache, in bytes: what was not used for longest goes. Zero
	// means [DefaultCacheSize].
	CacheSize int64
	// SHA256 is the digest that the archive must have, in lower-case hexadecimal. It
	// makes the whole archive travel, whatever is wanted of it. Empty means any.
	SHA256 string
	// Digest tells that [File.SHA256] is wanted: where the server does not tell it,
	// the whole archive travels.
	Digest bool
	// OnCacheError is told why an archive isn't kept: [ErrNoETag], or an error of the
	// file system. Nil means that the reason is ignored.
	OnCacheError func(error)
	// OnSpool is told how many bytes of the whole file have come, and how many there
	// are, or -1, while it is put on disk: because there are no ranges, or for the
	// cache or a digest. It may begin again, with another total. Calls don't overlap.
	// Nil means that nothing is told.
	OnSpool func(have, total int64)
	// Meter counts the cost of several files together. Nil means of this one alone.
	Meter *Meter
	// Servers is what was found out about servers, to be shared by the files of one
	// run. Nil means that every file finds out by itself.
	Servers *Servers
}

func (o Options) withDefaults() Options {
	if o.Check == nil {
		o.Check = func(*http.Response) error { return nil }
	}
	if o.Backoff == nil {
		o.Backoff = func() Backoff { return new(attempts) }
	}
	if o.CacheSize <= 0 {
		o.CacheSize = DefaultCacheSize
	}
	if o.OnCacheError == nil {
		o.OnCacheError = func(error) {}
	}
	if o.OnSpool == nil {
		o.OnSpool = func(int64, int64) {}
	}
	if o.Meter == nil {
		o.Meter = new(Meter)
	}
	if o.Servers == nil {
		o.Servers = new(Servers)
	}
	return o
}

// attempts is the default Backoff: three attempts, no pauses.
type attempts int

// NextBackOff implements [Backoff].
func (a *attempts) NextBackOff() time.Duration {
	if *a++; *a > 2 {
		return -1
	}
	return 0
}

// Reset implements [Backoff].
func (a *attempts) Reset() { *a = 0 }
