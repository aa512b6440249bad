package fetch

import (
	"io"
	"slices"
	"sync"
)

const (
	blockSize     = 256 << 10 // bytes that one small read fetches
	keepBlocks    = 8
	maxWindowRead = 2 * blockSize // a longer read is a request of its own
)

// window is an io.ReaderAt that reads src in aligned blocks and keeps the most
// recently used. Readers that want the same block at the same time share one
// read. Without it each ReadAt, often of some bytes, would be a request.
type window struct {
	src   io.ReaderAt
	size  int64
	block int64
	keep  int

	mu     sync.Mutex
	blocks []*block // most recently used last
}

// block is a part of src, there when done is closed.
type block struct {
	index int64
	done  chan struct{}
	data  []byte
	err   error
}

func newWindow(src io.ReaderAt, size, blockSize int64, keep int) *window {
	return &window{src: src, size: size, block: blockSize, keep: keep}
}

// ReadAt implements [io.ReaderAt].
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	read := 0
	for read < len(p) {
		at := off + int64(read)
		if at >= w.size {
			return read, io.EOF
		}
		b := w.get(at / w.block)
		<-b.done
		if b.err != nil {
			return read, b.err
		}
		read += copy(p[read:], b.data[at-b.index*w.block:])
	}
	return read, nil
}

// get returns the block, which may still be on its way.
func (w *window) get(index int64) *block {
	w.mu.Lock()
	if i := slices.IndexFunc(w.blocks, func(b *block) bool { return b.index == index }); i >= 0 {
		b := w.blocks[i]
		w.blocks = append(slices.Delete(w.blocks, i, i+1), b)
		w.mu.Unlock()
		return b
	}
	b := &block{index: index, done: make(chan struct{})}
	if len(w.blocks) == w.keep {
		w.blocks = slices.Delete(w.blocks, 0, 1)
	}
	w.blocks = append(w.blocks, b)
	w.mu.Unlock()
	w.load(b)
	return b
}

// load reads the block. One that failed is not kept: the next reader may have
// better luck.
func (w *window) load(b *block) {
	defer close(b.done)
	start := b.index * w.block
	b.data = make([]byte, min(w.block, w.size-start))
	n, err := w.src.ReadAt(b.data, start)
	if n == len(b.data) {
		return
	}
	if b.err = err; err == nil {
		b.err = io.ErrUnexpectedEOF
	}
	w.mu.Lock()
	w.blocks = slices.DeleteFunc(w.blocks, func(other *block) bool { return other == b })
	w.mu.Unlock()
}
