package extract

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
)

// The memory of a spread that was closed early is not given to another one while
// a request still writes to it.
func TestSpreadKeepsWhatIsBeingFilled(t *testing.T) {
	t.Parallel()
	data := noise(12 * spreadPiece)
	late := &lateSource{Source: FromReaderAt(bytes.NewReader(data), int64(len(data))), release: make(chan struct{})}
	budget := newPieceBudget(spreadTotal, func() {})
	s := newSpread(t.Context(), late, budget, 0, int64(len(data)))
	for len(budget.free) > spreadTotal-spreadAhead { // all that one spread takes are on their way
		time.Sleep(time.Millisecond)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(20 * time.Millisecond) // a chance to give back too early
	if n := len(budget.free); n > spreadTotal-spreadAhead {
		t.Errorf("%d pieces came back while requests still write", n)
	}
	close(late.release)
	if err := <-closed; err != nil || len(budget.free) != spreadTotal {
		t.Errorf("%d pieces of %d came back, %v", len(budget.free), spreadTotal, err)
	}
}

// lateSource is one whose bodies do not notice that nobody wants them any more.
type lateSource struct {
	Source
	release chan struct{}
}

// Range implements [Source].
func (l *lateSource) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	<-l.release
	return l.Source.Range(ctx, off, n)
}

// Borrowers wait for each other, and get what is left when the budget shrinks
// meanwhile.
func TestBorrowing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newPieceBudget(spreadTotal, func() {})
		giveBack, err := b.borrow(t.Context(), maxWindow)
		if err != nil || len(b.free) != 0 {
			t.Fatalf("%d pieces left, %v", len(b.free), err)
		}
		lent := 0
		for range 3 {
			go func() {
				giveBack, err := b.borrow(t.Context(), 3*spreadPiece)
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
		if lent != 3 || len(b.free) != spreadTotal/2 || b.wants != 0 {
			t.Errorf("lent to %d of 3, %d pieces, %d wanted", lent, len(b.free), b.wants)
		}
		if _, err := b.borrow(ended, maxWindow); err != nil && (len(b.free) != spreadTotal/2 || b.wants != 0) {
			t.Errorf("%d pieces, %d wanted after %v", len(b.free), b.wants, err)
		}
	})
}

// Streams with large windows are unpacked, one after the other.
func TestLargeWindows(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(noise(300<<10), 4)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	z.RegisterCompressor(methodZstd, zstd.ZipCompressor(zstd.WithWindowSize(16<<20)))
	for i := range 6 {
		e, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i), Method: methodZstd})
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + i%2*20 { // a part of them is larger than the window
			if _, err := e.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stage, err := NewStage(dir, StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	src := FromReaderAt(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	stats, err := stage.Add(t.Context(), src, Options{Workers: 8, Connections: 8})
	if err != nil || stats.Files != 6 {
		t.Errorf("%+v, %v", stats, err)
	}
	if err := stage.Discard(); err != nil {
		t.Error(err)
	}
}
