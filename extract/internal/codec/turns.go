package codec

import (
	"context"
	"io"

	"github.com/klauspost/compress/zstd"
)

// LargeWindows lets one stream at a time have a large window. A stage has one for
// all its archives. The last zstd decoder stays for the next zstd stream, because an
// archive may have thousands, and it takes time to clear a new window for each.
// The garbage collector frees other windows once the heap is as large as the
// program's memory limit.
type LargeWindows struct {
	turn chan *zstd.Decoder // empty while a stream has its turn; the decoder may be nil
}

// NewLargeWindows returns a LargeWindows whose first turn is free.
func NewLargeWindows() *LargeWindows {
	l := &LargeWindows{turn: make(chan *zstd.Decoder, 1)}
	l.turn <- nil
	return l
}

// Take waits for its turn to use a large window. The caller must call done when it has
// finished.
func (l *LargeWindows) Take(ctx context.Context) (done func(), err error) {
	kept, err := l.wait(ctx)
	if err != nil {
		return nil, err
	}
	closeDecoder(kept)
	return func() { l.turn <- nil }, nil
}

// TakeZstd waits for its turn to decompress a zstd stream with a large window.
func (l *LargeWindows) TakeZstd(ctx context.Context) (*ZstdTurn, error) {
	kept, err := l.wait(ctx)
	if err != nil {
		return nil, err
	}
	return &ZstdTurn{windows: l, decoder: kept}, nil
}

// Free frees the decoder that the last zstd stream has left. If another stream has its
// turn, its archive calls Free later.
func (l *LargeWindows) Free() {
	select {
	case kept := <-l.turn:
		closeDecoder(kept)
		l.turn <- nil
	default:
	}
}

func (l *LargeWindows) wait(ctx context.Context) (kept *zstd.Decoder, err error) {
	select {
	case kept = <-l.turn:
		return kept, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func closeDecoder(d *zstd.Decoder) {
	if d != nil {
		d.Close()
	}
}

// ZstdTurn is the turn of a zstd stream.
type ZstdTurn struct {
	windows *LargeWindows
	decoder *zstd.Decoder // nil if it isn't open and none was kept
}

// Open opens the stream. Closing it doesn't end the turn.
func (z *ZstdTurn) Open(packed io.Reader) (io.ReadCloser, error) {
	if z.decoder != nil {
		return io.NopCloser(z.decoder), z.decoder.Reset(packed)
	}
	var err error
	z.decoder, err = zstd.NewReader(packed, ZstdOptions(MaxWindow)...)
	return io.NopCloser(z.decoder), err
}

// Done ends the turn.
func (z *ZstdTurn) Done() {
	if z.decoder != nil {
		_ = z.decoder.Reset(nil) // forgets the stream; nil is always accepted
	}
	z.windows.turn <- z.decoder
}
