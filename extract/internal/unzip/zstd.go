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
// their windows are too large to allocate one for each entry. [codec.LargeWindows] keeps
// the one with a large window.
type zstdPool struct {
	mu   sync.Mutex
	idle map[int64][]*zstd.Decoder
}

// open takes a decoder, or makes one.
func (p *zstdPool) open(packed io.Reader, most int64) (io.ReadCloser, error) {
	d := &pooledDecoder{pool: p, most: most, Decoder: p.take(most)}
	if d.Decoder != nil {
		return d, d.Reset(packed)
	}
	var err error
	d.Decoder, err = zstd.NewReader(packed, codec.ZstdOptions(most-codec.ZstdMemory)...)
	return d, err
}

// take takes an idle decoder, or nil.
func (p *zstdPool) take(most int64) (d *zstd.Decoder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if idle := p.idle[most]; len(idle) > 0 {
		last := len(idle) - 1
		d, p.idle[most] = idle[last], idle[:last]
	}
	return d
}

// closeIdle closes the decoders that aren't in use.
func (p *zstdPool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
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
}

// Close implements [io.Closer].
func (d *pooledDecoder) Close() error {
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
