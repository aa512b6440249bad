package extract

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
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

// What the others take, in bytes: a block of bzip2 at its best level; what
// klauspost's zstd has beside its window.
const (
	bzip2Memory = 4 << 20
	zstdMemory  = 1 << 20
)

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
// The reader must be closed. The memory that it takes is the crew's: what a stream asks
// for behind its beginning must not be more than was reserved for that.
func (w *worker) decompress(e *entry, packed *packedReader) (io.ReadCloser, error) {
	need, err := memory(e, packed)
	if err != nil {
		return nil, err
	}
	most, giveBack, err := w.reserve(need)
	if err != nil {
		return nil, err
	}
	r, err := guard(func() (io.ReadCloser, error) {
		if e.method == methodZstd {
			return w.decoders.open(packed, most, w.opts.Share)
		}
		return newDecompressor(e, packed, most)
	})
	if err != nil {
		giveBack()
		return nil, err
	}
	return &decompressor{r, giveBack}, nil
}

// reserve takes memory out of the crew's budget, by pieces, and returns how much that
// is. What is more than all of that, only one archive of a stage has at a time.
func (w *worker) reserve(need int64) (most int64, giveBack func(), err error) {
	if need <= largeWindow/int64(w.opts.Share) {
		giveBack, err = w.budget.borrow(w.ctx, need)
		return (need + spreadPiece - 1) / spreadPiece * spreadPiece, giveBack, err
	}
	done, err := w.stage.soleWindow(w.ctx, need)
	if err != nil {
		return 0, nil, err
	}
	pieces, err := w.budget.borrow(w.ctx, need)
	if err != nil {
		done()
		return 0, nil, err
	}
	return maxWindow + zstdMemory, func() { pieces(); done() }, nil
}

// decompressor gives its memory back when it is closed.
type decompressor struct {
	io.ReadCloser
	giveBack func()
}

// Close implements [io.Closer].
func (d *decompressor) Close() error {
	defer d.giveBack()
	return d.ReadCloser.Close()
}

// memory is what a decompressor will take.
func memory(e *entry, packed *packedReader) (int64, error) {
	head, err := packed.r.Peek(int(min(packed.left, windowHead)))
	if err != nil {
		return 0, err
	}
	switch e.method {
	case methodBzip2:
		return bzip2Memory, nil
	case methodZstd:
		return zstdWindow(head) + zstdMemory, nil
	case methodXz:
		return xzWindow(head), nil
	case methodLZMA:
		if len(head) >= lenLZMA {
			return min(int64(le.Uint32(head[5:])), e.size, maxWindow), nil
		}
	}
	return maxWindow, nil
}

// newDecompressor opens a decompressor that takes at most so much memory.
func newDecompressor(e *entry, packed *packedReader, most int64) (io.ReadCloser, error) {
	switch e.method {
	case methodBzip2:
		return io.NopCloser(bzip2.NewReader(packed)), nil
	case methodXz:
		r, err := xz.NewReader(packed, uint32(min(most, maxWindow)))
		return readCloser(r, err)
	case methodLZMA:
		return newLZMA(packed, e.size)
	}
	name, _ := methodName(e.method)
	return nil, fmt.Errorf("unknown compression method: %s", name)
}

// decoders are the zstd decoders of a crew that are not in use, by the memory that
// they may take: their windows are too large to be made for each entry.
type decoders struct {
	mu   sync.Mutex
	idle map[int64][]*zstd.Decoder
}

// largeWindow is the memory from which on no two decoders fit into a budget.
const largeWindow = spreadPiece * spreadTotal / 2

// open takes a decoder, or makes one. With a large window nobody else has one,
// and what others have left behind has to go first.
func (w *decoders) open(packed io.Reader, most int64, share int) (io.ReadCloser, error) {
	d := &window{of: w, most: most, keep: share == 1 || most <= largeWindow/int64(share)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if idle := w.idle[most]; len(idle) > 0 {
		last := len(idle) - 1
		d.Decoder, w.idle[most] = idle[last], idle[:last]
	}
	if most > largeWindow {
		w.closeIdle()
	}
	if d.Decoder != nil {
		return d, d.Reset(packed)
	}
	if most > largeWindow {
		runtime.GC()
	}
	var err error
	d.Decoder, err = zstd.NewReader(packed, zstdOptions(most-zstdMemory)...)
	return d, err
}

func (w *decoders) closeIdle() {
	for _, idle := range w.idle {
		for _, d := range idle {
			d.Close()
		}
	}
	w.idle = nil
}

// window is a decoder in use.
type window struct {
	*zstd.Decoder
	of   *decoders
	most int64
	keep bool
}

// Close implements [io.Closer].
func (w *window) Close() error {
	if !w.keep { // another archive has its turn
		w.Decoder.Close()
		return nil
	}
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.of.idle == nil {
		w.of.idle = map[int64][]*zstd.Decoder{}
	}
	w.of.idle[w.most] = append(w.of.idle[w.most], w.Decoder)
	return w.Reset(nil)
}

// zstdOptions are the bounds of every zstd stream.
func zstdOptions(window int64) []zstd.DOption {
	return []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(window)), zstd.WithDecoderLowmem(true)}
}

// unzstd decompresses a small entry from memory to memory: that takes no window,
// however large the stream says that it is, and one decoder serves for all.
func (w *worker) unzstd(e *entry, emit func([]byte) error) error {
	src, err := w.in.Peek(int(e.packed))
	if err != nil {
		return ended(e, err)
	}
	if w.zstd == nil {
		if w.zstd, err = zstd.NewReader(nil, append(zstdOptions(maxWindow), zstd.WithDecodeAllCapLimit(true))...); err != nil {
			return err
		}
		w.whole = make([]byte, 0, readAhead)
	}
	content := w.whole
	err = surviving(func() (err error) { content, err = w.zstd.DecodeAll(src, w.whole); return err })
	if err != nil {
		return unpackError(e, err)
	}
	if len(content) > 0 {
		if err := emit(content); err != nil {
			return err
		}
	}
	return skip(w.in, e.packed)
}

// lenLZMA is the length of that header, in bytes: version, size of the properties,
// properties.
const lenLZMA = 9

// newLZMA reads the header that zip puts in front of a raw LZMA stream, and puts
// the classic one in its place: APPNOTE 5.8.8. The size in it makes an end
// marker unnecessary.
func newLZMA(packed *packedReader, size int64) (io.ReadCloser, error) {
	var h [lenLZMA]byte
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
