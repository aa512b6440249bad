package extract

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// streamBuffer is how much of a stream is decompressed at a time, in bytes.
const streamBuffer = 64 << 10

// stream extracts the selection of a tar, or the content of a single compressed file. It
// checks names as they arrive. If one is bad, the stage with the earlier files is
// discarded.
func (s *Stage) stream(ctx context.Context, src Source, f *format, o Options) (Stats, error) {
	return s.streaming(ctx, src, f, o, func(x *untar, arriving io.Reader) error { return s.unpack(ctx, x, f, arriving) })
}

// streaming reads an archive from its beginning to its end. f is its format.
func (s *Stage) streaming(ctx context.Context, src Source, f *format, o Options, read func(x *untar, arriving io.Reader) error) (Stats, error) {
	x, err := newUntar(s, o)
	if err != nil {
		return Stats{}, err
	}
	body, err := src.Range(ctx, 0, src.Size())
	if err != nil {
		return Stats{}, err
	}
	defer func() { _ = body.Close() }() // read to its end, or abandoned
	arriving := &archive.Reader{R: body, Moved: new(atomic.Int64), Waited: new(atomic.Int64), OnRead: o.OnRead}
	o.OnPlan(src.Size())
	if err := read(x, arriving); err != nil {
		return Stats{}, x.explain(ctx, f, arriving, err)
	}
	return x.result()
}

// unpack decompresses a stream, and stages what is in it.
func (s *Stage) unpack(ctx context.Context, x *untar, f *format, arriving io.Reader) error {
	plain, err := s.decompress(ctx, f, arriving)
	if err != nil {
		return err
	}
	defer func() { _ = plain.Close() }() // read to its end, or abandoned
	content := bufio.NewReaderSize(&counted{ctx: ctx, r: plain, opts: x.opts}, streamBuffer)
	head, err := content.Peek(tarRecord + 1)
	if err != nil && !archive.AtEnd(err) {
		return err
	}
	if f.open == nil || x.emptyTar(head) || isTar(ctx, head[:min(len(head), sniffSize)]) {
		return x.tar(ctx, content)
	}
	return x.bare(f, content)
}

// decompress opens the decompressor of a stream.
func (s *Stage) decompress(ctx context.Context, f *format, arriving io.Reader) (io.ReadCloser, error) {
	if f.open == nil {
		return io.NopCloser(arriving), nil
	}
	done := func() {}
	if f.large {
		var err error
		if done, err = s.large.Take(ctx); err != nil {
			return nil, err
		}
	}
	packed := bufio.NewReaderSize(arriving, streamBuffer)
	plain, err := codec.Guard(func() (io.ReadCloser, error) { return f.open(packed) })
	if err != nil {
		done()
		return nil, err
	}
	return codec.OnClose(plain, done), nil
}

// counted takes what is decompressed from the budget, and ends with its context, because
// a stream may never end by itself. It keeps its first error: some decompressors return
// the end of the stream if they are read again after an error.
type counted struct {
	ctx  context.Context //nolint:containedctx // io.Reader has no place for one
	r    io.Reader
	opts Options
	err  error
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (n int, err error) {
	switch {
	case c.err != nil:
	case c.ctx.Err() != nil:
		c.err = context.Cause(c.ctx)
	default:
		n, err = c.r.Read(p)
		c.err = cmp.Or(c.opts.budget.unpack(n), err)
	}
	return n, c.err
}

// explain returns the reason why a stream failed: the transfer, a bad member, a limit, or
// damage.
func (x *untar) explain(ctx context.Context, f *format, arriving *archive.Reader, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case arriving.Err != nil:
		return arriving.Err
	case x.failed != nil:
		err = x.failed
	}
	if limit := codec.WindowError(f.name, err); limit != nil {
		return limit
	}
	if _, limited := errors.AsType[*LimitError](err); limited || x.failed != nil || localError(err) {
		return err
	}
	return archive.CorruptFormat(f.name, err)
}

// localError reports whether err comes from the file system.
func localError(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}
