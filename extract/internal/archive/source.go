package archive

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"sync/atomic"
	"time"
)

// Source is an archive. All methods may be called concurrently.
type Source interface {
	io.ReaderAt // for small reads at random offsets
	Size() int64
	// Range reads n bytes from off, sequentially.
	Range(ctx context.Context, off, n int64) (io.ReadCloser, error)
	// Ahead returns how many bytes from the beginning are available before anyone reads
	// them.
	Ahead() int64
	// Onward returns the offset up to which a single reader, from the front, is faster
	// than several. 0 means that it makes no difference.
	Onward() int64
}

// FromReaderAt returns a Source that reads a local file.
func FromReaderAt(r io.ReaderAt, size int64) Source {
	return fileSource{io.NewSectionReader(r, 0, size)}
}

type fileSource struct{ *io.SectionReader }

// Range implements [Source].
func (s fileSource) Range(_ context.Context, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(s, off, n)), nil
}

// Ahead implements [Source].
func (fileSource) Ahead() int64 { return 0 }

// Onward implements [Source].
func (fileSource) Onward() int64 { return 0 }

// AtEnd reports whether err is the io.EOF that readers return. A connection that
// breaks off returns an error that wraps io.EOF, which isn't the end of the data.
func AtEnd(err error) bool { return err == io.EOF } //nolint:errorlint // a wrapped io.EOF is a broken connection

// ReadFull reads all of p. An archive's size is known, so it returns a
// [CorruptError] if the archive ends before that.
func ReadFull(src io.ReaderAt, p []byte, off int64) error {
	n, err := src.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || AtEnd(err) {
		return Corrupt("", "it ends at byte %d", off+int64(n))
	}
	return err
}

// Skip discards n bytes.
func Skip(r *bufio.Reader, n int64) error {
	for n > 0 {
		step, err := r.Discard(int(min(n, math.MaxInt32)))
		if err != nil {
			return err
		}
		n -= int64(step)
	}
	return nil
}

// Ended returns a [CorruptError] if err says that the data of the named entry ends
// too early, and else err itself.
func Ended(entry string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Corrupt(entry, "it ends too early")
	}
	return err
}

// Reader reads bytes of an archive as they arrive. It counts them and keeps the
// error that stopped them.
type Reader struct {
	R      io.Reader
	At     int64         // offset in the archive
	Moved  *atomic.Int64 // counts the bytes of all readers
	Waited *atomic.Int64 // counts the nanoseconds that all readers waited for bytes
	OnRead func(n int)   // is called for each read
	Err    error         // why bytes stopped arriving; nil at the end of the data
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	start := time.Now()
	n, err := r.R.Read(p)
	r.At += int64(n)
	r.Moved.Add(int64(n))
	r.OnRead(n)
	r.Waited.Add(int64(time.Since(start)))
	if err != nil && !AtEnd(err) {
		r.Err = err
	}
	return n, err
}

// Blame returns the error that stopped the transfer, if there is one, and else
// err: a decompressor can't tell an interrupted download from damage.
func (r *Reader) Blame(err error) error {
	if r.Err != nil {
		return r.Err
	}
	return err
}
