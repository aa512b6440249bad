//go:build realstores

package realstores

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// relay is the address by which the program knows a store. It hands on bytes, counts those
// that come back, and can cut a connection.
type relay struct {
	t       *testing.T
	address string
	behind  string // the store

	mu       sync.Mutex
	sent     bytes.Buffer // what the program sent
	received int64        // how many bytes came back
	cutAt    int64        // after so many of them one connection is cut
	before   func()       // called before that; nil means that none is cut (any more)
}

func newRelay(t *testing.T, behind string) *relay {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, address: l.Addr().String(), behind: behind}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { r.relay(client) })
		}
	})
	return r
}

func (r *relay) relay(client net.Conn) {
	defer func() { _ = client.Close() }()
	store, err := new(net.Dialer).Dial("tcp", r.behind)
	if err != nil {
		r.t.Error(err)
		return
	}
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(store, io.TeeReader(client, r)) // either may hang up
		_ = store.Close()
	})
	r.back(client, store)
	_ = client.Close()
	there.Wait()
}

// back hands on what the store sends, until its end, or the cut.
func (r *relay) back(client, store net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := store.Read(buf)
		if _, failed := client.Write(buf[:n]); err != nil || failed != nil || r.cuts(n) {
			return
		}
	}
}

// cuts counts n bytes, and reports whether the connection ends with them.
func (r *relay) cuts(n int) bool {
	r.mu.Lock()
	r.received += int64(n)
	before := r.before
	if r.received < r.cutAt {
		before = nil
	}
	if before != nil {
		r.before = nil
	}
	r.mu.Unlock()
	if before != nil {
		before()
	}
	return before != nil
}

// cut has a connection cut once so many bytes have come back. It must happen.
func (r *relay) cut(at int64, before func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cutAt, r.before = at, before
	r.t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.before != nil {
			r.t.Error("nothing was cut")
		}
	})
}

// Write implements [io.Writer], for what the program sends.
func (r *relay) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent.Write(b)
}

// seen returns what the program has sent, and how much it has received.
func (r *relay) seen() (sent string, received int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent.String(), r.received
}
