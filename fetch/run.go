package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Range returns a reader of n bytes from off. It takes them from memory if they are there
// or on their way. For the rest it streams one request, and makes more only if that
// breaks off. The caller must close the reader. Closing it early costs the connection.
func (f *File) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil, fmt.Errorf("fetch: range %d+%d is beyond the %d bytes of the archive", off, n, f.size)
	}
	if f.spool != nil {
		return io.NopCloser(io.NewSectionReader(f.spool, off, n)), nil
	}
	own, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(f.ctx, func() { cancel(context.Cause(f.ctx)) })
	r := &run{ctx: own, end: func() { stop(); cancel(errClosed) }}
	for end := off + n; off < end; {
		var piece io.ReadCloser
		piece, off = f.piece(ctx, own, off, end)
		r.pieces = append(r.pieces, piece)
	}
	return r, nil
}

// piece returns a reader of the first of the bytes from off to end, and where those end.
// The reader of a request ends with own; ctx outlives it, unless the caller cancels that.
func (f *File) piece(ctx, own context.Context, off, end int64) (io.ReadCloser, int64) {
	beside := false
	for _, a := range f.arrivals {
		if a.begin(off, end) {
			end = min(end, a.end())
			return &arrivalReader{a, own, off, end}, end
		}
		if a.off > off {
			end = min(end, a.off)
		}
		// Request the bytes beside the arrival in front of them. When that is nearly
		// complete, its connection will do: by then it is faster than any new one.
		beside = beside || a.end() == off && a.there() < int64(len(a.data))/2
	}
	if body, reached := f.spine.onward(ctx, off, end); body != nil {
		return body, reached
	}
	body := &request{reader: f.remote.reader(own, off, end), of: f}
	if f.requests.Add(1) >= f.connections() && f.spine.yield() {
		body.after = f.spine.arrival
	}
	if beside {
		body.start()
	}
	return body, end
}

// connections returns how many there may be at once.
func (f *File) connections() int32 {
	if f.Redirected() {
		return int32(f.remote.most)
	}
	return int32(min(f.remote.most, costlyParts))
}

// request is a reader that counts as a connection until it is closed.
type request struct {
	*reader
	of     *File
	after  *arrival // whose connection it takes over; or nil
	closed sync.Once
}

// Read implements [io.Reader].
func (r *request) Read(p []byte) (int, error) {
	if r.after != nil {
		if err := r.after.complete(r.ctx); err != nil {
			return 0, err
		}
		_ = r.after.closeBody() // what was read is what counts
		r.after = nil
	}
	return r.reader.Read(p)
}

// Close implements [io.Closer].
func (r *request) Close() error {
	r.closed.Do(func() { r.of.requests.Add(-1) })
	return r.reader.Close()
}

// run reads one piece of the file after the other.
type run struct {
	ctx    context.Context // io.Reader has no place for one
	end    func()          // ends ctx
	pieces []io.ReadCloser
	read   int // pieces that are read to their end
}

// Read implements [io.Reader].
func (r *run) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil { // closed, too
		return 0, context.Cause(r.ctx)
	}
	for r.read < len(r.pieces) {
		n, err := r.pieces[r.read].Read(p)
		if err != io.EOF { // itself: that is the contract of Read
			return n, err
		}
		r.read++
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

// Close implements [io.Closer].
func (r *run) Close() error {
	r.end()
	var err error
	for _, piece := range r.pieces {
		err = errors.Join(err, piece.Close())
	}
	return err
}
