package extract

import (
	"context"
	"io"
	"math"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// arrivingAt keeps the error that stopped the transfer, reports progress, and ends
// with its context.
type arrivingAt struct {
	io.ReaderAt
	ctx      context.Context //nolint:containedctx // io.ReaderAt has no place for one
	progress *progress7z
	err      error
}

// ReadAt implements [io.ReaderAt].
func (a *arrivingAt) ReadAt(p []byte, off int64) (int, error) {
	if a.ctx.Err() != nil {
		return 0, context.Cause(a.ctx)
	}
	n, err := a.ReaderAt.ReadAt(p, off)
	if err != nil && !archive.AtEnd(err) {
		a.err = err
	}
	if a.progress != nil {
		a.progress.add(n)
	}
	return n, err
}

// progress7z reports each byte of a folder once.
type progress7z struct {
	left int64
	tell func(n int)
}

func (p *progress7z) add(n int) {
	n = int(min(int64(n), p.left))
	p.left -= int64(n)
	p.tell(n)
}

func (p *progress7z) rest() {
	for p.left > 0 {
		p.add(math.MaxInt32)
	}
}
