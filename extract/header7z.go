package extract

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
)

// The header of a 7z archive is read by our own parser, which believes no count
// that its bytes could not hold: the library allocates whatever a header claims.
// What it gets to see are archives of one file, with a header of ours. The format is
// that of 7zFormat.txt in the LZMA SDK.

const (
	maxHeader7z = 16 << 20 // bytes, packed and unpacked
	lenStart7z  = 32
)

// Property ids.
const (
	id7zEnd         = 0x00
	id7zHeader      = 0x01
	id7zProperties  = 0x02
	id7zMainStreams = 0x04
	id7zFiles       = 0x05
	id7zPack        = 0x06
	id7zUnpack      = 0x07
	id7zSubStreams  = 0x08
	id7zSize        = 0x09
	id7zCRC         = 0x0a
	id7zFolder      = 0x0b
	id7zUnpackSize  = 0x0c
	id7zStreams     = 0x0d
	id7zEmptyStream = 0x0e
	id7zEmptyFile   = 0x0f
	id7zAnti        = 0x10
	id7zNames       = 0x11
	id7zModTime     = 0x14
	id7zAttributes  = 0x15
	id7zEncoded     = 0x17
)

var errHeader7z = errors.New("its header makes no sense")

// archive7z is a 7z archive: folders, each of which is one compressed run of
// files.
type archive7z struct {
	src     io.ReaderAt
	size    int64
	folders []folder7z
	entries []*entry
	files   []*entry // those that have content, in the order of the folders
}

// open7z reads the header of a 7z archive, which may be packed itself, once.
func open7z(ctx context.Context, src io.ReaderAt, size int64, o Options) (*archive7z, error) {
	var start [lenStart7z]byte
	if err := readFull(src, start[:], 0); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(start[12:]) != le.Uint32(start[8:]) {
		return nil, corrupt("", "7z: %w", errHeader7z)
	}
	a := &archive7z{src: src, size: size}
	header, err := a.read(le.Uint64(start[12:]), le.Uint64(start[20:]))
	if err != nil || len(header) == 0 { // an empty archive has none
		return a, err
	}
	if crc32.ChecksumIEEE(header) != le.Uint32(start[28:]) {
		return nil, corrupt("", "7z: %w", errHeader7z)
	}
	if header[0] == id7zEncoded {
		if header, err = a.unpackHeader(ctx, header[1:], o); err != nil {
			return nil, err
		}
	}
	h := &header7z{b: header, size: size, opts: o}
	h.main()
	a.folders, a.entries, a.files = h.folders, h.entries, h.files
	return a, h.verdict()
}

// read reads a part behind the start header.
func (a *archive7z) read(at, n uint64) ([]byte, error) {
	if n > maxHeader7z {
		return nil, &LimitError{What: "bytes of header", Limit: maxHeader7z}
	}
	most := uint64(a.size - lenStart7z)
	if at > most || n > most-at {
		return nil, corrupt("", "7z: it lacks its end")
	}
	b := make([]byte, n)
	return b, readFull(a.src, b, lenStart7z+int64(at))
}

// unpackHeader unpacks a header, which is the one file of its folder.
func (a *archive7z) unpackHeader(ctx context.Context, packed []byte, o Options) ([]byte, error) {
	h := &header7z{b: packed, size: a.size, opts: o}
	h.readStreams()
	if h.verdict() == nil && (len(h.folders) != 1 || len(h.b) > 0) {
		h.bad = true
	}
	if err := h.verdict(); err != nil {
		return nil, err
	}
	f := h.folders[0]
	if f.size > maxHeader7z {
		return nil, &LimitError{What: "bytes of header", Limit: maxHeader7z}
	}
	header := make([]byte, f.size)
	err := a.folder(ctx, &f, func(content io.Reader) error {
		_, err := io.ReadFull(content, header)
		return err
	})
	if err == nil && f.summed && crc32.ChecksumIEEE(header) != f.crc {
		err = errHeader7z
	}
	if err != nil {
		return nil, corrupt("", "7z: %w", err)
	}
	return header, nil
}
