package extract

import (
	"context"
	"io"
)

// Source is an archive. All methods may be called concurrently. One that has a
// method Ahead() int64 says by it how many bytes of the beginning are there before
// anybody has read them.
type Source interface {
	io.ReaderAt // for what is small and random
	Size() int64
	// Range reads n bytes from off, sequentially.
	Range(ctx context.Context, off, n int64) (io.ReadCloser, error)
}

// FromReaderAt makes a Source of a local file.
func FromReaderAt(r io.ReaderAt, size int64) Source {
	return local{io.NewSectionReader(r, 0, size)}
}

type local struct{ *io.SectionReader }

// Range implements [Source].
func (l local) Range(_ context.Context, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(l, off, n)), nil
}

// atEnd reports whether an error is the end that readers return. One that wraps it is
// that of a connection, and no end of what it should have brought.
func atEnd(err error) bool { return err == io.EOF } //nolint:errorlint // see above
