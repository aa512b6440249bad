package fetch

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// timing measures how far away the server is that serves the bytes, from the last
// connection and the last request. Times are in nanoseconds.
type timing struct {
	trip   atomic.Int64 // a round trip; 0 if no connection was opened
	answer atomic.Int64 // from a request to the first byte of its answer
}

// trace times the requests of ctx. After a redirect it starts over.
func (t *timing) trace(ctx context.Context) context.Context {
	var dialed, asked atomic.Int64 // net/http may keep dialing after it has found another connection
	start := func(at *atomic.Int64) { at.Store(time.Now().UnixNano()) }
	keep := func(in, since *atomic.Int64, trips int64) { in.Store((time.Now().UnixNano() - since.Load()) / trips) }
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart:         func(string, string) { start(&dialed) },
		ConnectDone:          func(string, string, error) { keep(&t.trip, &dialed, 1) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { keep(&t.trip, &dialed, 2) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { start(&asked) },
		GotFirstResponseByte: func() { keep(&t.answer, &asked, 1) },
	})
}

// delay returns how many round trips after the first answer another connection delivers
// its first bytes: it must be opened (one for TCP, one for TLS) and its request answered.
func (t *timing) delay() int {
	trip, answer := t.trip.Load(), t.answer.Load()
	if trip <= 0 { // the connection was already open
		trip = max(answer/2, 1)
	}
	return int((2*trip + max(answer, trip) + trip - 1) / trip)
}
