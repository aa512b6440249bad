package unzip

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// If a rangeReader is closed early, no other reader gets its memory while a request still
// writes to it.
func TestRangeReaderKeepsWhatIsBeingFilled(t *testing.T) {
	t.Parallel()
	data := noise(12 * pieceSize)
	late := &lateSource{Source: archive.FromReaderAt(bytes.NewReader(data), int64(len(data))), release: make(chan struct{})}
	pool := newPiecePool(maxPieces, func() {})
	s := newRangeReader(t.Context(), late, pool, 0, int64(len(data)))
	for len(pool.free) > maxPieces-piecesAhead { // all that one reader takes are on their way
		time.Sleep(time.Millisecond)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(20 * time.Millisecond) // give it a chance to return the memory too early
	if n := len(pool.free); n > maxPieces-piecesAhead {
		t.Errorf("%d pieces came back while requests still write", n)
	}
	close(late.release)
	if err := <-closed; err != nil || len(pool.free) != maxPieces {
		t.Errorf("%d pieces of %d came back, %v", len(pool.free), maxPieces, err)
	}
}

// lateSource is a source whose bodies ignore that they were abandoned.
type lateSource struct {
	archive.Source
	release chan struct{}
}

// Range implements [Source].
func (l *lateSource) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	<-l.release
	return l.Source.Range(ctx, off, n)
}

// Borrowers wait for each other, and get the rest if the budget shrinks meanwhile.
func TestBorrowing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newPiecePool(maxPieces, func() {})
		giveBack, err := b.borrow(t.Context(), codec.MaxWindow)
		if err != nil || len(b.free) != 0 {
			t.Fatalf("%d pieces left, %v", len(b.free), err)
		}
		lent := 0
		for range 3 {
			go func() {
				giveBack, err := b.borrow(t.Context(), 3*pieceSize)
				if err != nil {
					t.Error(err)
					return
				}
				lent++
				giveBack()
			}()
		}
		ended, end := context.WithCancel(t.Context())
		end()
		synctest.Wait()
		b.halve()
		giveBack()
		synctest.Wait()
		if lent != 3 || len(b.free) != maxPieces/2 || b.wants != 0 {
			t.Errorf("lent to %d of 3, %d pieces, %d wanted", lent, len(b.free), b.wants)
		}
		if _, err := b.borrow(ended, codec.MaxWindow); err != nil && (len(b.free) != maxPieces/2 || b.wants != 0) {
			t.Errorf("%d pieces, %d wanted after %v", len(b.free), b.wants, err)
		}
	})
}

// Streams with large windows are unpacked one after another.
func TestLargeWindows(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(noise(300<<10), 4)
	var zipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	z.RegisterCompressor(methodZstd, zstd.ZipCompressor(zstd.WithWindowSize(16<<20)))
	for i := range 6 {
		e, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i), Method: methodZstd})
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + i%2*20 { // some of them are larger than the window
			if _, err := e.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	src := archive.FromReaderAt(bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
	sink := &memSink{}
	if err := extractAll(t.Context(), t, src, sink, Pace{Workers: 8, Connections: 8}); err != nil || len(sink.files) != 6 {
		t.Errorf("%d files, %v", len(sink.files), err)
	}
}
