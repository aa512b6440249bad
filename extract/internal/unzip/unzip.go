package unzip

import (
	"context"
	"io"
	"sync/atomic"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// Sink takes what entries contain. Workers call it concurrently, with the index of
// the entry in the list that [Extract] got.
type Sink interface {
	// Create creates the file for an entry.
	Create(i int) (File, error)
	// Link takes the target of an entry that is a symbolic link.
	Link(i int, target string) error
}

// File is a file of a [Sink]. Calls for one file never overlap.
type File interface {
	io.Writer
	// Close closes the file. err says why its content isn't complete; Close returns
	// it, or if it is nil, what went wrong in the end.
	Close(err error) error
}

// Options say how to read an archive.
type Options struct {
	Pace
	Large *codec.LargeWindows // of all archives that are read at the same time
	// OnPlan is told how many bytes will be read, and OnRead how many were read, from
	// any goroutine. Bytes between entries count, if reading them is cheaper than
	// another request.
	OnPlan func(bytes int64)
	OnRead func(n int)
}

// Extract decodes entries into sink. It skips directories. It stops at the first
// error.
func Extract(ctx context.Context, src archive.Source, entries []*zipfile.Entry, sink Sink, o Options) error {
	o.Pace = o.Pace.withDefaults()
	regions := plan(entries, o.Pace, src.Onward())
	var planned int64
	for _, r := range regions {
		planned += r.end - r.off
	}
	o.OnPlan(planned)
	return newPool(ctx, src, sink, o).run(regions)
}

// Copy writes the content of one entry to w. It checks size and CRC-32 after it has
// written everything: if it returns an error, the content written is wrong.
func Copy(ctx context.Context, src archive.Source, e *zipfile.Entry, w io.Writer) error {
	if err := Check(e); err != nil {
		return err
	}
	o := Options{Pace: Pace{}.withDefaults(), Large: codec.NewLargeWindows(), OnRead: func(int) {}}
	s := newShared(src, o, func() {})
	defer s.freeDecoders()
	reader := newWorker(s)
	defer reader.close()
	return reader.read(ctx, region{e.Offset, e.End, []*selected{{e, 0}}}, func(s *selected) error {
		return reader.content(ctx, s.Entry, w)
	})
}

// shared is what all workers use that read one archive.
type shared struct {
	src    archive.Source
	opts   Options
	pieces *piecePool
	zstds  zstdPool
	moved  atomic.Int64 // bytes that have arrived
	waited atomic.Int64 // nanoseconds that workers have waited for bytes
}

// freeDecoders frees the decoders that are kept for later entries.
func (s *shared) freeDecoders() {
	s.zstds.closeIdle()
	s.opts.Large.Free()
}

// newShared makes what workers share. beforeRequest is called before each request for
// a piece.
func newShared(src archive.Source, o Options, beforeRequest func()) *shared {
	return &shared{src: src, opts: o, pieces: newPiecePool(max(maxPieces/o.Share, 1), beforeRequest)}
}
