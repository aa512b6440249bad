package fetch

import (
	"net/http"
	"os"
	"time"
)

// Backoff returns the pauses between failed attempts; a negative one ends them. Reset is
// called after real progress. [github.com/cenkalti/backoff/v4] has the same methods.
type Backoff interface {
	NextBackOff() time.Duration
	Reset()
}

// Options say how to open a file. Client is required.
type Options struct {
	// Client follows redirects, retries requests that fail before the headers arrive,
	// and adds credentials. It returns bodies as they arrive.
	Client *http.Client
	// Hasty replaces Client until the first answer arrives: it may give up sooner. Nil
	// means Client.
	Hasty *http.Client
	// Check returns the error for an answer that isn't a success. If it returns nil for
	// an unexpected status, the error is an [*AnswerError]. A nil Check always returns
	// nil.
	Check func(*http.Response) error
	// Backoff returns the pauses for one transfer. Nil means three attempts without
	// pauses.
	Backoff func() Backoff
	// Size is the archive's size in bytes according to GitLab. It saves a request. A
	// range of a file with another size is a [*SizeError]; so is a whole archive with
	// another size, or anything that is longer than both Size and 1 MiB. Zero means
	// unknown.
	Size int64
	// Soon receives GitLab's listing of the archive, if it's requested at the same time.
	// Open doesn't wait for it. Nil means never.
	Soon <-chan Listing
	// Partial says that only a part of the archive is needed. Reading then starts at its
	// end.
	Partial bool
	// RangesOnly makes Open return [ErrNoRanges] instead of downloading a large file
	// from a server that doesn't support ranges.
	RangesOnly bool
	// Connections is the maximum number of connections, including the first; each reader
	// of a [File.Range] may take one more. Zero means eight.
	Connections int
	// Share is how many files are open at the same time and share the memory. Zero means
	// one.
	Share int
	// SpoolDir is the directory for the archive if the server doesn't support ranges.
	// Empty means the system's directory for temporary files.
	SpoolDir string
	// Whole says that the whole file is wanted and that the caller can't check its bytes.
	// If the server doesn't identify them with a strong ETag, they come as one stream to
	// disk, which starts over if it breaks off. Into and Digest imply Whole; SHA256
	// checks the bytes, so they may come in parts.
	Whole bool
	// Into is a file that receives the whole archive before Open returns, replacing its
	// content. The caller closes it after the [File]. Nil means none.
	Into *os.File
	// CacheDir is a directory that keeps whole archives between runs. Empty means none.
	// An unchanged archive from the cache costs one request. An archive that isn't in the
	// cache is downloaded whole, even if only a part is needed.
	CacheDir string
	// CacheSize limits the cache, in bytes: the least recently used archives are removed.
	// Zero means 10 GiB.
	CacheSize int64
	// SHA256 is the digest that the archive must have, in lower-case hexadecimal. To
	// check it, Open downloads the whole archive. Empty means any.
	SHA256 string
	// Digest says that [File.SHA256] is needed. If the server doesn't send it, Open
	// downloads the whole archive.
	Digest bool
	// OnFound is called once, as soon as GitLab sends the file or redirects to it. Nil means
	// to ignore it.
	OnFound func()
	// OnCacheError is called with the reason if an archive can't be cached: [ErrNoETag]
	// or an error of the file system. Nil means to ignore it.
	OnCacheError func(error)
	// OnCacheWait is called if another run is downloading the archive into the cache, and
	// Open waits for that. Nil means to ignore it.
	OnCacheWait func()
	// OnSpool is called while the whole file is downloaded to disk, because the server
	// doesn't support ranges, or for the cache or a digest. Its arguments are the bytes
	// that have arrived and their total, or -1. It may start over with another total.
	// Calls don't overlap. Nil means not to report.
	OnSpool func(have, total int64)
	// Meter counts the cost of several files together. Nil means to count only this one.
	Meter *Meter
	// Servers remembers what servers don't support, for all files of one run. If it is
	// nil, each file finds out for itself.
	Servers *Servers
}

// Listing is what GitLab lists about an archive while it is being opened. It may describe
// another archive, so a wrong size only costs time.
type Listing struct {
	Size int64 // in bytes
	// URL is the archive's address for later requests, if the archive has that size: see
	// [File.UseAddress]. Empty means the address that was opened.
	URL string
}

func (o Options) withDefaults() Options {
	if o.Check == nil {
		o.Check = func(*http.Response) error { return nil }
	}
	if o.Backoff == nil {
		o.Backoff = func() Backoff { return new(attempts) }
	}
	if o.Connections <= 0 {
		o.Connections = downloadParts
	}
	if o.CacheSize <= 0 {
		o.CacheSize = defaultCacheSize
	}
	if o.OnFound == nil {
		o.OnFound = func() {}
	}
	if o.OnCacheError == nil {
		o.OnCacheError = func(error) {}
	}
	if o.OnCacheWait == nil {
		o.OnCacheWait = func() {}
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

// atOnce reports whether nothing but a strong ETag can tell that all bytes of the file
// belong together.
func (o Options) atOnce() bool { return (o.Whole || o.Into != nil || o.Digest) && o.SHA256 == "" }

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
