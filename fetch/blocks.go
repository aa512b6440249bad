package fetch

import (
	"io"
	"slices"
	"sync"
)

const (
	blockSize    = 256 << 10 // bytes that one small read fetches
	keepBlocks   = 8
	maxBlockRead = 2 * blockSize // longer reads get their own request
)

// blockCache is an io.ReaderAt that reads src in aligned blocks and keeps the most
// recently used ones. Readers that need the same block at the same time share one
// read. Without it, each ReadAt, often of a few bytes, would be a request.
type blockCache struct {
	src   io.ReaderAt
	size  int64
	block int64
	keep  int

	mu     sync.Mutex
	blocks []*block // most recently used last
}

// block is a part of src. It is complete when done is closed.
type block struct {
	index int64
	done  chan struct{}
	data  []byte
	err   error
}

func newBlockCache(src io.ReaderAt, size, blockSize int64, keep int) *blockCache {
	return &blockCache{src: src, size: size, block: blockSize, keep: keep}
}

// ReadAt implements [io.ReaderAt].
func (c *blockCache) ReadAt(p []byte, off int64) (int, error) {
	read := 0
	for read < len(p) {
		at := off + int64(read)
		if at >= c.size {
			return read, io.EOF
		}
		b := c.get(at / c.block)
		<-b.done
		if b.err != nil {
			return read, b.err
		}
		read += copy(p[read:], b.data[at-b.index*c.block:])
	}
	return read, nil
}

// get returns the block, which may not be complete yet.
func (c *blockCache) get(index int64) *block {
	c.mu.Lock()
	if i := slices.IndexFunc(c.blocks, func(b *block) bool { return b.index == index }); i >= 0 {
		b := c.blocks[i]
		c.blocks = append(slices.Delete(c.blocks, i, i+1), b)
		c.mu.Unlock()
		return b
	}
	b := &block{index: index, done: make(chan struct{})}
	if len(c.blocks) == c.keep {
		c.blocks = slices.Delete(c.blocks, 0, 1)
	}
	c.blocks = append(c.blocks, b)
	c.mu.Unlock()
	c.load(b)
	return b
}

// load reads the block. It doesn't keep one that failed, so the next reader tries
// again.
func (c *blockCache) load(b *block) {
	defer close(b.done)
	start := b.index * c.block
	b.data = make([]byte, min(c.block, c.size-start))
	n, err := c.src.ReadAt(b.data, start)
	if n == len(b.data) {
		return
	}
	if b.err = err; err == nil {
		b.err = io.ErrUnexpectedEOF
	}
	c.mu.Lock()
	c.blocks = slices.DeleteFunc(c.blocks, func(other *block) bool { return other == b })
	c.mu.Unlock()
}
