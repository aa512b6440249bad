package transport

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"gitlab.com/artifetch/artifetch/internal/openfiles"
)

// retryable reports whether a request may be retried: an allowlist of transient failures.
// Requests that change something are only retried if the server can't have acted on them.
func retryable(req *http.Request, resp *http.Response, err error) bool {
	if req.Context().Err() != nil {
		return false
	}
	idempotent := req.Method == http.MethodGet || req.Method == http.MethodHead
	if err != nil {
		return unreachable(err) || idempotent && transient(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusInternalServerError:
		// Storage that doesn't support suffix ranges may answer 500, as Azure's emulator
		// does. The client then requests another range, which is retried.
		return idempotent && !strings.HasPrefix(req.Header.Get("Range"), "bytes=-")
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return idempotent
	}
	return false
}

// NeverSent reports whether a request failed before it was sent, so the server can't have
// acted on it.
func NeverSent(err error) bool {
	if _, noConnection := errors.AsType[*TLSError](err); noConnection || unreachable(err) {
		return true
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok && (proxy.Tunnel || proxy.Status < http.StatusInternalServerError) {
		return true
	}
	_, noAddress := errors.AsType[*net.DNSError](err)
	return noAddress
}

// unreachable is NeverSent for transient reasons. One of them is that this process has
// too many files open.
func unreachable(err error) bool {
	if openfiles.Exhausted(err) {
		return true
	}
	if notFound, ok := errors.AsType[*net.DNSError](err); ok {
		return notFound.IsTemporary || notFound.IsTimeout
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok && proxy.Tunnel {
		return proxy.transient()
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && (op.Timeout() || errors.Is(err, errRefused) || errors.Is(err, errReset) ||
		errors.Is(err, errNetUnreach) || errors.Is(err, errHostUnreach))
}

func transient(err error) bool {
	if failed, ok := errors.AsType[net.Error](err); ok && failed.Timeout() {
		return true
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok && proxy.transient() {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, errReset) || errors.Is(err, syscall.EPIPE) || errors.Is(err, errAborted) ||
		errors.Is(err, errRefused) || errors.Is(err, net.ErrClosed)
}
