// Package lateheader changes the headers of a request as late as possible: when its
// connection is open. That may be two round trips after the request was made, and by then
// more may be known.
//
// The layers of a transport copy requests, so only the last one, which calls [Apply], has
// the headers that are sent. Therefore the change travels in the request's context.
package lateheader

import (
	"context"
	"net/http"
	"net/http/httptrace"
)

type key struct{}

// Change calls change with the headers of each request of ctx, just before they are
// sent, if the client's transport uses [Apply]. change may be called more than once, and
// from other goroutines.
func Change(ctx context.Context, change func(http.Header)) context.Context {
	return context.WithValue(ctx, key{}, change)
}

// Apply returns the request as it must be passed to [http.Transport]. Its headers may
// change until there is an answer.
func Apply(req *http.Request) *http.Request {
	change, ok := req.Context().Value(key{}).(func(http.Header))
	if !ok {
		return req
	}
	headers := req.Header
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		// net/http calls it in RoundTrip, before it writes the request.
		GotConn: func(httptrace.GotConnInfo) { change(headers) },
	}))
}
