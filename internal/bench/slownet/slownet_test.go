//go:build linux

package slownet

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const rtt = 100 * time.Millisecond

// exchange is one request and its answer, in bytes, after a pause.
type exchange struct {
	pause   time.Duration
	up      int64
	down    int64
	want    float64 // round trips until the last byte of the answer
	comment string
}

// connect connects to a server that gives the answers.
func connect(p *Path, exchanges []exchange) (client net.Conn, c *Connection, done func()) {
	client, near := net.Pipe()
	far, server := net.Pipe()
	c = &Connection{Opened: time.Now()}
	var all sync.WaitGroup
	all.Go(func() { _ = p.join(near, far, c) })
	all.Go(func() {
		for _, e := range exchanges {
			if _, err := io.CopyN(io.Discard, server, e.up); err != nil {
				break
			}
			if _, err := server.Write(make([]byte, e.down)); err != nil {
				break
			}
		}
		_, _ = io.Copy(io.Discard, server)
		_ = server.Close()
	})
	return client, c, func() {
		_ = client.Close()
		all.Wait()
	}
}

// ask makes all exchanges and returns how many round trips each took.
func ask(t *testing.T, client net.Conn, exchanges []exchange) []float64 {
	t.Helper()
	var took []float64
	for _, e := range exchanges {
		time.Sleep(e.pause)
		start := time.Now()
		if _, err := client.Write(make([]byte, e.up)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, client, e.down); err != nil {
			t.Fatal(err)
		}
		took = append(took, float64(time.Since(start))/float64(rtt))
	}
	return took
}

// handshake is TLS 1.3 on a new connection: one round trip for TCP, one for TLS.
var handshake = exchange{up: 300, down: 1500, want: 2, comment: "TCP and TLS"}

// The sums are those of the package comment: windows of 14.6, 29.2, 58.4, 116.8 … kB.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	for name, exchanges := range map[string][]exchange{
		"one window":       {handshake, {up: 400, down: initialWindow, want: 1}},
		"one byte more":    {handshake, {up: 400, down: initialWindow + 1, want: 2}},
		"80 kB":            {handshake, {up: 400, down: 80_000, want: 3}},
		"1 MB":             {handshake, {up: 400, down: 1_000_000, want: 7}},
		"warm":             {handshake, {up: 400, down: 80_000, want: 3}, {up: 400, down: 80_000, want: 1, comment: "the window is open"}},
		"twice as much":    {handshake, {up: 400, down: 80_000, want: 3}, {up: 400, down: 8 * initialWindow, want: 2, comment: "the window is 94.6 kB"}},
		"small answers":    {handshake, {up: 400, down: 5000, want: 1}, {up: 400, down: 5000, want: 1}, {up: 400, down: 2 * initialWindow, want: 2, comment: "no window grows that isn't used"}},
		"short pause":      {handshake, {up: 400, down: 80_000, want: 3}, {pause: 190 * time.Millisecond, up: 400, down: 80_000, want: 1}},
		"long pause":       {handshake, {up: 400, down: 80_000, want: 3}, {pause: 10 * time.Second, up: 400, down: 80_000, want: 3, comment: "cold again"}},
		"half forgotten":   {handshake, {up: 400, down: 80_000, want: 3}, {pause: 500 * time.Millisecond, up: 400, down: 80_000, want: 2, comment: "47 kB, then the rest"}},
		"upload":           {handshake, {up: 80_000, down: 1, want: 3, comment: "requests have a window, too"}},
		"receiver's limit": {handshake, {up: 400, down: 20 << 20, want: 8 + 6, comment: "3.6 MiB until the window is 3 MiB, then 3 MiB each"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, _, done := connect(&Path{RTT: rtt, fake: true}, exchanges)
				defer done()
				for i, took := range ask(t, client, exchanges) {
					if want := exchanges[i].want; took != want {
						t.Errorf("exchange %d took %v round trips, want %v: %s", i, took, want, exchanges[i].comment)
					}
				}
			})
		})
	}
}

// side makes the exchanges on n connections in parallel and returns how long the slowest
// took.
func side(t *testing.T, p *Path, n int, exchanges []exchange) time.Duration {
	start := time.Now()
	var all sync.WaitGroup
	for range n {
		client, _, done := connect(p, exchanges)
		defer done()
		all.Go(func() { ask(t, client, exchanges) })
	}
	all.Wait()
	return time.Since(start)
}

func TestConnectionsAreIndependent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		exchanges := []exchange{handshake, {up: 400, down: 1_000_000}}
		p := &Path{RTT: rtt, fake: true}
		if one, eight := side(t, p, 1, exchanges), side(t, p, 8, exchanges); one != 9*rtt || eight != one {
			t.Errorf("one took %v, eight at once %v, want 900ms for both", one, eight)
		}
	})
}

func TestRates(t *testing.T) {
	t.Parallel()
	const size = 30_000_000 // bytes; three seconds at 10 MB/s
	exchanges := []exchange{{up: 1, down: size}}
	for name, tt := range map[string]struct {
		path       *Path
		one, three time.Duration
	}{
		"shared":         {&Path{Link: 10e6, fake: true}, 3 * time.Second, 9 * time.Second},
		"each":           {&Path{PerConnection: 10e6, fake: true}, 3 * time.Second, 3 * time.Second},
		"far and shared": {&Path{RTT: rtt, Link: 10e6, fake: true}, 3 * time.Second, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				// This adds connecting, the request, and six windows until the link is
				// full.
				room := 8 * tt.path.RTT
				if took := side(t, tt.path, 1, exchanges); took < tt.one || took > tt.one+room+time.Millisecond {
					t.Errorf("one took %v, want %v to %v", took, tt.one, tt.one+room)
				}
				if took := side(t, tt.path, 3, exchanges); took < tt.three || took > tt.three+room+time.Millisecond {
					t.Errorf("three took %v, want %v to %v", took, tt.three, tt.three+room)
				}
			})
		})
	}
}

// If a client closes the connection, the current window is still sent, until the server
// learns of it.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size = 10_000_000
		client, c, done := connect(&Path{RTT: rtt, fake: true}, []exchange{{up: 1, down: size}})
		if _, err := client.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, client, initialWindow); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rtt / 2)
		left := time.Now()
		done()
		if took := time.Since(left); took < rtt || took > 2*rtt {
			t.Errorf("the server learned of it after %v", took)
		}
		if c.Down != 3*initialWindow {
			t.Errorf("%d bytes were sent, want the first window and the second, %d", c.Down, 3*initialWindow)
		}
	})
}

// proxied returns a proxy to a server that handles each connection, then closes it.
func proxied(t *testing.T, handle func(net.Conn)) *Proxy {
	t.Helper()
	server, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				handle(c)
				_ = c.Close()
			}()
		}
	}()
	path := &Path{RTT: time.Millisecond, Link: 1e9}
	proxy, err := path.Listen(context.Background(), server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return proxy
}

// With real sockets, bytes arrive unchanged, each end sees the other close, and
// everything is counted.
func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := proxied(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	for range 2 {
		text := make([]byte, 300_000)
		for i := range text {
			text[i] = byte(i / 7)
		}
		got, err := through(t, proxy.Addr().String(), text)
		if err != nil || string(got) != string(text) {
			t.Fatalf("%d of %d bytes came back, or others: %v", len(got), len(text), err)
		}
	}
	conns, err := proxy.Take(t.Context())
	if err != nil || len(conns) != 2 {
		t.Fatalf("Take = %d connections, %v", len(conns), err)
	}
	for _, c := range conns {
		if c.Up != 300_000 || c.Down != 300_000 || c.Port == 0 || c.FirstUp.Before(c.Opened) || !c.FirstDown.After(c.FirstUp) || c.Closed.Before(c.FirstDown) {
			t.Errorf("counted %+v", c)
		}
	}
	if conns, _ := proxy.Take(t.Context()); len(conns) != 0 {
		t.Errorf("taken twice: %d", len(conns))
	}
}

// A server learns that its client has closed the connection, which then ends.
func TestProxyWithoutClient(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	proxy := proxied(t, func(c net.Conn) {
		_, err := io.Copy(c, zeros{})
		failed <- err
	})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", proxy.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, conn, 1_000_000); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if err := <-failed; err == nil {
		t.Error("the server sent for ever")
	}
	if conns, err := proxy.Take(t.Context()); err != nil || len(conns) != 1 || conns[0].Down < 1_000_000 {
		t.Errorf("Take = %+v, %v", conns, err)
	}
}

// zeros is an endless reader.
type zeros struct{}

// Read implements [io.Reader].
func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// through sends text and returns the reply.
func through(t *testing.T, addr string, text []byte) ([]byte, error) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	go func() {
		_, _ = conn.Write(text)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	return io.ReadAll(conn)
}
