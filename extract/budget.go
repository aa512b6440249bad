package extract

import (
	"context"
	"sync"
)

// pieceBudget is the memory for pieces, shared by all spreads of a crew. Each
// takes its pieces in the order in which it needs them, so that one that has a
// piece can go on, and none waits for ever. When the server has had enough, half
// of it is given up: fewer pieces are on their way at once.
type pieceBudget struct {
	free chan []byte
	ease func() // is called before each request

	mu    sync.Mutex
	left  int // pieces that there are
	drop  int // of them, to be given up when they come back
	wants int // that the borrower still waits for

	borrower chan struct{} // has one element, for whoever borrows
}

func newPieceBudget(pieces int, ease func()) *pieceBudget {
	b := &pieceBudget{free: make(chan []byte, pieces), ease: ease, left: pieces, borrower: make(chan struct{}, 1)}
	for range pieces {
		b.free <- nil // made when it is needed
	}
	return b
}

// take waits for a piece.
func (b *pieceBudget) take(ctx context.Context) ([]byte, error) {
	b.ease()
	select {
	case buf := <-b.free:
		if buf == nil {
			buf = make([]byte, spreadPiece)
		}
		return buf, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// halve gives up half of the pieces, as they come back.
func (b *pieceBudget) halve() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop += (b.left - b.drop) / 2
}

func (b *pieceBudget) giveBack(buf []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drop > 0 && b.wants == 0 {
		b.drop--
		b.left--
		return
	}
	b.free <- buf
}

// borrow takes as many pieces as have n bytes together, or all that there are,
// for somebody else's memory. One borrower waits for its pieces at a time: two
// with half of what they need each would wait for ever.
func (b *pieceBudget) borrow(ctx context.Context, n int64) (giveBack func(), err error) {
	select {
	case b.borrower <- struct{}{}:
		defer func() { <-b.borrower }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	b.mu.Lock()
	b.wants = min(int((n+spreadPiece-1)/spreadPiece), b.left-b.drop)
	pieces := b.wants
	b.mu.Unlock()
	taken := 0
	giveBack = func() {
		for range taken {
			b.giveBack(nil)
		}
	}
	for ; taken < pieces; taken++ {
		select {
		case <-b.free:
			b.want(-1)
		case <-ctx.Done():
			b.want(taken - pieces)
			giveBack()
			return nil, context.Cause(ctx)
		}
	}
	return giveBack, nil
}

func (b *pieceBudget) want(more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wants += more
}
