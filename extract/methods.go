package extract

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// Compression methods: APPNOTE 4.4.5.
const (
	methodStore   = 0
	methodDeflate = 8
	methodBzip2   = 12
	methodLZMA    = 14
	methodZstd    = 93
	methodXz      = 95
)

// maxWindow bounds what a stream may make a decompressor allocate, in bytes. The
// runner's best level of zstd uses 32 MiB.
const maxWindow = 64 << 20

// packedReader gives the compressed bytes of one entry. Decompressors that get
// an io.ByteReader do not read ahead.
type packedReader struct {
	r    *bufio.Reader
	left int64
}

// Read implements [io.Reader].
func (p *packedReader) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.r.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	return n, err
}

// ReadByte implements [io.ByteReader].
func (p *packedReader) ReadByte() (byte, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	b, err := p.r.ReadByte()
	if err == nil {
		p.left--
	}
	return b, err
}

// methodName names a method for a message; known reports whether it is one that
// can be unpacked.
func methodName(method uint16) (name string, known bool) {
	switch method {
	case methodStore, methodDeflate, methodBzip2, methodLZMA, methodZstd, methodXz:
		return "", true
	}
	names := map[uint16]string{
		1: "shrink", 2: "reduce", 3: "reduce", 4: "reduce", 5: "reduce", 6: "implode", 9: "Deflate64",
		10: "DCL implode", 16: "z/OS CMPSC", 18: "IBM TERSE", 19: "IBM LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES encryption",
	}
	if name, ok := names[method]; ok {
		return name, false
	}
	return fmt.Sprintf("method %d", method), false
}

// decompress returns the content of an entry that is neither stored nor deflated.
// The reader must be closed.
func (w *worker) decompress(e *entry, packed *packedReader) (io.ReadCloser, error) {
	switch e.method {
	case methodBzip2:
		return io.NopCloser(bzip2.NewReader(packed)), nil
	case methodZstd:
		return w.unzstd(packed)
	case methodXz:
		r, err := xz.ReaderConfig{DictCap: maxWindow}.NewReader(packed)
		return readCloser(r, err)
	case methodLZMA:
		return newLZMA(packed, e.size)
	}
	name, _ := methodName(e.method)
	return nil, fmt.Errorf("unknown compression method: %s", name)
}

// zstdOptions are the bounds of every zstd stream.
func zstdOptions() []zstd.DOption {
	return []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true)}
}

// unzstd uses one decoder again and again: making one costs more than a small
// file does.
func (w *worker) unzstd(packed *packedReader) (io.ReadCloser, error) {
	if w.zstd != nil {
		return io.NopCloser(w.zstd), w.zstd.Reset(packed)
	}
	d, err := zstd.NewReader(packed, zstdOptions()...)
	if err != nil {
		return nil, err
	}
	w.zstd = d
	return io.NopCloser(d), nil
}

func readCloser(r io.Reader, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return io.NopCloser(r), nil
}

// newLZMA reads the header that zip puts in front of a raw LZMA stream, and puts
// the classic one in its place: APPNOTE 5.8.8. The size in it makes an end
// marker unnecessary.
func newLZMA(packed *packedReader, size int64) (io.ReadCloser, error) {
	var h [9]byte // version, size of the properties, properties
	if _, err := io.ReadFull(packed, h[:]); err != nil {
		return nil, err
	}
	if n := le.Uint16(h[2:]); n != 5 {
		return nil, fmt.Errorf("%d bytes of LZMA properties", n)
	}
	classic := le.AppendUint64(h[4:9:9], uint64(size))
	r, err := lzma.ReaderConfig{DictCap: maxWindow}.NewReader(io.MultiReader(bytes.NewReader(classic), packed))
	return readCloser(r, err)
}
