package extract

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"
)

// The memory of a spread that was closed early is not given to another one while
// a request still writes to it.
func TestSpreadKeepsWhatIsBeingFilled(t *testing.T) {
	t.Parallel()
	data := noise(12 * spreadPiece)
	late := &lateSource{Source: FromReaderAt(bytes.NewReader(data), int64(len(data))), release: make(chan struct{})}
	budget := newPieceBudget(func() {})
	s := newSpread(t.Context(), late, budget, 0, int64(len(data)))
	for len(budget.free) > spreadTotal-spreadAhead { // all that one spread takes are on their way
		time.Sleep(time.Millisecond)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(20 * time.Millisecond) // a chance to give back too early
	if n := len(budget.free); n > spreadTotal-spreadAhead {
		t.Errorf("%d pieces came back while requests still write", n)
	}
	close(late.release)
	if err := <-closed; err != nil || len(budget.free) != spreadTotal {
		t.Errorf("%d pieces of %d came back, %v", len(budget.free), spreadTotal, err)
	}
}

// lateSource is one whose bodies do not notice that nobody wants them any more.
type lateSource struct {
	Source
	release chan struct{}
}

// Range implements [Source].
func (l *lateSource) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	<-l.release
	return l.Source.Range(ctx, off, n)
}
