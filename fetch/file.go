// Package fetch reads a remote archive without downloading it first. A [File] can be read
// in two ways:
//
//	ReadAt   small random reads: an archive's directory
//	Range    long sequential reads: a region, as a stream
//
// Opening a file (open.go):
//
//	request the whole file, without an end (or only its end, if a part is wanted)
//	  206 → the server supports ranges; keep what arrives
//	  200 → it doesn't: download everything to a spool file (spool.go)
//	  anything else → another request, or an error: answer.go decides
//
// The first stream is the answer to the first request. At the same time, other connections
// deliver the tail of the file, which contains the directory; share.go decides how much:
//
//	up to 2 MiB    the first stream alone delivers the file
//	up to 16 MiB   the others deliver as much of the tail as they can until they meet the
//	               first stream, and the whole file stays in memory
//	more           the first stream delivers the front, and then continues with one region
//	               after the other (onward.go)
//
// They start when the first answer has the size, or earlier, if a listing has it and
// GitLab has redirected to its storage (early.go).
//
// Reading the file: arrival.go holds the parts in memory, blocks.go caches small reads,
// run.go joins what a reader needs, reader.go streams ranges and resumes them. remote.go
// knows the address (address.go) and checks each answer against the first one
// (validator.go): total size, and strong ETag or date if they come from the same host. If
// the object changed, all reads fail with [ErrChanged]; bytes of two archives never mix.
// If nothing else checks the bytes of a whole file and there is no strong ETag, one
// answer delivers it ([Options.Whole]). cache.go and evict.go keep whole archives between runs.
//
// If a body breaks off, a new request continues at that byte. A body of less than 64 KiB
// counts as a failed attempt, and failed attempts are limited. The address that GitLab
// redirects to is pre-signed and expires; all ranges use it until it stops working, then
// a new one is requested.
//
// Memory: up to 16 MiB for a whole file. For a larger one, its first 4 MiB, up to 2 MiB
// of its end, and eight blocks of 256 KiB. Range buffers nothing. Files that are open at
// the same time share the memory ([Options.Share]).
package fetch

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// File is a remote file. All methods may be called concurrently. The context given to
// [Open] also limits all later reads.
type File struct {
	ctx    context.Context // io.ReaderAt takes none
	remote *remote
	size   int64
	blocks *blockCache

	arrivals    []*arrival   // parts that are in memory or arriving, in order
	firstStream *firstStream // the first arrival, if its connection may deliver more; or nil
	requests    atomic.Int32 // of readers of ranges
	spool       *os.File     // the whole file on disk; nil while it is read by ranges
	kept        bool         // the spool belongs to the cache
	lent        bool         // the spool belongs to the caller
	cached      bool         // it was already in the cache
	sha256      string
}

// Size returns the size of the file in bytes.
func (f *File) Size() int64 { return f.size }

// SHA256 returns the archive's digest as 64 hexadecimal digits, if GitLab sent it as a
// strong ETag (since 2026; lib/api/ci/job_artifacts.rb) or if the whole file was
// downloaded. Otherwise it returns "".
func (f *File) SHA256() string { return f.sha256 }

// Identified returns when the answer arrived that says which object is open: GitLab chose
// it at some time before that.
func (f *File) Identified() time.Time { return f.remote.identified }

// Latency returns how long the last request waited for the response headers.
func (f *File) Latency() time.Duration { return time.Duration(f.remote.latency.Load()) }

// RoundTrip returns how far away the server is that serves the bytes, or zero if no
// connection was opened.
func (f *File) RoundTrip() time.Duration { return time.Duration(f.remote.timing.trip.Load()) }

// Ahead returns how many bytes are in memory. Reading them says nothing about the speed
// of the network.
func (f *File) Ahead() int64 {
	var n int64
	for _, a := range f.arrivals {
		n += a.there()
	}
	return n
}

// Onward returns the end of the bytes that the first connection delivers sooner than a
// new one would: a reader that starts at the front should read them. It returns 0 if that
// doesn't matter.
func (f *File) Onward() int64 {
	if f.firstStream == nil || f.size <= f.remote.sizes.whole { // or the whole file is arriving
		return 0
	}
	return min(f.firstStream.body.end, f.remote.sizes.whole)
}

// Redirected reports whether the bytes come from another address than the one that was
// opened: from object storage rather than through GitLab.
func (f *File) Redirected() bool { return f.remote.redirected() }

// Stats returns what the file has cost so far, or all files that share its [Meter].
func (f *File) Stats() Stats {
	s := f.remote.meter.Stats()
	s.Spooled, s.Cached = f.spool != nil && !f.kept && f.blocks == nil, f.cached
	return s
}

// Certain reports whether all bytes certainly belong to the same archive, which is
// important if nothing else checks them: one answer has delivered the whole file, or each
// has the same strong ETag. From then on, reading an answer without that is [ErrChanged].
// If it returns false, the file can be opened with [Options.Whole].
func (f *File) Certain() bool {
	if f.spool != nil || f.remote.insist() {
		return true
	}
	only := f.arrivals[0]
	return only.off == 0 && only.there() == f.size && only.body.answers == 0
}

// ReadAt implements [io.ReaderAt]. Reading new bytes costs a request for the blocks
// around them; reading more than a few blocks is a request of its own.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("fetch: negative offset")
	}
	if off >= f.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > f.size-off {
		p, end = p[:f.size-off], io.EOF
	}
	n, err := f.readAt(p, off)
	if err == nil {
		err = end
	}
	return n, err
}

func (f *File) readAt(p []byte, off int64) (int, error) {
	switch {
	case f.spool != nil:
		return f.spool.ReadAt(p, off)
	case f.arriving(off, off+int64(len(p))):
		return f.direct(p, off)
	case len(p) <= maxBlockRead:
		return f.blocks.ReadAt(p, off)
	}
	return f.readLong(p, off)
}

// arriving reports whether all bytes from off to end are in memory or arriving.
func (f *File) arriving(off, end int64) bool {
	for _, a := range f.arrivals {
		if off < end && a.begin(off, end) {
			off = a.end()
		}
	}
	return off >= end
}

// direct reads with its own stream.
func (f *File) direct(p []byte, off int64) (int, error) {
	body, err := f.Range(f.ctx, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	defer func() { _ = body.Close() }() // fully read, or already failed
	return io.ReadFull(body, p)
}

type readerAt func(p []byte, off int64) (int, error)

// ReadAt implements [io.ReaderAt].
func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r(p, off) }

// Close releases the file's resources.
func (f *File) Close() error {
	for _, a := range f.arrivals {
		a.close()
	}
	if f.spool == nil || f.lent {
		return nil
	}
	err := f.spool.Close()
	if f.kept {
		return err
	}
	if removed := os.Remove(f.spool.Name()); err == nil && !errors.Is(removed, os.ErrNotExist) {
		err = removed
	}
	return err
}
