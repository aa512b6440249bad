package unzip

import (
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// zstdPool keeps zstd decoders that aren't in use, by the memory that they may take:
// their windows are too large to allocate one for each entry.
type zstdPool struct {
	mu   sync.Mutex
	idle map[int64][]*zstd.Decoder
}

// largeWindow is the memory, in bytes, from which no two decoders fit into the
// pieces.
const largeWindow = pieceSize * maxPieces / 2

// open takes a decoder, or makes one. Only one stream at a time has a large window,
// and all idle decoders are freed for it.
func (p *zstdPool) open(packed io.Reader, most int64, share int) (io.ReadCloser, error) {
	d := &pooledDecoder{pool: p, most: most, keep: share == 1 || most <= largeWindow/int64(share)}
	d.Decoder = p.take(most)
	if d.Decoder != nil {
		return d, d.Reset(packed)
	}
	if most > largeWindow {
		codec.FreeWindows()
	}
	var err error
	d.Decoder, err = zstd.NewReader(packed, codec.ZstdOptions(most-codec.ZstdMemory)...)
	return d, err
}

// take takes an idle decoder, or nil.
func (p *zstdPool) take(most int64) *zstd.Decoder {
	p.mu.Lock()
	defer p.mu.Unlock()
	var d *zstd.Decoder
	if idle := p.idle[most]; len(idle) > 0 {
		last := len(idle) - 1
		d, p.idle[most] = idle[last], idle[:last]
	}
	if most > largeWindow {
		p.closeIdle()
	}
	return d
}

func (p *zstdPool) closeIdle() {
	for _, idle := range p.idle {
		for _, d := range idle {
			d.Close()
		}
	}
	p.idle = nil
}

// pooledDecoder is a decoder in use.
type pooledDecoder struct {
	*zstd.Decoder
	pool *zstdPool
	most int64
	keep bool
}

// Close implements [io.Closer].
func (d *pooledDecoder) Close() error {
	if !d.keep { // another archive has its turn
		d.Decoder.Close()
		return nil
	}
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	if d.pool.idle == nil {
		d.pool.idle = map[int64][]*zstd.Decoder{}
	}
	d.pool.idle[d.most] = append(d.pool.idle[d.most], d.Decoder)
	return d.Reset(nil)
}

// unzstd decompresses a small entry from memory to memory. That takes no window,
// whatever size the stream says, so that one decoder serves for all.
func (w *worker) unzstd(e *zipfile.Entry, out io.Writer) error {
	src, err := w.in.Peek(int(e.Packed))
	if err != nil {
		return archive.Ended(e.Name, err)
	}
	if w.zstd == nil {
		if w.zstd, err = zstd.NewReader(nil, append(codec.ZstdOptions(codec.MaxWindow), zstd.WithDecodeAllCapLimit(true))...); err != nil {
			return err
		}
		w.small = make([]byte, 0, readAhead)
	}
	content := w.small
	err = codec.Survive(func() (err error) { content, err = w.zstd.DecodeAll(src, w.small); return err })
	if err != nil {
		return unpackError(e, err)
	}
	if len(content) > 0 {
		if _, err := out.Write(content); err != nil {
			return err
		}
	}
	return archive.Skip(w.in, e.Packed)
}
