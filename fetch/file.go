// Package fetch reads a remote archive without downloading it first. A [File]
// has two faces:
//
//	ReadAt   for what is small and random: the directory of an archive
//	Range    for what is long and sequential: a region of it, as a stream
//
// Opening a file (open.go):
//
//	request the first MiB (or the end, if only a part is wanted)
//	  206 → the server supports ranges; keep what arrives
//	  200 → it doesn't: download everything to a spool file (spool.go)
//	  anything else → another request, or an error: answer.go decides
//
// Reading it: head.go keeps the first answer, tail.go requests the end beside it,
// blocks.go caches small reads, reader.go streams ranges and resumes them. remote.go
// knows the address and checks each answer against the first one (validator.go): total
// size, and strong ETag or date if they come from the same host. If the object changed,
// all reads fail with [ErrChanged]; bytes of two archives never mix. cache.go and
// evict.go keep whole archives between runs.
//
// If a body breaks off, a new request continues at that byte. A body of less than 64 KiB
// counts as a failed attempt, and the number of those is limited. The address that
// GitLab redirects to is pre-signed and expires; it is used for all ranges, and
// requested again when it no longer answers.
//
// Memory: the beginning of the file (1 MiB), its end (at most 2 MiB) and eight blocks of
// 256 KiB, whatever the size of the file. Range buffers nothing.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// File is a remote file. All methods may be called concurrently. The context
// given to [Open] bounds everything that is read later.
type File struct {
	ctx    context.Context // io.ReaderAt has no place for one
	remote *remote
	size   int64
	blocks *blockCache

	mu     sync.Mutex
	known  []segment // of earlier answers
	head   *head     // the beginning of a large file; nil if it wasn't requested first
	tail   *tail     // the end of a large file, while it arrives; nil if it isn't requested
	spool  *os.File  // the whole file on disk; nil while it is read by ranges
	kept   bool      // the spool is the cache's
	cached bool      // it was there already
	sha256 string
}

// segment is a piece of the file in memory.
type segment struct {
	off  int64
	data []byte
}

func (s segment) end() int64 { return s.off + int64(len(s.data)) }

// Size returns the size of the file in bytes.
func (f *File) Size() int64 { return f.size }

// SHA256 returns the archive's digest as 64 hexadecimal digits, if GitLab sent it as a
// strong ETag (since 2026; lib/api/ci/job_artifacts.rb) or if all of the file is here.
// Otherwise it returns "".
func (f *File) SHA256() string { return f.sha256 }

// Latency returns how long the last request took until its headers arrived.
func (f *File) Latency() time.Duration { return time.Duration(f.remote.latency.Load()) }

// Ahead returns how many bytes of the beginning are in memory. How fast they are read
// says nothing about how fast others arrive.
func (f *File) Ahead() int64 { return f.head.there() }

// Redirected reports whether the bytes come from another address than the one that was
// opened: from object storage, and not through GitLab.
func (f *File) Redirected() bool { return f.remote.redirected() }

// Stats returns what the file cost so far, or all files that share its [Meter].
func (f *File) Stats() Stats {
	s := f.remote.meter.Stats()
	s.Spooled, s.Cached = f.spool != nil && !f.kept, f.cached
	return s
}

// ReadAt implements [io.ReaderAt]. Bytes that weren't read before cost a request for the
// blocks around them; a read of more than a few blocks is a request of its own.
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
	if f.spool != nil {
		return f.spool.ReadAt(p, off)
	}
	if end := off + int64(len(p)); f.head != nil && end <= f.head.end() && f.head.begin(off, end) {
		return io.ReadFull(&headReader{f.head, f.ctx, off, end}, p)
	}
	if s, ok := f.segmentAt(off); ok && off+int64(len(p)) <= s.end() {
		return copy(p, s.data[off-s.off:]), nil
	}
	if len(p) <= maxBlockRead {
		return f.blocks.ReadAt(p, off)
	}
	return f.readLong(p, off)
}

// segmentAt returns the segment in memory at off. It waits for the end of a large file,
// if that is still arriving.
func (f *File) segmentAt(off int64) (segment, bool) {
	if f.tail != nil && off >= f.tail.off {
		<-f.tail.done
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.known, func(s segment) bool { return off >= s.off && off < s.end() })
	if i < 0 {
		return segment{}, false
	}
	return f.known[i], true
}

// Range returns a reader of n bytes from off. It streams one request, and makes more only
// if that breaks off; it doesn't request bytes again that earlier answers brought. The
// caller must close the reader. Closing it early costs the connection.
func (f *File) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil, fmt.Errorf("fetch: range %d+%d is beyond the %d bytes of the archive", off, n, f.size)
	}
	if f.spool != nil {
		return io.NopCloser(io.NewSectionReader(f.spool, off, n)), nil
	}
	end := off + n
	var before, after []byte
	if s, ok := f.segmentAt(off); ok {
		before = s.data[off-s.off:][:min(n, s.end()-off)]
	}
	if s, ok := f.segmentAt(end - 1); ok && s.off > off {
		after = s.data[:end-s.off]
	}
	from, to := off+int64(len(before)), end-int64(len(after))
	if from >= to {
		return io.NopCloser(io.MultiReader(bytes.NewReader(before), bytes.NewReader(after))), nil
	}
	body := f.stream(ctx, from, to)
	parts := []io.Reader{bytes.NewReader(before), body, bytes.NewReader(after)}
	if f.head.begin(from, to) {
		body.off = min(f.head.end(), to)
		parts[0] = &headReader{f.head, body.ctx, from, body.off}
		if body.off < to && f.head.there() < f.head.end()/2 {
			// Request the rest beside the head. When the head is nearly complete, its
			// connection will do: by then it is faster than any new one.
			body.start()
		}
	}
	return joined{io.MultiReader(parts...), body}, nil
}

// joined is a stream between two pieces of memory.
type joined struct {
	io.Reader
	io.Closer
}

// stream returns a reader that ends with ctx, or with the context of the file.
func (f *File) stream(ctx context.Context, from, to int64) *reader {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(f.ctx, func() { cancel(context.Cause(f.ctx)) })
	body := f.remote.reader(ctx, from, to)
	body.onClose = func() { stop(); cancel(nil) }
	return body
}

// Close releases what the file holds.
func (f *File) Close() error {
	f.tail.close()
	if f.head != nil {
		f.head.close()
	}
	if f.spool == nil {
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
