package fetch

import (
	"context"
	"errors"
	"io"

	"gitlab.com/artifetch/artifetch/internal/sleep"
)

// reader streams the bytes [off, end) with one request, and more if it breaks off.
type reader struct {
	remote  *remote
	ctx     context.Context // io.Reader takes none
	off     int64
	end     int64
	body    io.ReadCloser // nil between requests
	pauses  Backoff       // nil until the first failure
	brought int64         // bytes that the body has delivered
	answers int           // bodies that it has requested itself, besides the one that it began with
	failed  error         // sticky
	asked   chan struct{} // closed when the request that start makes has been answered; or nil
}

func (r *remote) reader(ctx context.Context, off, end int64) *reader {
	return &reader{remote: r, ctx: ctx, off: off, end: end}
}

// start makes the request before the first Read. The answer waits on its connection.
func (b *reader) start() {
	b.asked = make(chan struct{})
	go func() {
		defer close(b.asked)
		b.failed = b.connect()
	}()
}

// Read implements [io.Reader].
func (b *reader) Read(p []byte) (int, error) {
	if b.asked != nil {
		<-b.asked
	}
	switch {
	case b.failed != nil:
		return 0, b.failed
	case b.off == b.end:
		return 0, io.EOF
	}
	n, err := b.read(p)
	b.failed = err
	return n, err
}

// read reads from the body, and requests another one if it breaks off.
func (b *reader) read(p []byte) (int, error) {
	p = p[:min(int64(len(p)), b.end-b.off)]
	for {
		if b.body == nil {
			if err := b.connect(); err != nil {
				return 0, err
			}
		}
		n, err := b.body.Read(p)
		b.count(n)
		if n > 0 {
			return n, nil // the next call returns the error again
		}
		if err == nil {
			continue
		}
		if err := b.broke(err); err != nil {
			return 0, err
		}
	}
}

func (b *reader) count(n int) {
	if n == 0 {
		return
	}
	b.off += int64(n)
	b.brought += int64(n)
	b.remote.meter.bytes.Add(int64(n))
}

func (b *reader) connect() error {
	resp, err := b.remote.get(b.ctx, b.off, b.end) //nolint:bodyclose // read by Read, closed by Close
	if err != nil {
		return err
	}
	b.body, b.brought = resp.Body, 0
	b.answers++
	return nil
}

// realProgress is how many bytes a body must deliver; otherwise it counts as a failed
// attempt. Without it, a server that sends a few bytes and hangs up would be retried
// forever.
const realProgress = 64 << 10

// broke decides whether to continue after a body ended too early, even with io.EOF. Real
// progress resets the pauses.
func (b *reader) broke(err error) error {
	_ = b.body.Close() // it is already broken
	b.body = nil
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if b.pauses == nil {
		b.pauses = b.remote.backoff()
	}
	b.remote.meter.resumes.Add(1)
	if b.brought >= realProgress {
		b.pauses.Reset()
		return nil
	}
	pause := b.pauses.NextBackOff()
	if pause < 0 {
		return &BrokenError{Offset: b.off, Err: err}
	}
	return sleep.For(b.ctx, pause)
}

// Close implements [io.Closer].
func (b *reader) Close() error {
	var err error
	if b.asked != nil {
		<-b.asked
	}
	if b.body != nil {
		err = b.body.Close()
		b.body = nil
	}
	if b.failed == nil {
		b.failed = errClosed
	}
	return err
}
