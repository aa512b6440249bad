package transport

import (
	"bytes"
	"io"
	"net/http"
)

// maxWhole bounds how much of an answer is kept, in bytes. A page of a hundred
// jobs has about 400 kB.
const maxWhole = 16 << 20

// whole reads the answer to a request for JSON to its end before it returns, so
// that a connection that breaks within is seen by retry. Other answers stream.
type whole struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (l *whole) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(req)
	if err != nil || req.Header.Get("Accept") != "application/json" {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxWhole))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// CloseIdleConnections is passed on.
func (l *whole) CloseIdleConnections() { closeIdle(l.next) }
