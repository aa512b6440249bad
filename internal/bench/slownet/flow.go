//go:build linux

package slownet

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// flow is one direction of a connection. The whole round trip delays the way from the
// client to the server, and nothing delays the way back. A client can't tell the
// difference, and answers, which are long, needn't be stored.
type flow struct {
	path   *Path
	window *window
	shared *link // of the path
	own    link  // of the connection
	alarm  alarm // of the sending goroutine
	end    *end
	sent   int64     // bytes
	first  time.Time // when the first of them left
}

// end is the end of both directions of a connection.
type end struct {
	once           sync.Once
	gone           chan struct{} // closed when the connection is over
	client, server net.Conn
}

// hangUp closes the connection immediately.
func (e *end) hangUp() {
	e.once.Do(func() {
		close(e.gone)
		reset(e.client)
		reset(e.server)
	})
}

// join passes bytes between both ends until both directions have ended, or one end has
// gone away.
func (p *Path) join(client, server net.Conn, c *Connection) error {
	alarms, err := p.alarms(3)
	if err != nil {
		return errors.Join(err, client.Close(), server.Close())
	}
	pipe, err := newMover(server, client)
	if err != nil {
		return errors.Join(err, client.Close(), server.Close())
	}
	e := &end{gone: make(chan struct{}), client: client, server: server}
	up := &flow{path: p, window: newWindow(p.RTT), shared: &p.up, alarm: alarms[0], end: e}
	down := &flow{path: p, window: newWindow(p.RTT), shared: &p.down, alarm: alarms[1], end: e}
	line := make(chan segment, underWay)
	var all sync.WaitGroup
	all.Go(func() { up.request(line, c.Opened.Add(p.RTT)) })
	all.Go(func() { up.deliver(line, alarms[2]) })
	all.Go(func() { down.answer(pipe) })
	all.Wait()
	c.Up, c.Down, c.FirstUp, c.FirstDown = up.sent, down.sent, up.first, down.first
	for _, a := range alarms {
		a.close()
	}
	pipe.close()
	_, _ = client.Close(), server.Close() // one of them may be closed already
	return nil
}

// segment is some bytes in transit. A segment without bytes marks the end.
type segment struct {
	data    []byte
	end     int64 // its end in the stream
	arrives time.Time
}

const (
	pieceSize = 256 << 10 // bytes per read
	underWay  = 8192      // segments, at most
)

// request puts what the client sends on the line as soon as the window allows it. Nothing
// leaves before opened.
func (f *flow) request(line chan<- segment, opened time.Time) {
	defer close(line)
	put := func(s segment) bool {
		select {
		case line <- s:
			return true
		case <-f.end.gone:
			return false
		}
	}
	buf := make([]byte, pieceSize)
	for {
		n, err := f.end.client.Read(buf)
		f.alarm.until(opened)
		data := slices.Clone(buf[:n])
		there := f.leave(int64(n), func(k int64, left time.Time) bool {
			ok := put(segment{data[:k], f.sent, left.Add(f.path.RTT)})
			data = data[k:]
			return ok
		})
		switch {
		case !there:
			return
		case errors.Is(err, io.EOF):
			put(segment{arrives: f.left(time.Now(), 0).Add(f.path.RTT)})
			return
		case err != nil: // the client has closed the connection; the server learns of it later
			f.alarm.until(time.Now().Add(f.path.RTT))
			f.end.hangUp()
			return
		}
	}
}

// deliver writes arriving segments to the server.
func (f *flow) deliver(line <-chan segment, a alarm) {
	for s := range line {
		a.until(s.arrives)
		if s.data == nil {
			closeWrite(f.end.server)
			return
		}
		if _, err := f.end.server.Write(s.data); err != nil {
			f.end.hangUp() // nothing more is put on the line
			return
		}
		f.window.arrived(s.end, time.Now())
	}
}

// answer passes on what the server sends as soon as the window allows it. If the client
// has closed the connection, the bytes are lost, and the server learns of it a round trip
// later.
func (f *flow) answer(m *mover) {
	lost := false
	for {
		n, err := m.take(pieceSize)
		there := f.leave(n, func(k int64, left time.Time) bool {
			f.alarm.until(left)
			if lost = lost || m.give(k) != nil; !lost {
				f.window.arrived(f.sent, time.Now().Add(f.path.RTT))
				return true
			}
			m.drop(k)
			time.AfterFunc(f.path.RTT, f.end.hangUp) // hanging up twice is harmless
			return true
		})
		switch {
		case !there:
			return
		case errors.Is(err, io.EOF):
			closeWrite(f.end.client)
			return
		case err != nil:
			f.end.hangUp()
			return
		}
	}
}

// leave sends n bytes in pieces, as the window allows. pass moves a piece and reports
// whether the connection still exists; leave returns false if it doesn't.
func (f *flow) leave(n int64, pass func(k int64, left time.Time) bool) bool {
	for n > 0 {
		now := time.Now()
		k, next := f.window.take(n, now)
		switch {
		case k > 0:
			if f.sent == 0 {
				f.first = now
			}
			f.sent += k
			n -= k
			if !pass(k, f.left(now, k)) {
				return false
			}
		case next.IsZero():
			select {
			case <-f.window.arrival:
			case <-f.end.gone:
				return false
			}
		default:
			f.alarm.until(next)
		}
	}
	return true
}

// left returns when the last of n bytes that are ready now leaves.
func (f *flow) left(now time.Time, n int64) time.Time {
	now = f.own.pass(now, n, f.path.PerConnection)
	return f.shared.pass(now, n, f.path.Link)
}

// slack is how late a piece may arrive without the link counting as idle: the sender
// waits for the previous piece to pass, and timers are late.
const slack = 2 * time.Millisecond

// link is a line that bytes pass one after the other.
type link struct {
	mu   sync.Mutex
	free time.Time
}

// pass returns when n bytes that arrive now have passed, at a rate in bytes per second;
// zero means immediately.
func (l *link) pass(now time.Time, n int64, rate float64) time.Time {
	if rate <= 0 {
		return now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.After(l.free.Add(slack)) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	return l.free
}

// reset closes a connection so that the other end sees it broken.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it is closed anyway
	}
	_ = c.Close() // it may be closed already
}

// closeWrite closes the sending direction to c, or everything if c can't be closed in one
// direction.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the other end may be gone
		return
	}
	_ = c.Close() // it may be closed already
}
