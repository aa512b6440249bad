package unzip

import (
	"context"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// outSlack is the room, in bytes, that the inflater needs for its fast loop. A buffer
// with less counts as full.
const outSlack = 512

// decode writes the content of the entry whose data comes next to out. It never
// copies stored and deflated entries on the way: it writes from the input buffer, or
// the output buffer.
func (w *worker) decode(ctx context.Context, e *zipfile.Entry, out io.Writer) error {
	switch e.Method {
	case methodStore:
		return w.store(e, out)
	case methodDeflate:
		return w.inflate(e, out)
	case methodZstd:
		if max(e.Packed, e.Size) <= readAhead {
			return w.unzstd(e, out)
		}
	}
	content, err := w.decompress(ctx, e, &packedReader{r: w.in, left: e.Packed})
	if err != nil {
		return unpackError(e, err)
	}
	err = archive.Copy(out, codec.Reader{Reader: content, Entry: e.Name, Format: methodName(e.Method)}, w.out[:archive.CopyBuffer])
	if closeErr := content.Close(); err == nil && closeErr != nil {
		err = unpackError(e, closeErr)
	}
	return err
}

// store writes the bytes as they are.
func (w *worker) store(e *zipfile.Entry, out io.Writer) error {
	for left := e.Packed; left > 0; {
		piece, err := w.waiting(left)
		if err != nil {
			return archive.Ended(e.Name, err)
		}
		if _, err := out.Write(piece); err != nil {
			return err
		}
		left -= int64(len(piece))
		if _, err := w.in.Discard(len(piece)); err != nil {
			return err
		}
	}
	return nil
}

// waiting returns the next n bytes if they fit into the input buffer, and otherwise
// those of them that have arrived.
func (w *worker) waiting(n int64) ([]byte, error) {
	if n <= readAhead {
		return w.in.Peek(int(n))
	}
	return w.arrived(n)
}

// inflate decompresses from the input buffer into the output buffer. When that is
// full, inflate writes it and moves its last 32 KiB to the front, where matches may
// refer to them.
func (w *worker) inflate(e *zipfile.Entry, out io.Writer) error {
	d := &w.inflater
	d.Reset()
	from, pos, left := 0, 0, e.Packed
	for !d.Done() {
		src, err := w.arrived(left)
		if err != nil {
			return archive.Ended(e.Name, err)
		}
		next, taken, err := d.Decode(w.out, pos, src)
		if err != nil {
			return unpackError(e, err)
		}
		if left == 0 && next == pos && !d.Done() {
			return archive.Corrupt(e.Name, "it ends too early")
		}
		if _, err := w.in.Discard(taken); err != nil {
			return err
		}
		left -= int64(taken)
		if pos = next; len(w.out)-pos < outSlack {
			if _, err := out.Write(w.out[from:pos]); err != nil {
				return err
			}
			window := w.out[pos-inflate.WindowSize : pos]
			if err := w.swap(); err != nil {
				return err
			}
			copy(w.out, window)
			from, pos = inflate.WindowSize, inflate.WindowSize
		}
	}
	return w.rest(e, left, out, w.out[from:pos])
}

// rest writes the last piece, and skips what follows the stream.
func (w *worker) rest(e *zipfile.Entry, left int64, out io.Writer, last []byte) error {
	if len(last) > 0 {
		if _, err := out.Write(last); err != nil {
			return err
		}
	}
	return archive.Ended(e.Name, archive.Skip(w.in, left))
}

// arrived returns those of the next n bytes that have arrived. If there are none, it
// waits.
func (w *worker) arrived(n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if _, err := w.in.Peek(1); err != nil {
		return nil, err
	}
	return w.in.Peek(int(min(int64(w.in.Buffered()), n)))
}

func unpackError(e *zipfile.Entry, err error) error {
	return codec.Error(e.Name, methodName(e.Method), err)
}
