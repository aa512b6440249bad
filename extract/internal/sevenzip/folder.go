package sevenzip

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// Read passes the content of a folder to read: the content of its files, one after
// the other. The library unpacks it from an archive that has only this folder, as one
// file. Read may wrap the error of read.
func (a *Archive) Read(ctx context.Context, f *Folder, read func(io.Reader) error) error {
	header, err := f.header()
	if err != nil {
		return err
	}
	packed := f.Packed()
	start := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, lenStart-8)...)
	binary.LittleEndian.PutUint64(start[12:], uint64(packed))
	binary.LittleEndian.PutUint64(start[20:], uint64(len(header)))
	binary.LittleEndian.PutUint32(start[28:], crc32.ChecksumIEEE(header))
	binary.LittleEndian.PutUint32(start[8:], crc32.ChecksumIEEE(start[12:]))
	parts := joined{start, io.NewSectionReader(a.src, lenStart+int64(f.at), packed), header}
	return codec.Survive(func() error {
		return a.unpack(ctx, io.NewSectionReader(parts, 0, lenStart+packed+int64(len(header))), func(content io.Reader) error {
			return read(codec.GuardReader(content))
		})
	})
}

// joined reads a part of a file with some bytes before and after it.
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
			if off += int64(n); err != nil && !archive.AtEnd(err) {
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
