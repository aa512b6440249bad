// Package ctxio makes reads stop when a context ends.
//
//	Await, Abandon   what may block forever, such as opening or reading a pipe or a
//	                 terminal: it continues in the background, and its result is dropped
//	Reader           a file on a disk, which never blocks for long
//
// All of them return the context's cause.
package ctxio

import (
	"context"
	"io"
)

// Await runs do in the background and returns its result, or the cause of ctx if that
// ends first. In that case do may run until the program ends.
func Await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// abandonable reads from a source that may block forever.
type abandonable struct {
	ctx  context.Context // io.Reader has none
	from io.Reader
	buf  []byte // an abandoned read may still write here
}

// Abandon returns a reader of a source that may block forever. Once ctx has ended, a
// blocked read is abandoned, and the source must not be used again.
func Abandon(ctx context.Context, from io.Reader) io.Reader {
	return &abandonable{ctx: ctx, from: from, buf: make([]byte, 64<<10)}
}

// Read implements [io.Reader].
func (r *abandonable) Read(p []byte) (int, error) {
	n, err := Await(r.ctx, func() (int, error) { return r.from.Read(r.buf[:min(len(p), len(r.buf))]) })
	return copy(p, r.buf[:n]), err
}

// reader checks its context before each read.
type reader struct {
	ctx  context.Context // io.Reader has none
	from io.Reader
}

// Reader returns a reader that fails once ctx has ended. It doesn't interrupt a read.
func Reader(ctx context.Context, from io.Reader) io.Reader { return reader{ctx, from} }

// Read implements [io.Reader].
func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.from.Read(p)
}
