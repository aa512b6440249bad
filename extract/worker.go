package extract

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// readAhead is the buffer between the network and the decompressor, in bytes.
// A stored file that fits is written by one call.
const readAhead = 256 << 10

// worker decodes one region at a time.
type worker struct {
	*crew
	in       *bufio.Reader
	inflater inflate.Decoder
	out      []byte // what was decompressed, behind the window of what came before
	zstd     *zstd.Decoder
	whole    []byte  // what that decompresses into
	dataEnd  int64   // where the data of the last entry ends
	behind   *behind // writes what was decompressed; nil while the worker does
}

func newWorker(c *crew) *worker {
	return &worker{crew: c, in: bufio.NewReaderSize(nil, readAhead), out: newOutBuffer()}
}

func (w *worker) close() {
	if w.zstd != nil {
		w.zstd.Close()
	}
}

// region reads one region and decodes its entries as they come.
func (w *worker) region(ctx context.Context, r region) error {
	body, err := w.open(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // what was needed of it was read
	arriving := &arrivingReader{r: body, at: r.off, moved: &w.moved, waited: &w.waited, tell: w.opts.OnRead}
	w.in.Reset(arriving)
	for _, e := range r.entries {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		at := arriving.at - int64(w.in.Buffered())
		if err := skip(w.in, e.offset-at); err != nil {
			return arriving.blame(ended(e, err))
		}
		if err := w.entry(e); err != nil {
			return arriving.blame(err)
		}
		if err := w.descriptor(e, w.dataEnd-(arriving.at-int64(w.in.Buffered()))); err != nil {
			return arriving.blame(err)
		}
	}
	return nil
}

// open opens the region: as one stream, or, if it is one entry that is larger
// than a region should be, as several that are put in order. Other methods than
// the common ones need the memory that this takes for themselves.
func (w *worker) open(ctx context.Context, r region) (io.ReadCloser, error) {
	common := r.entries[0].method == methodStore || r.entries[0].method == methodDeflate
	if r.end-r.off <= maxRegion || w.opts.Costly || !common {
		return w.src.Range(ctx, r.off, r.end-r.off)
	}
	return newSpread(ctx, w.src, w.budget, r.off, r.end), nil
}

// arrivingReader knows its place in the archive, and why bytes stopped coming.
type arrivingReader struct {
	r      io.Reader
	at     int64
	moved  *atomic.Int64 // counts the bytes of all readers
	waited *atomic.Int64 // and the nanoseconds that they waited for them
	tell   func(n int)   // is told, too
	err    error
}

// Read implements [io.Reader].
func (a *arrivingReader) Read(p []byte) (int, error) {
	start := time.Now()
	n, err := a.r.Read(p)
	a.at += int64(n)
	a.moved.Add(int64(n))
	a.tell(n)
	a.waited.Add(int64(time.Since(start)))
	if err != nil && err != io.EOF { // itself: the end of a connection is wrapped
		a.err = err
	}
	return n, err
}

// blame tells a transfer that broke off from damage: a decompressor says much
// the same of both.
func (a *arrivingReader) blame(err error) error {
	if a.err != nil {
		return a.err
	}
	return err
}

func skip(r *bufio.Reader, n int64) error {
	for n > 0 {
		step, err := r.Discard(int(min(n, math.MaxInt32)))
		if err != nil {
			return err
		}
		n -= int64(step)
	}
	return nil
}

// ended calls an end that comes too early damage.
func ended(e *entry, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt(e.name, "it ends too early")
	}
	return err
}

// entry decodes the entry whose local header comes next.
func (w *worker) entry(e *entry) error {
	if err := w.localHeader(e); err != nil {
		return err
	}
	if e.isLink() {
		return w.link(e)
	}
	f, err := w.stage.tree.create(e, w.opts.Label)
	if err != nil {
		return err
	}
	switch check := w.stage.newDigest(e, w.opts); {
	case check.hash != nil:
		err = w.content(e, &verifier{entry: e, next: func(p []byte) error { check.add(p); return f.write(p) }})
		if err == nil {
			err = check.finish()
		}
	case e.method == methodDeflate && e.size > largeFile:
		err = w.inflateBehind(f)
	default:
		err = w.content(e, &verifier{entry: e, next: f.write})
	}
	if err := f.close(err); err != nil {
		return err
	}
	w.opts.OnFile(e.dest, e.size)
	return nil
}

// content passes the content of an entry through its verifier.
func (w *worker) content(e *entry, v *verifier) error {
	if err := w.decode(e, v.write); err != nil {
		return err
	}
	return v.finish()
}

// link keeps the target for later: links are made after all files.
func (w *worker) link(e *entry) error {
	if e.size >= maxPath {
		return &UnsafeError{e.name, "the link's target is too long"}
	}
	var target []byte
	v := &verifier{entry: e, next: func(p []byte) error {
		target = append(target, p...)
		return nil
	}}
	if err := w.content(e, v); err != nil {
		return err
	}
	return w.stage.wantLink(e, string(target), w.opts)
}
