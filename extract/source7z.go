package extract

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"math"
)

// folder passes the content of a folder to read, by way of an archive that has
// nothing but this folder, as one file.
func (a *archive7z) folder(ctx context.Context, f *folder7z, read func(io.Reader) error) error {
	header, err := f.header()
	if err != nil {
		return err
	}
	packed := int64(f.packed())
	start := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, lenStart7z-8)...)
	le.PutUint64(start[12:], uint64(packed))
	le.PutUint64(start[20:], uint64(len(header)))
	le.PutUint32(start[28:], crc32.ChecksumIEEE(header))
	le.PutUint32(start[8:], crc32.ChecksumIEEE(start[12:]))
	parts := joined{start, io.NewSectionReader(a.src, lenStart7z+int64(f.at), packed), header}
	return surviving(func() error {
		return readFolder7z(ctx, io.NewSectionReader(parts, 0, lenStart7z+packed+int64(len(header))), func(content io.Reader) error {
			return read(guarded{io.NopCloser(content)})
		})
	})
}

// joined is a part of a file between some bytes.
type joined struct {
	before []byte
	part   *io.SectionReader
	after  []byte
}

// ReadAt implements [io.ReaderAt].
func (j joined) ReadAt(p []byte, off int64) (int, error) {
	read := 0
	for _, part := range []struct {
		io.ReaderAt
		size int64
	}{{bytes.NewReader(j.before), int64(len(j.before))}, {j.part, j.part.Size()}, {bytes.NewReader(j.after), int64(len(j.after))}} {
		if off < part.size && read < len(p) {
			n, err := part.ReadAt(p[read:min(int64(len(p)), int64(read)+part.size-off)], off)
			read += n
			if off += int64(n); err != nil && !atEnd(err) {
				return read, err
			}
		}
		off -= part.size
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

// arrivingAt knows why bytes stopped coming, tells of those that come, and ends
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
	if err != nil && !atEnd(err) {
		a.err = err
	}
	if a.progress != nil {
		a.progress.add(n)
	}
	return n, err
}

// progress7z tells of the bytes of a folder, of each once.
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
