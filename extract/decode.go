package extract

import (
	"errors"
	"fmt"
	"io"

	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// outSlack is the room that the inflater wants for its fast loop. A buffer with
// less is as good as full.
const outSlack = 512

// decode passes the content of the entry whose data comes next to emit, in
// pieces that are good until emit returns. Stored and deflated entries are never
// copied on the way: what passes is the input buffer, or the output buffer.
func (w *worker) decode(e *entry, emit func([]byte) error) error {
	switch e.method {
	case methodStore:
		return w.store(e, emit)
	case methodDeflate:
		return w.inflate(e, emit)
	case methodZstd:
		if max(e.packed, e.size) <= readAhead {
			return w.unzstd(e, emit)
		}
	}
	content, err := w.decompress(e, &packedReader{r: w.in, left: e.packed})
	if err != nil {
		return unpackError(e, err)
	}
	err = pump(unpacking{content, e}, w.out[:copyBuffer], emit)
	if closeErr := content.Close(); err == nil && closeErr != nil {
		err = unpackError(e, closeErr)
	}
	return err
}

// store passes the bytes as they are.
func (w *worker) store(e *entry, emit func([]byte) error) error {
	for left := e.packed; left > 0; {
		piece, err := w.waiting(left)
		if err != nil {
			return ended(e, err)
		}
		if err := emit(piece); err != nil {
			return err
		}
		left -= int64(len(piece))
		if _, err := w.in.Discard(len(piece)); err != nil {
			return err
		}
	}
	return nil
}

// waiting returns bytes that wait in the input buffer, at most n: all n, if they
// fit, and whatever there is otherwise.
func (w *worker) waiting(n int64) ([]byte, error) {
	if n <= readAhead {
		return w.in.Peek(int(n))
	}
	return w.arrived(n)
}

// inflate decompresses from the input buffer into the output buffer. What is
// written is passed on when the buffer is full; its last 32 KiB are moved to the
// front then, where matches may reach back to them.
func (w *worker) inflate(e *entry, emit func([]byte) error) error {
	d := &w.inflater
	d.Reset()
	from, pos, left := 0, 0, e.packed
	for !d.Done() {
		src, err := w.arrived(left)
		if err != nil {
			return ended(e, err)
		}
		next, taken, err := d.Decode(w.out, pos, src)
		if err != nil {
			return unpackError(e, err)
		}
		if left == 0 && next == pos && !d.Done() {
			return corrupt(e.name, "it ends too early")
		}
		if _, err := w.in.Discard(taken); err != nil {
			return err
		}
		left -= int64(taken)
		if pos = next; len(w.out)-pos < outSlack {
			if err := emit(w.out[from:pos]); err != nil {
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
	return w.rest(e, left, emit, w.out[from:pos])
}

// rest passes the last piece on, and goes over what lies behind the stream.
func (w *worker) rest(e *entry, left int64, emit func([]byte) error, last []byte) error {
	if len(last) > 0 {
		if err := emit(last); err != nil {
			return err
		}
	}
	if err := skip(w.in, left); err != nil {
		return ended(e, err)
	}
	return nil
}

// arrived returns what has arrived of the next n bytes, and waits if that is
// nothing.
func (w *worker) arrived(n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if _, err := w.in.Peek(1); err != nil {
		return nil, err
	}
	return w.in.Peek(int(min(int64(w.in.Buffered()), n)))
}

// unpacking calls the errors of a decompressor damage.
type unpacking struct {
	io.Reader
	entry *entry
}

// Read implements [io.Reader].
func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unpackError(u.entry, err)
	}
	return n, err
}

func unpackError(e *entry, err error) error {
	method, _ := methodName(e.method)
	if limit := windowError(method, err); limit != nil {
		return limit
	}
	return &CorruptError{e.name, fmt.Errorf("unpacking: %w", err)}
}
