package sevenzip

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

const (
	// MaxHeader limits the header, packed and unpacked, in bytes.
	MaxHeader = 16 << 20

	lenStart = 32
)

// Property ids.
const (
	idEnd         = 0x00
	idHeader      = 0x01
	idProperties  = 0x02
	idMainStreams = 0x04
	idFiles       = 0x05
	idPack        = 0x06
	idUnpack      = 0x07
	idSubStreams  = 0x08
	idSize        = 0x09
	idCRC         = 0x0a
	idFolder      = 0x0b
	idUnpackSize  = 0x0c
	idStreams     = 0x0d
	idEmptyStream = 0x0e
	idEmptyFile   = 0x0f
	idAnti        = 0x10
	idNames       = 0x11
	idModTime     = 0x14
	idAttributes  = 0x15
	idEncoded     = 0x17
)

var errHeader = errors.New("its header makes no sense")

// Archive is a 7z archive.
type Archive struct {
	Entries []archive.Header // all of them
	Folders []Folder

	src    io.ReaderAt
	size   int64
	unpack Unpacker
}

// Unpacker passes the content of the first file of a 7z archive to read. It may wrap
// the error of read.
type Unpacker func(ctx context.Context, archive *io.SectionReader, read func(io.Reader) error) error

// Open reads the header of a 7z archive, which may itself be packed, but only once.
func Open(ctx context.Context, src io.ReaderAt, size int64, b archive.Budget, unpack Unpacker) (*Archive, error) {
	var start [lenStart]byte
	if err := archive.ReadFull(src, start[:], 0); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(start[12:]) != binary.LittleEndian.Uint32(start[8:]) {
		return nil, archive.Corrupt("", "7z: %w", errHeader)
	}
	a := &Archive{src: src, size: size, unpack: unpack}
	header, err := a.read(binary.LittleEndian.Uint64(start[12:]), binary.LittleEndian.Uint64(start[20:]))
	if err != nil || len(header) == 0 { // an empty archive has none
		return a, err
	}
	if crc32.ChecksumIEEE(header) != binary.LittleEndian.Uint32(start[28:]) {
		return nil, archive.Corrupt("", "7z: %w", errHeader)
	}
	if header[0] == idEncoded {
		if header, err = a.unpackHeader(ctx, header[1:], b); err != nil {
			return nil, err
		}
	}
	h := &parser{b: header, size: size, budget: b}
	h.main()
	a.Folders, a.Entries = h.folders, h.entries
	return a, h.verdict()
}

// read reads n bytes at an offset from the end of the start header.
func (a *Archive) read(at, n uint64) ([]byte, error) {
	if n > MaxHeader {
		return nil, &archive.LimitError{What: "bytes of header", Limit: MaxHeader}
	}
	most := uint64(a.size - lenStart)
	if at > most || n > most-at {
		return nil, archive.Corrupt("", "7z: it lacks its end")
	}
	b := make([]byte, n)
	return b, archive.ReadFull(a.src, b, lenStart+int64(at))
}

// unpackHeader unpacks a header, which is the only file of its folder.
func (a *Archive) unpackHeader(ctx context.Context, packed []byte, b archive.Budget) ([]byte, error) {
	h := &parser{b: packed, size: a.size, budget: b}
	h.readStreams()
	if h.verdict() == nil && (len(h.folders) != 1 || len(h.b) > 0) {
		h.bad = true
	}
	if err := h.verdict(); err != nil {
		return nil, err
	}
	f := h.folders[0]
	if f.size > MaxHeader {
		return nil, &archive.LimitError{What: "bytes of header", Limit: MaxHeader}
	}
	header := make([]byte, f.size)
	err := a.Read(ctx, &f, func(content io.Reader) error {
		_, err := io.ReadFull(content, header)
		return err
	})
	if err == nil && f.summed && crc32.ChecksumIEEE(header) != f.crc {
		err = errHeader
	}
	if err != nil {
		return nil, archive.Corrupt("", "7z: %w", err)
	}
	return header, nil
}
