package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// maxWhole limits how much of an answer is buffered, in bytes. A page of a hundred
	// jobs has about 400 kB.
	maxWhole = 16 << 20
	// maxRefusal is the same for redirects and errors.
	maxRefusal = 64 << 10
	// refusalTime limits reading the body of one. Its status is what matters.
	refusalTime = 10 * time.Second
)

// SlowError reports an answer that didn't arrive in full in time, although its bytes kept
// arriving.
type SlowError struct{ After time.Duration }

// Error implements error.
func (e *SlowError) Error() string {
	return fmt.Sprintf("the answer didn't arrive in full within %v", e.After)
}

// Hint says what to do next.
func (*SlowError) Hint() string { return "the server or the network is slow: try again later" }

// Timeout implements [net.Error], so the request is retried.
func (*SlowError) Timeout() bool { return true }

// Temporary implements [net.Error].
func (*SlowError) Temporary() bool { return true }

// whole reads answers to their end before it returns them. With all, it reads every
// answer, so retry notices if the connection breaks. Without, it only reads answers that
// are neither a file nor a part of one: neither retry nor the redirecting client waits
// for a slow body.
type whole struct {
	next http.RoundTripper
	all  bool
	time time.Duration // for an answer that isn't a redirect or an error
}

// RoundTrip implements [http.RoundTripper].
func (l *whole) RoundTrip(req *http.Request) (*http.Response, error) {
	if l.all {
		req = acceptGzip(req)
	}
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if l.all {
		unpack(resp)
	}
	refused := resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent
	switch {
	case l.all:
		err = buffer(resp, maxWhole, l.time)
	case refused:
		_ = buffer(resp, maxRefusal, min(refusalTime, l.time)) // a partial body is better than none
	}
	if err != nil {
		return nil, err
	}
	if refused && req.Context().Err() != nil {
		return nil, context.Cause(req.Context()) // the answer may be incomplete
	}
	return resp, nil
}

// buffer replaces a body with the bytes that arrived, up to most.
func buffer(resp *http.Response, most int64, patience time.Duration) error {
	body := resp.Body
	clock := time.AfterFunc(patience, func() { _ = body.Close() }) // ends the read
	content, err := io.ReadAll(io.LimitReader(body, most))
	if late := !clock.Stop(); late && err != nil {
		err = &SlowError{patience}
	}
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	return err
}

// CloseIdleConnections calls the next layer's.
func (l *whole) CloseIdleConnections() { closeIdle(l.next) }
