package fetch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

// FuzzBlockCache compares the cache with bytes.Reader, read by read.
func FuzzBlockCache(f *testing.F) {
	f.Add([]byte("some content of the file"), uint8(4), []byte{0, 0, 3, 0, 2, 9, 0, 20, 200})
	f.Add([]byte{}, uint8(1), []byte{0, 0, 0})
	f.Add(bytes.Repeat([]byte{7}, 300), uint8(255), []byte{0, 254, 1, 0, 255, 1, 1, 43, 9})
	f.Fuzz(func(t *testing.T, content []byte, block uint8, reads []byte) {
		block = max(block, 1)
		oracle := bytes.NewReader(content)
		w := newBlockCache(bytes.NewReader(content), int64(len(content)), int64(block), 2)
		for ; len(reads) >= 3; reads = reads[3:] {
			off, n := int64(binary.BigEndian.Uint16(reads)), int(reads[2])+1
			got, want := make([]byte, n), make([]byte, n)
			gotN, gotErr := w.ReadAt(got, off)
			wantN, wantErr := oracle.ReadAt(want, off)
			if gotN != wantN || gotErr != wantErr || !bytes.Equal(got, want) { //nolint:errorlint // the contract is io.EOF itself
				t.Fatalf("ReadAt(%d bytes, %d) = %d, %v; want %d, %v", n, off, gotN, gotErr, wantN, wantErr)
			}
		}
	})
}

// gated counts reads, and lets them continue on command.
type gated struct {
	reads atomic.Int32
	gate  chan struct{}
	err   error
}

// ReadAt implements [io.ReaderAt].
func (g *gated) ReadAt(p []byte, _ int64) (int, error) {
	g.reads.Add(1)
	<-g.gate
	if g.err != nil {
		return 0, g.err
	}
	return len(p), nil
}

func TestWindowSharesReads(t *testing.T) {
	t.Parallel()
	src := &gated{gate: make(chan struct{})}
	w := newBlockCache(src, 100, 10, 4)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := w.ReadAt(make([]byte, 5), 12); err != nil {
				t.Error(err)
			}
		})
	}
	close(src.gate)
	group.Wait()
	if n := src.reads.Load(); n != 1 {
		t.Errorf("%d reads of one block, want 1", n)
	}
}

func TestWindowIsBounded(t *testing.T) {
	t.Parallel()
	w := newBlockCache(bytes.NewReader(make([]byte, 1000)), 1000, 10, 4)
	if _, err := w.ReadAt(make([]byte, 1000), 0); err != nil {
		t.Fatal(err)
	}
	if n := len(w.blocks); n != 4 {
		t.Errorf("%d blocks are kept, want 4", n)
	}
}

func TestWindowForgetsFailures(t *testing.T) {
	t.Parallel()
	src := &gated{gate: make(chan struct{}), err: io.ErrClosedPipe}
	close(src.gate)
	w := newBlockCache(src, 100, 10, 4)
	if _, err := w.ReadAt(make([]byte, 5), 12); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("error = %v", err)
	}
	src.err = nil
	if _, err := w.ReadAt(make([]byte, 5), 12); err != nil {
		t.Errorf("after a failure: %v", err)
	}
}

func BenchmarkWindow(b *testing.B) {
	content := make([]byte, 8<<20)
	w := newBlockCache(bytes.NewReader(content), int64(len(content)), blockSize, keepBlocks)
	buf := make([]byte, 4096)
	b.SetBytes(int64(len(buf)))
	off := int64(0)
	for b.Loop() {
		if _, err := w.ReadAt(buf, off); err != nil {
			b.Fatal(err)
		}
		off = (off + int64(len(buf))) % int64(len(content)-len(buf))
	}
}
