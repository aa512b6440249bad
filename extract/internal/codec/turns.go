package codec

import (
	"context"
	"runtime"
)

// LargeWindows lets one stream at a time have a large window. A stage has one for
// all its archives.
type LargeWindows struct {
	turn chan struct{} // holds one element while a stream has its turn
	used int64         // bytes of windows since the last collection; guarded by turn
}

// NewLargeWindows returns a LargeWindows whose first turn is free.
func NewLargeWindows() *LargeWindows { return &LargeWindows{turn: make(chan struct{}, 1)} }

// Take waits for its turn to use a window of so many bytes. The caller must call
// done when it has finished.
func (l *LargeWindows) Take(ctx context.Context, need int64) (done func(), err error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if l.used += need; l.used > MaxWindow {
		FreeWindows()
		l.used = need
	}
	return func() { <-l.turn }, nil
}

// FreeWindows frees the memory of windows that aren't in use any more. The garbage
// collector alone may leave them until the heap has doubled, so that several of
// 64 MiB would be in memory at the same time.
func FreeWindows() { runtime.GC() }
