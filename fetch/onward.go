package fetch

import (
	"context"
	"io"
	"slices"
	"sync"
)

// firstStream is the arrival of the first answer, and the bytes that its connection can deliver
// after it: one reader after the other can continue where the previous one ended, at the
// speed that the connection has reached by then.
type firstStream struct {
	*arrival

	mu   sync.Mutex
	next int64 // where the next reader may begin
	busy bool  // a reader uses the connection or has given it up
	gap  *gap  // before the last reader that had one; or nil

	elsewhere []span // requested by others
}

func newFirstStream(a *arrival) *firstStream { return &firstStream{arrival: a, next: a.end()} }

// onward returns a reader of the first of the bytes from off to end, and where they end.
// It returns nil if the connection is busy or at another position: then they need a
// request. If ctx ends before the reader is closed, the connection is given up.
func (s *firstStream) onward(ctx context.Context, off, end int64) (io.ReadCloser, int64) {
	if s == nil {
		return nil, end
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gap != nil && off >= s.gap.off && end <= s.gap.end {
		return &gapReader{gap: s.gap, firstStream: s, ctx: ctx, off: off, end: end}, end
	}
	if s.busy || off < s.next || off > s.next+arrivalGap || off >= s.body.end || s.requested(s.next, off) {
		s.elsewhere = append(s.elsewhere, span{off, end})
		return nil, end
	}
	end = min(end, s.body.end)
	if off > s.next {
		s.gap = &gap{span: span{s.next, off}}
	}
	s.busy = true
	s.all()
	return &onward{firstStream: s, ctx: ctx, gap: s.gap, off: off, end: end, stop: context.AfterFunc(ctx, s.leave)}, end
}

// requested reports whether others request bytes from off to end.
func (s *firstStream) requested(off, end int64) bool {
	return slices.ContainsFunc(s.elsewhere, func(o span) bool { return o.off < end && off < o.end })
}

// yield gives up the connection if its arrival is complete, and returns true. It returns
// false if a reader uses it or has already given it up.
func (s *firstStream) yield() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return false
	}
	s.busy = true
	s.leave()
	return true
}

// release takes back the connection from a reader that has read up to end.
func (s *firstStream) release(end int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.busy = end, false
}

// onward reads from the connection of the first answer.
type onward struct {
	*firstStream
	ctx      context.Context // io.Reader takes none
	gap      *gap            // before it; or nil
	off, end int64
	stop     func() bool
}

// Read implements [io.Reader].
func (r *onward) Read(p []byte) (int, error) {
	if r.off == r.end {
		return 0, io.EOF
	}
	if _, err := r.wait(r.ctx, r.arrival.end()-1, r.arrival.end()); err != nil {
		return 0, err
	}
	n, err := r.readOn(p[:min(int64(len(p)), r.end-r.off)])
	if r.off += int64(n); err != nil && r.ctx.Err() != nil {
		err = context.Cause(r.ctx) // this is why the connection was given up
	}
	return n, err
}

// readOn reads the next bytes.
func (r *onward) readOn(p []byte) (int, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if err := r.gap.read(r.body); err != nil {
		return 0, err
	}
	return r.body.Read(p)
}

// Close implements [io.Closer]. If the reader wasn't read to its end, the connection is
// given up.
func (r *onward) Close() error {
	if !r.stop() || r.off < r.end {
		r.leave()
		return nil
	}
	r.release(r.end)
	return nil
}

// gap is the range between two readers of the first connection. Readers start in any
// order, so another one may need what this one skips. So it is kept, up to arrivalGap
// bytes.
type gap struct {
	span
	data []byte // bytes read so far
}

// span is the bytes from off to end.
type span struct{ off, end int64 }

// read reads the rest of the gap. The reader is in the gap or behind it.
func (g *gap) read(body *reader) error {
	if g == nil || body.off >= g.end {
		return nil
	}
	have := len(g.data)
	g.data = append(g.data, make([]byte, g.end-body.off)...)
	n, err := io.ReadFull(body, g.data[have:])
	g.data = g.data[:have+n]
	return err
}

// gapReader reads from a gap, or makes a request if the connection was given up before
// the gap was read.
type gapReader struct {
	*gap
	firstStream *firstStream
	ctx         context.Context // io.Reader takes none
	off, end    int64
	request     *reader // or nil
}

// Read implements [io.Reader].
func (r *gapReader) Read(p []byte) (int, error) {
	switch {
	case r.request != nil:
		return r.request.Read(p)
	case r.off == r.end:
		return 0, io.EOF
	case !r.fetched():
		r.request = r.firstStream.body.remote.reader(r.ctx, r.off, r.end)
		return r.request.Read(p)
	}
	n := copy(p, r.data[r.off-r.gap.off:r.end-r.gap.off])
	r.off += int64(n)
	return n, nil
}

// fetched reads the gap if no reader has done so yet. It reports whether it succeeded.
func (r *gapReader) fetched() bool {
	s := r.firstStream
	if _, err := s.wait(r.ctx, s.end()-1, s.end()); err != nil {
		return false
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	return r.gap.read(s.body) == nil && len(r.data) == int(r.gap.end-r.gap.off)
}

// Close implements [io.Closer].
func (r *gapReader) Close() error {
	if r.request != nil {
		return r.request.Close()
	}
	return nil
}
