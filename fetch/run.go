package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Range returns a reader of n bytes from off. It reads from memory what is there or
// arriving. For the rest it streams one request, and makes more only if that breaks off.
// The caller must close the reader. Closing it early costs the connection.
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

// piece returns a reader of the first of the bytes from off to end, and where they end.
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
		// An arrival may end right before off. If it is nearly complete, its connection
		// will do: by then it is faster than a new one. Otherwise make a request beside
		// it.
		beside = beside || a.end() == off && a.there() < int64(len(a.data))/2
	}
	if body, reached := f.firstStream.onward(ctx, off, end); body != nil {
		return body, reached
	}
	body := &request{reader: f.remote.reader(own, off, end), of: f}
	if f.requests.Add(1) >= f.connections() && f.firstStream.yield() {
		body.after = f.firstStream.arrival
	}
	if beside {
		body.start()
	}
	return body, end
}

// connections returns how many connections are allowed at the same time.
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
	after  *arrival // the request takes over its connection; or nil
	closed sync.Once
}

// Read implements [io.Reader].
func (r *request) Read(p []byte) (int, error) {
	if r.after != nil {
		if err := r.after.complete(r.ctx); err != nil {
			return 0, err
		}
		_ = r.after.closeBody() // everything has been read
		r.after = nil
	}
	return r.reader.Read(p)
}

// Close implements [io.Closer].
func (r *request) Close() error {
	r.closed.Do(func() { r.of.requests.Add(-1) })
	return r.reader.Close()
}

// run reads the pieces of a range one after the other.
type run struct {
	ctx    context.Context // io.Reader takes none
	end    func()          // ends ctx
	pieces []io.ReadCloser
	read   int // pieces that have been read completely
}

// Read implements [io.Reader].
func (r *run) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil { // closed, or canceled
		return 0, context.Cause(r.ctx)
	}
	for r.read < len(r.pieces) {
		n, err := r.pieces[r.read].Read(p)
		if err != io.EOF { // not a wrapped EOF: Read's contract
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
