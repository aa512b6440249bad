package unzip

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// readAhead is the buffer between the network and the decompressor, in bytes. A stored
// file that fits is written by one call.
const readAhead = max(256<<10, zipfile.MinBuffer)

// worker decodes one region at a time.
type worker struct {
	*shared
	in       *bufio.Reader
	inflater inflate.Decoder
	out      []byte           // decompressed bytes, after the window of earlier ones
	zstd     *zstd.Decoder    // for small entries
	small    []byte           // what that decompresses into
	verifier archive.Verifier // of the current entry
	async    *asyncWriter     // writes what was decompressed; nil if the worker does
}

func newWorker(s *shared) *worker {
	return &worker{shared: s, in: bufio.NewReaderSize(nil, readAhead), out: newOutBuffer()}
}

func (w *worker) close() {
	if w.zstd != nil {
		w.zstd.Close()
	}
}

// read reads one region and passes its entries to do, which decodes the data that
// comes next.
func (w *worker) read(ctx context.Context, r region, do func(*selected) error) error {
	body, err := w.open(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // everything needed has been read
	arriving := &archive.Reader{R: body, At: r.off, Moved: &w.moved, Waited: &w.waited, OnRead: w.opts.OnRead}
	w.in.Reset(arriving)
	for _, e := range r.entries {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := archive.Skip(w.in, e.Offset-w.at(arriving)); err != nil {
			return arriving.Blame(archive.Ended(e.Name, err))
		}
		dataEnd, err := e.ReadLocalHeader(w.in)
		if err == nil {
			err = do(e)
		}
		if err == nil {
			err = e.ReadDescriptor(w.in, dataEnd, dataEnd-w.at(arriving))
		}
		if err != nil {
			return arriving.Blame(err)
		}
	}
	return nil
}

// at returns the offset in the archive of the next byte.
func (w *worker) at(arriving *archive.Reader) int64 { return arriving.At - int64(w.in.Buffered()) }

// open opens the region: as one stream, or, if it is one entry that is larger than a
// region should be, as several streams that are put in order. Only for common
// methods: the others need the memory for themselves.
func (w *worker) open(ctx context.Context, r region) (io.ReadCloser, error) {
	common := r.entries[0].Method == methodStore || r.entries[0].Method == methodDeflate
	if r.end-r.off <= maxRegion || w.opts.Costly || !common {
		return w.src.Range(ctx, r.off, r.end-r.off)
	}
	return newRangeReader(ctx, w.src, w.pieces, r.off, r.end), nil
}

// entry decodes the entry whose data comes next into its place.
func (w *worker) entry(ctx context.Context, e *selected, sink Sink) error {
	if e.IsLink() {
		return w.link(ctx, e, sink)
	}
	f, err := sink.Create(e.index)
	if err != nil {
		return err
	}
	if e.Method == methodDeflate && e.Size > largeFile {
		err = w.inflateAsync(e.Entry, f)
	} else {
		err = w.content(ctx, e.Entry, f)
	}
	return f.Close(err)
}

// content verifies the content of an entry and writes it to out.
func (w *worker) content(ctx context.Context, e *zipfile.Entry, out io.Writer) error {
	w.verifier = archive.Verifier{Header: &e.Header, Next: out}
	if err := w.decode(ctx, e, &w.verifier); err != nil {
		return err
	}
	return w.verifier.Finish()
}

// link passes on the target of a link, which is its content.
func (w *worker) link(ctx context.Context, e *selected, sink Sink) error {
	if e.Size >= archive.MaxPath {
		return &archive.UnsafeError{Entry: e.Name, Reason: "the link's target is too long"}
	}
	var target strings.Builder
	if err := w.content(ctx, e.Entry, &target); err != nil {
		return err
	}
	return sink.Link(e.index, target.String())
}
