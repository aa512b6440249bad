package unzip

import (
	"context"
	"sync"
)

// piecePool is the memory for pieces, which all rangeReaders of an archive share.
// Each takes its pieces in the order in which it needs them, so that a reader that
// has one can always finish it, and none waits forever. When the server refuses
// requests, the pool gives up half of its memory: fewer pieces are requested at once.
type piecePool struct {
	free          chan []byte
	beforeRequest func()

	mu    sync.Mutex
	left  int // pieces in the pool or in use
	drop  int // those of them to give up when they come back
	wants int // pieces that the borrower still waits for

	borrower chan struct{} // holds one element while someone borrows
}

func newPiecePool(pieces int, beforeRequest func()) *piecePool {
	p := &piecePool{free: make(chan []byte, pieces), beforeRequest: beforeRequest, left: pieces, borrower: make(chan struct{}, 1)}
	for range pieces {
		p.free <- nil // take allocates it
	}
	return p
}

// take waits for a piece.
func (p *piecePool) take(ctx context.Context) ([]byte, error) {
	p.beforeRequest()
	select {
	case buf := <-p.free:
		if buf == nil {
			buf = make([]byte, pieceSize)
		}
		return buf, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// halve gives up half of the pieces, as they come back.
func (p *piecePool) halve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop += (p.left - p.drop) / 2
}

func (p *piecePool) giveBack(buf []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drop > 0 && p.wants == 0 {
		p.drop--
		p.left--
		return
	}
	p.free <- buf
}

// borrow takes as many pieces as have n bytes together, or all pieces, and leaves
// their memory to a decompressor. Only one borrower at a time waits for its pieces:
// two that hold half of what they need would wait forever.
func (p *piecePool) borrow(ctx context.Context, n int64) (giveBack func(), err error) {
	select {
	case p.borrower <- struct{}{}:
		defer func() { <-p.borrower }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	p.mu.Lock()
	p.wants = min(int((n+pieceSize-1)/pieceSize), p.left-p.drop)
	pieces := p.wants
	p.mu.Unlock()
	taken := 0
	giveBack = func() {
		for range taken {
			p.giveBack(nil)
		}
	}
	for ; taken < pieces; taken++ {
		select {
		case <-p.free:
			p.want(-1)
		case <-ctx.Done():
			p.want(taken - pieces)
			giveBack()
			return nil, context.Cause(ctx)
		}
	}
	return giveBack, nil
}

func (p *piecePool) want(more int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wants += more
}
