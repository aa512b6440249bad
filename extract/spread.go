package extract

import (
	"context"
	"io"
	"sync"
)

const (
	spreadPiece = 4 << 20 // bytes that one request of a spread asks for
	spreadAhead = 4       // pieces of one spread on their way at once
	spreadTotal = 6       // pieces of all spreads: 24 MiB
)

// spread reads a long run of an archive by several requests at once and gives it
// out in order. What has arrived of the next piece is given out at once; the
// pieces behind it arrive meanwhile, into memory that is bounded.
type spread struct {
	cancel context.CancelFunc
	pieces chan *piece // in order
	budget *pieceBudget
	now    *piece
	last   *piece // that found no room any more; read when all requests have ended
	err    error  // why there are no more pieces, before the run is over; read when there are none
	done   sync.WaitGroup
}

// piece is a part that arrives.
type piece struct {
	buf []byte // as long as the piece will be

	mu      sync.Mutex
	changed *sync.Cond
	have    int   // bytes that have arrived
	read    int   // bytes that were given out
	err     error // why no more will come
}

func newSpread(ctx context.Context, src Source, budget *pieceBudget, off, end int64) *spread {
	ctx, cancel := context.WithCancel(ctx)
	s := &spread{cancel: cancel, pieces: make(chan *piece, spreadAhead-1), budget: budget}
	s.done.Go(func() { s.request(ctx, src, off, end) })
	return s
}

// request asks for one piece after the other, as there is room.
func (s *spread) request(ctx context.Context, src Source, off, end int64) {
	defer close(s.pieces)
	for off < end {
		buf, err := s.budget.take(ctx)
		if err != nil {
			s.err = err
			return
		}
		p := &piece{buf: buf[:min(spreadPiece, end-off)]}
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

func (p *piece) fill(ctx context.Context, src Source, off int64) {
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
	if p.err = err; err == io.EOF { //nolint:errorlint // the contract of Read is io.EOF itself
		p.err = io.ErrUnexpectedEOF
	}
	p.changed.Signal()
}

// Read implements [io.Reader].
func (s *spread) Read(b []byte) (int, error) {
	if s.now == nil {
		next, more := <-s.pieces
		if !more && s.err != nil {
			return 0, s.err // a run that was stopped isn't at its end
		}
		if !more {
			return 0, io.EOF
		}
		s.now = next
	}
	n, err := s.now.take(b)
	if s.now.read == len(s.now.buf) {
		s.budget.giveBack(s.now.whole())
		s.now = nil
	}
	return n, err
}

// take waits for bytes and gives them out.
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
func (s *spread) Close() error {
	s.cancel()
	s.done.Wait()
	if s.now != nil {
		s.budget.giveBack(s.now.whole())
		s.now = nil
	}
	for p := range s.pieces {
		s.budget.giveBack(p.whole())
	}
	if s.last != nil {
		s.budget.giveBack(s.last.whole())
		s.last = nil
	}
	return nil
}

func (p *piece) whole() []byte { return p.buf[:spreadPiece:spreadPiece] }
