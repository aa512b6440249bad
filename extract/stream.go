package extract

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// streamBuffer is how much of a stream is decompressed at a time, in bytes.
const streamBuffer = 64 << 10

// stream extracts the selection of a tar, or the one file that a compressed file
// is. Names are checked as they come, and what is already staged is discarded if one
// is bad.
func (s *Stage) stream(ctx context.Context, src Source, f *format, o Options) (Stats, error) {
	x, err := newUntar(s, o)
	if err != nil {
		return Stats{}, err
	}
	body, err := src.Range(ctx, 0, src.Size())
	if err != nil {
		return Stats{}, err
	}
	defer func() { _ = body.Close() }() // read to its end, or given up
	arriving := &archive.Reader{R: body, Moved: new(atomic.Int64), Waited: new(atomic.Int64), OnRead: o.OnRead}
	o.OnPlan(src.Size())
	if err := s.unpack(ctx, x, f, arriving); err != nil {
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
	defer func() { _ = plain.Close() }() // idem
	content := bufio.NewReaderSize(&counted{ctx: ctx, r: plain, opts: x.opts}, streamBuffer)
	head, err := content.Peek(sniffSize)
	if err != nil && !archive.AtEnd(err) {
		return err
	}
	// A tar without members is nothing but zeros, as other files are, too.
	empty := bytes.Equal(head, make([]byte, sniffSize)) && strings.HasSuffix(strings.ToLower(x.opts.BareName), ".tar")
	if f.open == nil || empty || isTar(ctx, head) {
		return x.tar(ctx, content)
	}
	return x.bare(f, content)
}

// decompress opens the decompressor of a stream.
func (s *Stage) decompress(ctx context.Context, f *format, arriving io.Reader) (io.ReadCloser, error) {
	if f.open == nil {
		return io.NopCloser(arriving), nil
	}
	packed := bufio.NewReaderSize(arriving, streamBuffer)
	done := func() {}
	if f.window != nil {
		head, err := packed.Peek(codec.WindowHead)
		if err != nil && !archive.AtEnd(err) {
			return nil, err
		}
		if done, err = s.large.Take(ctx, f.window(head)); err != nil {
			return nil, err
		}
	}
	plain, err := codec.Guard(func() (io.ReadCloser, error) { return f.open(packed) })
	if err != nil {
		done()
		return nil, err
	}
	return codec.OnClose(plain, done), nil
}

// counted counts what is decompressed, and ends with its context: a stream may
// never end by itself. Its first error stays, which not all decompressors see to: what
// is read once more after that would make a damaged stream a whole one.
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

// explain tells a bad member, and what kept the bytes from arriving, from
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
	return archive.Corrupt("", "%s: %w", f.name, err)
}

// localError reports an error of the file system that is written to.
func localError(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}
