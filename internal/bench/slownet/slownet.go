// Package slownet is a TCP proxy that makes each connection as slow as a real
// one: by a round trip with TCP's slow start (RFC 6928: ten segments, doubled
// every round trip), or by a bound on its rate. Kernels can do that too, where
// they have netem; nginx's limit_rate does not slow down ranges.
package slownet

import (
	"context"
	"io"
	"net"
	"time"
)

// Shape is how slow a connection is. Zero fields cost nothing.
type Shape struct {
	RTT            time.Duration
	BytesPerSecond float64
}

const (
	initialWindow = 10 * 1460
	// largestWindow is what Linux lets a receiver have by default: half of the 6
	// MiB of tcp_rmem.
	largestWindow = 3 << 20
	burst         = 256 << 10
)

// Listen accepts connections on a port of its own and passes them on to addr,
// until the listener is closed.
func Listen(ctx context.Context, addr string, s Shape) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed
			}
			go s.pass(ctx, client, addr)
		}
	}()
	return l, nil
}

// pass connects both sides until one ends.
func (s Shape) pass(ctx context.Context, client net.Conn, addr string) {
	defer func() { _ = client.Close() }()
	time.Sleep(s.RTT) // the handshake
	server, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		delay(server, client, s.RTT)
		_ = server.Close()
	}()
	if s.BytesPerSecond > 0 {
		s.limit(client, server)
		return
	}
	s.slowStart(client, server)
}

// delay passes each piece of a request on after a round trip: half of it there,
// half of it back.
func delay(dst io.Writer, src io.Reader, by time.Duration) {
	buf := make([]byte, 16<<10)
	for {
		n, err := src.Read(buf)
		if err != nil {
			return
		}
		time.Sleep(by)
		if _, err := dst.Write(buf[:n]); err != nil {
			return
		}
	}
}

// slowStart lets through a window of bytes each round trip, and doubles it up to
// the largest.
func (s Shape) slowStart(dst io.Writer, src io.Reader) {
	for window := int64(initialWindow); ; window = min(2*window, largestWindow) {
		start := time.Now()
		if _, err := io.CopyN(dst, src, window); err != nil {
			return
		}
		time.Sleep(s.RTT - time.Since(start))
	}
}

// limit lets through so many bytes a second.
func (s Shape) limit(dst io.Writer, src io.Reader) {
	start, sent := time.Now(), int64(0)
	for {
		n, err := io.CopyN(dst, src, burst)
		if err != nil {
			return
		}
		sent += n
		due := time.Duration(float64(sent) / s.BytesPerSecond * float64(time.Second))
		if ahead := due - time.Since(start); ahead > 0 {
			time.Sleep(ahead)
		} else if ahead < -50*time.Millisecond {
			start, sent = time.Now(), 0 // idle time gives no credit
		}
	}
}
