package unzip

import (
	"hash/crc32"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
	"gitlab.com/artifetch/artifetch/internal/inflate"
)

// largeFile is the size, in bytes, from which a goroutine of its own writes a file
// while the next piece is decompressed. For smaller files it would cost more than it
// saves.
const largeFile = 1 << 20

// spareBuffers take turns with the worker's output buffer: one is being filled, one
// is being written, and one waits.
const spareBuffers = 2

// asyncWriter writes what a worker decompresses, and computes its CRC-32.
type asyncWriter struct {
	worker *worker
	file   io.Writer
	full   chan chunk
	free   chan []byte
	done   chan struct{} // closed when the goroutine has ended
	err    error         // why it ended early; read after done
	crc    uint32        // of what was written; read after done
}

// chunk is a piece of content, and the buffer that it is part of.
type chunk struct{ piece, buffer []byte }

func newOutBuffer() []byte { return make([]byte, inflate.WindowSize+archive.CopyBuffer+outSlack) }

// inflateAsync decodes an entry while earlier pieces of it are written to file.
func (w *worker) inflateAsync(e *zipfile.Entry, file io.Writer) error {
	a := &asyncWriter{worker: w, file: file, full: make(chan chunk, spareBuffers), free: make(chan []byte, spareBuffers+1), done: make(chan struct{})}
	for range spareBuffers {
		a.free <- newOutBuffer()
	}
	go a.run()
	w.async = a
	w.verifier = archive.Verifier{Header: &e.Header, Next: a, NoSum: true}
	err := w.inflate(e, &w.verifier)
	w.async = nil
	close(a.full)
	<-a.done
	switch {
	case a.err != nil:
		return a.err
	case err != nil:
		return err
	}
	w.verifier.CRC32 = a.crc
	return w.verifier.Finish()
}

func (a *asyncWriter) run() {
	defer close(a.done)
	for c := range a.full {
		a.crc = crc32.Update(a.crc, crc32.IEEETable, c.piece)
		if _, a.err = a.file.Write(c.piece); a.err != nil {
			return
		}
		a.free <- c.buffer
	}
}

// Write hands over a piece of the worker's output buffer, which the worker must not
// touch any more: see swap.
func (a *asyncWriter) Write(p []byte) (int, error) {
	select {
	case a.full <- chunk{p, a.worker.out}:
		return len(p), nil
	case <-a.done:
		return 0, a.err
	}
}

// swap gives the worker an output buffer that it may write to.
func (w *worker) swap() error {
	if w.async == nil {
		return nil
	}
	select {
	case w.out = <-w.async.free:
		return nil
	case <-w.async.done:
		return w.async.err
	}
}
