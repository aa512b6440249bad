package unzip

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// packedReader reads the compressed bytes of one entry. It is an [io.ByteReader], so
// that decompressors don't read ahead.
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

// decompress returns the content of an entry that is neither stored nor deflated.
// The reader must be closed. Its memory comes out of the pieces: later parts of the
// stream get no more than its beginning asked for.
func (w *worker) decompress(ctx context.Context, e *zipfile.Entry, packed *packedReader) (io.ReadCloser, error) {
	need, err := memory(e, packed)
	if err != nil {
		return nil, err
	}
	open, giveBack, err := w.reserve(ctx, e, need)
	if err != nil {
		return nil, err
	}
	r, err := codec.Guard(func() (io.ReadCloser, error) { return open(packed) })
	if err != nil {
		giveBack()
		return nil, err
	}
	return codec.OnClose(r, giveBack), nil
}

// opener opens a decompressor in the memory that was reserved for it.
type opener func(*packedReader) (io.ReadCloser, error)

// largeWindow is the memory, in bytes, from which no two decompressors fit into the
// pieces.
const largeWindow = pieceSize * maxPieces / 2

// reserve takes memory for a window from the pieces.
func (w *worker) reserve(ctx context.Context, e *zipfile.Entry, need int64) (open opener, giveBack func(), err error) {
	if need > largeWindow/int64(w.opts.Share) {
		return w.reserveLarge(ctx, e, need)
	}
	giveBack, err = w.pieces.borrow(ctx, need)
	most := (need + pieceSize - 1) / pieceSize * pieceSize
	return func(packed *packedReader) (io.ReadCloser, error) {
		if e.Method == methodZstd {
			return w.zstds.open(packed, most)
		}
		return newDecompressor(e, packed, most)
	}, giveBack, err
}

// reserveLarge takes memory for a window so large that no two of them fit into the
// pieces: only one archive of a stage has one at a time.
func (w *worker) reserveLarge(ctx context.Context, e *zipfile.Entry, need int64) (open opener, giveBack func(), err error) {
	open, done, err := w.largeTurn(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	givePieces, err := w.pieces.borrow(ctx, need)
	if err != nil {
		done()
		return nil, nil, err
	}
	w.zstds.closeIdle()
	return open, func() { givePieces(); done() }, nil
}

// largeTurn waits for the entry's turn to have a large window.
func (w *worker) largeTurn(ctx context.Context, e *zipfile.Entry) (open opener, done func(), err error) {
	if e.Method == methodZstd {
		turn, err := w.opts.Large.TakeZstd(ctx)
		if err != nil {
			return nil, nil, err
		}
		return func(packed *packedReader) (io.ReadCloser, error) { return turn.Open(packed) }, turn.Done, nil
	}
	done, err = w.opts.Large.Take(ctx)
	return func(packed *packedReader) (io.ReadCloser, error) { return newDecompressor(e, packed, codec.MaxWindow) }, done, err
}

// memory returns how many bytes a decompressor will take.
func memory(e *zipfile.Entry, packed *packedReader) (int64, error) {
	head, err := packed.r.Peek(int(min(packed.left, codec.WindowHead)))
	if err != nil {
		return 0, err
	}
	switch e.Method {
	case methodBzip2:
		return codec.Bzip2Memory, nil
	case methodZstd:
		return codec.ZstdWindow(head) + codec.ZstdMemory, nil
	case methodXz:
		return codec.XzWindow(head), nil
	case methodLZMA:
		if len(head) >= lenLZMA {
			return min(int64(binary.LittleEndian.Uint32(head[5:])), e.Size, codec.MaxWindow), nil
		}
	}
	return codec.MaxWindow, nil
}

// newDecompressor opens a decompressor that takes at most so many bytes of memory.
func newDecompressor(e *zipfile.Entry, packed *packedReader, most int64) (io.ReadCloser, error) {
	switch e.Method {
	case methodBzip2:
		return io.NopCloser(bzip2.NewReader(packed)), nil
	case methodXz:
		return codec.OpenXz(packed, most)
	case methodLZMA:
		return newLZMA(packed, e.Size)
	}
	return nil, fmt.Errorf("unknown compression method: %s", methodName(e.Method))
}

// lenLZMA is the length, in bytes, of the header of an LZMA stream in a zip: version,
// size of the properties, properties.
const lenLZMA = 9

// newLZMA replaces the header that zip puts before a raw LZMA stream by that of an
// .lzma file: APPNOTE 5.8.8. The size in it makes an end marker unnecessary.
func newLZMA(packed *packedReader, size int64) (io.ReadCloser, error) {
	var h [lenLZMA]byte
	if _, err := io.ReadFull(packed, h[:]); err != nil {
		return nil, err
	}
	if n := binary.LittleEndian.Uint16(h[2:]); n != 5 {
		return nil, fmt.Errorf("%d bytes of LZMA properties", n)
	}
	classic := binary.LittleEndian.AppendUint64(h[4:9:9], uint64(size))
	return codec.OpenLZMA(io.MultiReader(bytes.NewReader(classic), packed))
}
