package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// dribbler answers with a body of so many bytes, one a second; negative for a body
// without end.
type dribbler struct {
	status, bytes int
	tries         int
}

// RoundTrip implements [http.RoundTripper].
func (d *dribbler) RoundTrip(req *http.Request) (*http.Response, error) {
	d.tries++
	h := http.Header{"Location": {fmt.Sprintf("https://h/%d", d.tries)}}
	body := &dribble{ctx: req.Context(), left: d.bytes, closed: make(chan struct{})}
	return &http.Response{StatusCode: d.status, Header: h, Body: body, ContentLength: -1, Request: req}, nil
}

type dribble struct {
	ctx    context.Context // of the request that it answers
	left   int
	once   sync.Once
	closed chan struct{}
}

// Read implements [io.Reader], a byte at a time.
func (d *dribble) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-d.closed:
		return 0, errors.New("read on closed body")
	case <-time.After(time.Second):
	}
	d.left--
	return copy(p, "x"), nil
}

// Close implements [io.Closer].
func (d *dribble) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// clients are those of all layers but those that talk to a network.
func clients(t *testing.T, server http.RoundTripper, policy Policy) Clients {
	t.Helper()
	api, err := url.Parse("https://h/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{API: api, Retry: policy, StallTimeout: time.Minute, Base: server})
}

// A body that arrives a few bytes at a time never stalls. Reading what is needed of it, to
// continue or for an error, takes no longer than the retries may.
func TestDribbledAnswers(t *testing.T) {
	t.Parallel()
	policy := Policy{Retries: 3, MaxTime: time.Minute}
	tests := []struct {
		name   string
		server dribbler
		json   bool
		slow   bool // the error is a SlowError
		loops  bool // the error is that of too many redirects
		most   time.Duration
	}{
		{name: "503", server: dribbler{status: 503, bytes: -1}, most: 70 * time.Second},
		{name: "429", server: dribbler{status: 429, bytes: 40 << 10}, most: 70 * time.Second},
		{name: "404", server: dribbler{status: 404, bytes: -1}, most: 10 * time.Second},
		{name: "a redirect", server: dribbler{status: 302, bytes: -1}, loops: true, most: 100 * time.Second},
		{name: "JSON", server: dribbler{status: 200, bytes: -1}, json: true, slow: true, most: time.Minute},
		{name: "JSON, refused", server: dribbler{status: 404, bytes: -1}, json: true, slow: true, most: time.Minute},
		{name: "JSON that is there in time", server: dribbler{status: 200, bytes: 50}, json: true, most: 50 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/", nil)
				if err != nil {
					t.Fatal(err)
				}
				both := clients(t, &tt.server, policy)
				client := both.Stream
				if tt.json {
					client = both.Whole
				}
				start := time.Now()
				resp, err := client.Do(req)
				if took := time.Since(start); took > tt.most {
					t.Errorf("took %v, want %v at most", took, tt.most)
				}
				if _, slow := errors.AsType[*SlowError](err); slow != tt.slow || !slow && (err != nil) != tt.loops {
					t.Errorf("error = %v", err)
				}
				if err != nil {
					return
				}
				// The rest is there, and takes no time.
				start = time.Now()
				body, err := io.ReadAll(resp.Body)
				if err := errors.Join(err, resp.Body.Close()); err != nil || time.Since(start) > 0 || resp.StatusCode != tt.server.status || !bytes.HasPrefix(body, []byte("x")) {
					t.Errorf("%d: %d bytes after %v, %v", resp.StatusCode, len(body), time.Since(start), err)
				}
			})
		})
	}
}

// A successful response that isn't JSON may take any time, and isn't read in advance.
func TestSlowFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://h/", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := clients(t, &dribbler{status: 200, bytes: 10_000}, Policy{MaxTime: time.Minute}).Stream.Do(req)
		if err != nil || time.Since(start) > 0 {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 10_000 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A run that is stopped while a refusal is read is told so, and not that it was
// refused.
func TestStoppedDuringARefusal(t *testing.T) {
	t.Parallel()
	for _, status := range []int{302, 404, 503} {
		synctest.Test(t, func(t *testing.T) {
			why := errors.New("why")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, why)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://h/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := clients(t, &dribbler{status: status, bytes: -1}, Policy{}).Stream.Do(req)
			if !errors.Is(err, why) {
				t.Errorf("%d: error = %v", status, err)
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		})
	}
}
