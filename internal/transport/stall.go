package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// StallError reports a connection on which no byte arrived.
type StallError struct{ After time.Duration }

// Error implements error.
func (e *StallError) Error() string {
	return fmt.Sprintf("no byte arrived for %v", e.After)
}

// Hint says what to do next.
func (*StallError) Hint() string { return "the server or a proxy is silent: try again later" }

// Timeout implements [net.Error], so the request is retried.
func (*StallError) Timeout() bool { return true }

// Temporary implements [net.Error].
func (*StallError) Temporary() bool { return true }

// stall cancels a request if the server is silent for too long, before the headers or
// while the body is read. A slow server isn't silent, however long it takes. The clock
// only runs during reads, so a slow reader doesn't look like a silent server.
type stall struct {
	next    http.RoundTripper
	timeout time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (s *stall) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.timeout < 0 {
		return s.next.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	clock := time.AfterFunc(s.timeout, func() { cancel(&StallError{s.timeout}) })
	resp, err := s.next.RoundTrip(req.WithContext(ctx))
	clock.Stop()
	if err != nil {
		err = stalled(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &stallBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, clock: clock, timeout: s.timeout}
	return resp, nil
}

// CloseIdleConnections calls the next layer's.
func (s *stall) CloseIdleConnections() { closeIdle(s.next) }

// stalled returns the reason instead of the "context canceled" that it caused.
func stalled(ctx context.Context, err error) error {
	if cause, ok := context.Cause(ctx).(*StallError); ok { //nolint:errorlint // set by this package, never wrapped
		return cause
	}
	return err
}

type stallBody struct {
	io.ReadCloser
	ctx     context.Context // the request's context, which lives as long as its body
	cancel  context.CancelCauseFunc
	clock   *time.Timer
	timeout time.Duration
	once    sync.Once
}

// Read implements [io.Reader].
func (b *stallBody) Read(p []byte) (int, error) {
	b.clock.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	b.clock.Stop()
	if err != nil && err != io.EOF { //nolint:errorlint // the contract of Read is io.EOF itself
		err = stalled(b.ctx, err)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *stallBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.clock.Stop()
		b.cancel(nil)
	})
	return err
}
