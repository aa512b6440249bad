package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/internal/sleep"
)

// silentServer sends its header after one pause and each byte of its body after
// another, in fake time.
type silentServer struct{ header, body time.Duration }

// RoundTrip implements [http.RoundTripper].
func (s silentServer) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := sleep.For(req.Context(), s.header); err != nil {
		return nil, context.Canceled // as a transport does that hides the cause
	}
	body := &drip{ctx: req.Context(), pause: s.body, left: 3}
	return &http.Response{StatusCode: http.StatusOK, Body: body, Request: req}, nil
}

type drip struct {
	ctx   context.Context // of the request that it answers
	pause time.Duration
	left  int
}

// Read implements [io.Reader], a byte at a time.
func (d *drip) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	if err := sleep.For(d.ctx, d.pause); err != nil {
		return 0, context.Canceled
	}
	d.left--
	return copy(p, "x"), nil
}

// Close implements [io.Closer].
func (*drip) Close() error { return nil }

func TestStall(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	tests := []struct {
		name   string
		server silentServer
		reader time.Duration // what the caller waits before each read
		want   bool
	}{
		{name: "before the headers", server: silentServer{header: limit + time.Second}, want: true},
		{name: "in the body", server: silentServer{body: limit + time.Second}, want: true},
		{name: "slow, never silent", server: silentServer{header: limit - time.Second, body: limit - time.Second}},
		{name: "a slow reader is none", reader: 10 * limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := readAll(t, &stall{next: tt.server, timeout: limit}, tt.reader)
				if _, stalled := errors.AsType[*StallError](got); stalled != tt.want || (got != nil) != tt.want {
					t.Errorf("error = %v, want a StallError: %v", got, tt.want)
				}
			})
		})
	}
}

// readAll reads an answer a byte at a time and returns the first error.
func readAll(t *testing.T, rt http.RoundTripper, pause time.Duration) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	for {
		time.Sleep(pause)
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
