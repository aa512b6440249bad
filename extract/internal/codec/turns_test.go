package codec

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// The decoder of a zstd stream stays for the next one, but not beside another window, nor
// when its archive is done.
func TestLargeWindowTurns(t *testing.T) {
	t.Parallel()
	l := NewLargeWindows()
	var frame bytes.Buffer
	w, err := zstd.NewWriter(&frame)
	if err == nil {
		_, err = w.Write([]byte("content"))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	unpack := func() (before, after *zstd.Decoder) {
		turn, err := l.TakeZstd(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before = turn.decoder
		plain, err := turn.Open(bytes.NewReader(frame.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(plain); string(got) != "content" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		l.Free() // by another archive: it doesn't wait, nor take what is in use
		turn.Done()
		return before, turn.decoder
	}
	_, first := unpack()
	if again, _ := unpack(); again != first {
		t.Error("the second stream has another decoder")
	}
	done, err := l.Take(t.Context())
	if err != nil || !errors.Is(first.Reset(nil), zstd.ErrDecoderClosed) {
		t.Errorf("the decoder is open during another stream; %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := l.Take(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a second turn: %v", err)
	}
	done()
	before, last := unpack()
	l.Free()
	if before != nil || !errors.Is(last.Reset(nil), zstd.ErrDecoderClosed) {
		t.Error("the decoder is open after its archive")
	}
}
