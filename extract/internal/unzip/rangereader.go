package unzip

import (
	"context"
	"io"
	"sync"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

const (
	pieceSize   = 4 << 20 // bytes that one request of a rangeReader asks for
	piecesAhead = 4       // pieces of one rangeReader that are requested at once
	maxPieces   = 6       // pieces of all of them: 24 MiB
)

// rangeReader reads a long range of an archive by several requests at once, and
// returns its bytes in order. Read returns what has arrived of the next piece, while
// the pieces after it arrive into bounded memory.
type rangeReader struct {
	cancel context.CancelFunc
	pieces chan *piece // in order
	pool   *piecePool
	now    *piece
	last   *piece // that was requested but not passed on; read when all requests have ended
	err    error  // why the pieces stop before the end; read when pieces is closed
	done   sync.WaitGroup
}

// piece is a part of the range that is arriving.
type piece struct {
	buf []byte // as long as the piece will be

	mu      sync.Mutex
	changed *sync.Cond
	have    int   // bytes that have arrived
	read    int   // bytes that were returned
	err     error // why the rest won't arrive
}

func newRangeReader(ctx context.Context, src archive.Source, pool *piecePool, off, end int64) *rangeReader {
	ctx, cancel := context.WithCancel(ctx)
	s := &rangeReader{cancel: cancel, pieces: make(chan *piece, piecesAhead-1), pool: pool}
	s.done.Go(func() { s.request(ctx, src, off, end) })
	return s
}

// request requests one piece after the other, as memory becomes free.
func (s *rangeReader) request(ctx context.Context, src archive.Source, off, end int64) {
	defer close(s.pieces)
	for off < end {
		buf, err := s.pool.take(ctx)
		if err != nil {
			s.err = err
			return
		}
		p := &piece{buf: buf[:min(pieceSize, end-off)]}
		p.changed = sync.NewCond(&p.mu)
		from := off
		s.done.Go(func() { p.fill(ctx, src, from) })
		off += int64(len(p.buf))
		select {
		case s.pieces <- p:
		case <-ctx.Done():
			s.last = p // it is still being filled: Close gives it back
			s.err = context.Cause(ctx)
			return
		}
	}
}

func (p *piece) fill(ctx context.Context, src archive.Source, off int64) {
	body, err := src.Range(ctx, off, int64(len(p.buf)))
	for have := 0; err == nil && have < len(p.buf); {
		var n int
		n, err = body.Read(p.buf[have:])
		have += n
		p.mu.Lock()
		p.have = have
		p.changed.Signal()
		p.mu.Unlock()
	}
	if body != nil {
		_ = body.Close() // what was read is what counts
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err = err; archive.AtEnd(err) {
		p.err = io.ErrUnexpectedEOF
	}
	p.changed.Signal()
}

// Read implements [io.Reader].
func (s *rangeReader) Read(b []byte) (int, error) {
	if s.now == nil {
		next, more := <-s.pieces
		if !more && s.err != nil {
			return 0, s.err // it was stopped before its end
		}
		if !more {
			return 0, io.EOF
		}
		s.now = next
	}
	n, err := s.now.take(b)
	if s.now.read == len(s.now.buf) {
		s.pool.giveBack(s.now.whole())
		s.now = nil
	}
	return n, err
}

// take waits for bytes and returns them.
func (p *piece) take(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.have == p.read && p.err == nil {
		p.changed.Wait()
	}
	n := copy(b, p.buf[p.read:p.have])
	p.read += n
	if n == 0 && len(b) > 0 {
		return 0, p.err
	}
	return n, nil
}

// Close ends all requests, waits for them, and gives the memory back.
func (s *rangeReader) Close() error {
	s.cancel()
	s.done.Wait()
	if s.now != nil {
		s.pool.giveBack(s.now.whole())
		s.now = nil
	}
	for p := range s.pieces {
		s.pool.giveBack(p.whole())
	}
	if s.last != nil {
		s.pool.giveBack(s.last.whole())
		s.last = nil
	}
	return nil
}

func (p *piece) whole() []byte { return p.buf[:pieceSize:pieceSize] }
