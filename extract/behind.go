package extract

import (
	"hash/crc32"

	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// largeFile is the size from which a file is written by a goroutine of its own,
// while the next piece is decompressed. Below, it would cost more than it saves.
const largeFile = 1 << 20

// spareBuffers take turns with the first output buffer then: one is filled, one
// is written, and one waits.
const spareBuffers = 2

// behind writes a file behind the decoder's back.
type behind struct {
	file *newFile
	full chan chunk
	free chan []byte
	done chan struct{} // closed when the writer has ended, for good or bad
	err  error         // why it ended early; read after done
	crc  uint32        // of what was written; idem
}

// chunk is a piece of content, and the buffer that it is part of.
type chunk struct{ piece, buffer []byte }

func newOutBuffer() []byte { return make([]byte, inflate.WindowSize+copyBuffer+outSlack) }

// inflateBehind decodes the entry of f while what came before is written.
func (w *worker) inflateBehind(f *newFile) error {
	b := &behind{file: f, full: make(chan chunk, spareBuffers), free: make(chan []byte, spareBuffers+1), done: make(chan struct{})}
	for range spareBuffers {
		b.free <- newOutBuffer()
	}
	go b.run()
	w.behind = b
	v := &verifier{entry: f.entry, later: true, next: func(p []byte) error { return b.write(chunk{p, w.out}) }}
	err := w.decode(f.entry, v.write)
	w.behind = nil
	close(b.full)
	<-b.done
	switch {
	case b.err != nil:
		return b.err
	case err != nil:
		return err
	}
	v.crc = b.crc
	return v.finish()
}

func (b *behind) run() {
	defer close(b.done)
	for c := range b.full {
		b.crc = crc32.Update(b.crc, crc32.IEEETable, c.piece)
		if b.err = b.file.write(c.piece); b.err != nil {
			return
		}
		b.free <- c.buffer
	}
}

// write hands a piece over. Its buffer must not be touched after that.
func (b *behind) write(c chunk) error {
	select {
	case b.full <- c:
		return nil
	case <-b.done:
		return b.err
	}
}

// swap gives the decoder a buffer that it may write to.
func (w *worker) swap() error {
	if w.behind == nil {
		return nil
	}
	select {
	case w.out = <-w.behind.free:
		return nil
	case <-w.behind.done:
		return w.behind.err
	}
}
