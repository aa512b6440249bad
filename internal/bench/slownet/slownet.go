//go:build linux

// Package slownet is a TCP proxy that puts a distance between clients and servers: round
// trips, TCP's slow start, and links of limited rate. Kernels can do that too, if they have
// netem.
//
// It models each direction of each connection separately:
//
//	handshake   the client's first byte leaves one round trip after it connected
//	delay       an answer arrives one round trip after its request left; so does an
//	            acknowledgement after what it acknowledges
//	slow start  the window starts at ten segments of 1460 bytes (RFC 6928) and grows by what
//	            is acknowledged, so it doubles every round trip; not while the sender uses
//	            less than half of it (Linux: tcp_is_cwnd_limited), and not beyond what a
//	            receiver accepts by default
//	idle        after a retransmission timeout without sending, the window is halved, and
//	            again after each further timeout, down to ten segments (RFC 2861; Linux:
//	            tcp_slow_start_after_idle)
//	link        all connections of a [Path] share its rate in each direction, first come,
//	            first served; a connection can also have a rate of its own
//	reset       what the server sends before it learns that the client has gone away counts
//	            as sent
//
// Example: over TLS 1.3, 80 kB take five round trips. TCP takes one, TLS one, the request and
// the first 14.6 kB one, the next 29 kB one, and the rest one. The tests compute such sums and
// compare them exactly, with a fake clock; curl takes 504 ms for it at 100 ms.
//
// Compared with two real kernels (Linux 6.18, CUBIC) that talk through a device that delays
// packets, 80 kB and 1 MB take 2 to 7 percent less here at 20 and 100 ms, 10 MB 12 percent less.
// BBR spreads each window over its round trip, so that it takes about one round trip more.
//
// It doesn't model loss and what follows from it, the early end of slow start when a queue
// builds up (HyStart), pacing, delayed acknowledgements, segment boundaries, headers, and name
// resolution. connect(2) returns at once, and its round trip passes before the client's first
// byte leaves: what a client computes between the two, if it takes less than a round trip, costs
// nothing.
package slownet

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Path is the way between a client and its servers. All proxies of a Path share its link. The
// zero value has no delay and no limit.
type Path struct {
	RTT           time.Duration
	Link          float64 // bytes a second in each direction, shared by all connections
	PerConnection float64 // bytes a second in each direction of each connection

	up, down link
	fake     bool // not the kernel's clock
}

// Connection is the traffic of one connection.
type Connection struct {
	Server         string // its destination
	Port           int    // of the proxy, as the server sees it
	Opened, Closed time.Time
	FirstUp        time.Time // when the first byte left the client
	FirstDown      time.Time // when the first byte reached it
	Up, Down       int64     // bytes sent, handshakes included
}

// Proxy forwards connections to one server.
type Proxy struct {
	net.Listener
	path *Path
	to   string

	mu     sync.Mutex
	open   int
	conns  []*Connection
	quiet  chan struct{} // closed while no connection is open
	failed error
}

// Listen accepts connections on its own port and forwards them to addr until the proxy is
// closed.
func (p *Path) Listen(ctx context.Context, addr string) (*Proxy, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	proxy := &Proxy{Listener: l, path: p, to: addr, quiet: make(chan struct{})}
	close(proxy.quiet)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed
			}
			go proxy.pass(ctx, client, time.Now())
		}
	}()
	return proxy, nil
}

// pass forwards bytes until both sides have ended.
func (p *Proxy) pass(ctx context.Context, client net.Conn, opened time.Time) {
	server, err := new(net.Dialer).DialContext(ctx, "tcp", p.to)
	if err != nil {
		_ = client.Close() // the server can't be reached
		return
	}
	c := &Connection{Server: p.to, Opened: opened}
	if local, ok := server.LocalAddr().(*net.TCPAddr); ok {
		c.Port = local.Port
	}
	p.count(c)
	err = p.path.join(client, server, c)
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Closed = time.Now()
	p.failed = errors.Join(p.failed, err)
	if p.open--; p.open == 0 {
		close(p.quiet)
	}
}

func (p *Proxy) count(c *Connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	if p.open++; p.open == 1 {
		p.quiet = make(chan struct{})
	}
}

// Take waits until all connections have ended, and returns those opened since the last call.
func (p *Proxy) Take(ctx context.Context) ([]Connection, error) {
	for {
		p.mu.Lock()
		quiet := p.quiet
		if p.open == 0 {
			defer p.mu.Unlock()
			var all []Connection
			for _, c := range p.conns {
				all = append(all, *c)
			}
			p.conns = nil
			return all, p.failed
		}
		p.mu.Unlock()
		select {
		case <-quiet:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
