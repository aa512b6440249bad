package fetch

import (
	"context"
	"io"
)

// gap is what is between two readers of the first connection. Readers begin in any
// order: what one of them passes over, another may want a moment later. So it is kept, at
// most arrivalGap of it.
type gap struct {
	span
	data []byte // what was read of it
}

// span is the bytes from off to end.
type span struct{ off, end int64 }

// read reads what is missing of the gap. The reader is at that place, or behind the gap.
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
	spine    *spine
	ctx      context.Context // io.Reader has no place for one
	off, end int64
	request  *reader // or nil
}

// Read implements [io.Reader].
func (r *gapReader) Read(p []byte) (int, error) {
	switch {
	case r.request != nil:
		return r.request.Read(p)
	case r.off == r.end:
		return 0, io.EOF
	case !r.fetched():
		r.request = r.spine.body.remote.reader(r.ctx, r.off, r.end)
		return r.request.Read(p)
	}
	n := copy(p, r.data[r.off-r.gap.off:r.end-r.gap.off])
	r.off += int64(n)
	return n, nil
}

// fetched reads the gap if nobody has done so yet. It reports whether it is there.
func (r *gapReader) fetched() bool {
	s := r.spine
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
