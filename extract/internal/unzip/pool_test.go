package unzip

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/ziptest"
)

// slow is a source whose connections each deliver that many bytes per second.
type slow struct {
	archive.Source
	rate  int
	ahead int64         // bytes that are there already
	front int64         // where those end that one connection brings
	late  time.Duration // until an answer's first byte

	mu        sync.Mutex
	now, most int // connections
	opened    int // in all
	after     func(opened, now int)
	failAt    int64
	err       error
}

// Ahead implements [archive.Source].
func (s *slow) Ahead() int64 { return s.ahead }

// Onward implements [archive.Source].
func (s *slow) Onward() int64 { return s.front }

// Range implements [Source].
func (s *slow) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now++
	s.most = max(s.most, s.now)
	if s.opened++; s.after != nil {
		s.after(s.opened, s.now)
	}
	r, err := s.Source.Range(ctx, off, n)
	if err != nil {
		return nil, err
	}
	return &slowBody{r, s, off, s.late}, nil
}

type slowBody struct {
	io.ReadCloser
	s    *slow
	off  int64
	late time.Duration
}

// Read implements [io.Reader].
func (b *slowBody) Read(p []byte) (int, error) {
	if b.s.err != nil && b.off >= b.s.failAt {
		return 0, b.s.err
	}
	time.Sleep(b.late)
	b.late = 0
	if b.s.rate > 0 && b.off >= b.s.ahead {
		p = p[:min(len(p), b.s.rate/100)]
		time.Sleep(10 * time.Millisecond)
	}
	n, err := b.ReadCloser.Read(p)
	b.off += int64(n)
	return n, err
}

// Close implements [io.Closer].
func (b *slowBody) Close() error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.now--
	return b.ReadCloser.Close()
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(b) // never fails
	return b
}

// stored creates a zip of stored files of noise, and returns one file's content.
func stored(t *testing.T, files, size int) ([]byte, []byte) {
	t.Helper()
	content := noise(size)
	return ziptest.Copies(t, files, content, zip.Store), content
}

// The pool opens more connections as long as each increases throughput, up to the limit,
// unless the others will be done before a distant server's connection is of use.
func TestPoolGrows(t *testing.T) {
	t.Parallel()
	zipped, _ := stored(t, 64, 1<<20)
	const far = 100 * time.Millisecond
	tests := []struct {
		name                     string
		rate, limit, least, most int
		ahead, front             int64
		pace                     Pace
	}{
		{"each is throttled", 10 << 20, 6, 6, 6, 0, 0, Pace{}},
		{"and the beginning is there", 10 << 20, 6, 6, 6, 4 << 20, 0, Pace{}},
		{"over before more would help", 0, 8, 1, 4, 0, 0, Pace{}},
		{"no more are allowed", 20 << 20, 1, 1, 1, 0, 0, Pace{}},
		// One of them delivers all but the last six files.
		{"more wouldn't be sooner", 1 << 20, 16, 2, 4, 0, 58<<20 + 10_000, Pace{}},
		{"near", 10 << 20, 16, 16, 16, 0, 0, Pace{Workers: 8}},
		{"far, and half is there after four round trips", 12 << 20, 16, 8, 8, 0, 0, Pace{Workers: 8, RoundTrip: far}},
		{"far, and much is left", 1 << 20, 16, 16, 16, 0, 0, Pace{Workers: 8, RoundTrip: far}},
		{"farther, and the same", 1 << 20, 16, 8, 8, 0, 0, Pace{Workers: 8, RoundTrip: 10 * far}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // the throttled source runs on a fake clock
				src := &slow{Source: archive.FromReaderAt(bytes.NewReader(zipped), int64(len(zipped))), rate: tt.rate, ahead: tt.ahead, front: tt.front, late: tt.pace.RoundTrip}
				pace := tt.pace
				pace.Workers, pace.Connections = max(pace.Workers, 1), tt.limit
				if err := extractAll(t.Context(), t, src, &memSink{}, pace); err != nil {
					t.Fatal(err)
				}
				if src.most < tt.least || src.most > tt.most || src.now != 0 {
					t.Errorf("%d connections, %d still open; want %d to %d", src.most, src.now, tt.least, tt.most)
				}
			})
		})
	}
}

func TestRangeReader(t *testing.T) {
	t.Parallel()
	data := noise(3*pieceSize + 12345)
	src := &slow{Source: archive.FromReaderAt(bytes.NewReader(data), int64(len(data)))}
	s := newRangeReader(t.Context(), src, newPiecePool(maxPieces, func() {}), 100, int64(len(data)))
	got, err := io.ReadAll(iotest.OneByteReader(io.LimitReader(s, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(append(got, rest...), data[100:]) {
		t.Errorf("%d bytes, %v", len(got)+len(rest), err)
	}
	if err := s.Close(); err != nil || src.now != 0 {
		t.Errorf("%d connections are left, %v", src.now, err)
	}
}

// Closing a spread early ends all its requests. The error of a request is returned in
// order, after all bytes before it.
func TestRangeReaderEnds(t *testing.T) {
	t.Parallel()
	data := noise(8 * pieceSize)
	src := &slow{Source: archive.FromReaderAt(bytes.NewReader(data), int64(len(data)))}
	pool := newPiecePool(maxPieces, func() {})
	s := newRangeReader(t.Context(), src, pool, 0, int64(len(data)))
	if _, err := io.ReadFull(s, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil || src.now != 0 {
		t.Errorf("closed early: %d connections are left, %v", src.now, err)
	}
	src.err, src.failAt = errors.New("broken"), pieceSize+5
	s = newRangeReader(t.Context(), src, pool, 0, int64(len(data)))
	got, err := io.ReadAll(s)
	if !errors.Is(err, src.err) || len(got) < pieceSize || !bytes.Equal(got, data[:len(got)]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(pool.free) != maxPieces {
		t.Errorf("%d pieces of %d came back", len(pool.free), maxPieces)
	}
}

// Many spreads share one pool, and all of them finish.
func TestRangeReadersShare(t *testing.T) {
	t.Parallel()
	data := noise(3 * pieceSize)
	src := archive.FromReaderAt(bytes.NewReader(data), int64(len(data)))
	pool := newPiecePool(maxPieces, func() {})
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			s := newRangeReader(t.Context(), src, pool, 0, int64(len(data)))
			if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(pool.free) != maxPieces {
		t.Errorf("%d pieces of %d came back", len(pool.free), maxPieces)
	}
}

// A large file has the same content however it is read and written.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(noise(100_000), 180) // 18 MB, more than a region
	for name, zipped := range map[string][]byte{"deflated": ziptest.Copies(t, 1, content, zip.Deflate), "stored": ziptest.Copies(t, 1, content, zip.Store)} {
		src := &slow{Source: archive.FromReaderAt(bytes.NewReader(zipped), int64(len(zipped)))}
		sink := &memSink{keep: true}
		if err := extractAll(t.Context(), t, src, sink, Pace{}); err != nil {
			t.Fatal(err)
		}
		if got := sink.files[0]; !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes", name, len(got))
		}
		if src.now != 0 {
			t.Errorf("%s: %d connections are left", name, src.now)
		}
	}
}

// The pool halves the number of parallel requests each time that a server is overloaded,
// down to one.
func TestThrottle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		files, size int
		enough      []int       // the requests that are too much
		limits      map[int]int // from which request on → how many at once
	}{
		{"small files", 64, 1 << 20, []int{10, 30, 45, 55}, map[int]int{1: 8, 20: 4, 40: 2, 50: 1}},
		{"one large", 1, 100 << 20, []int{3, 8}, map[int]int{1: 7, 15: 3}}, // of six pieces two remain, and one may be closing
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zipped, _ := stored(t, tt.files, tt.size)
			synctest.Test(t, func(t *testing.T) {
				var refusals atomic.Int64
				limit := 0
				src := &slow{Source: archive.FromReaderAt(bytes.NewReader(zipped), int64(len(zipped))), rate: 20 << 20}
				src.after = func(opened, now int) {
					if slices.Contains(tt.enough, opened) {
						refusals.Add(1)
					}
					if lower, ok := tt.limits[opened]; ok {
						limit = lower
					}
					if now > limit {
						t.Errorf("request %d: %d at once, want no more than %d", opened, now, limit)
					}
				}
				if err := extractAll(t.Context(), t, src, &memSink{}, Pace{Workers: 8, Connections: 8, Refusals: refusals.Load}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// If requests are expensive, the pool makes few, long ones.
func TestCostlyRequests(t *testing.T) {
	t.Parallel()
	for name, sizes := range map[string]struct{ files, size, requests int }{"small files": {64, 1 << 20, 8}, "one large": {1, 100 << 20, 1}} {
		zipped, _ := stored(t, sizes.files, sizes.size)
		src := &slow{Source: archive.FromReaderAt(bytes.NewReader(zipped), int64(len(zipped)))}
		if err := extractAll(t.Context(), t, src, &memSink{}, Pace{Workers: 8, Connections: 16, Costly: true}); err != nil {
			t.Error(err)
		}
		if src.opened > sizes.requests || src.most > costlyConnections {
			t.Errorf("%s: %d requests, %d at once; want at most %d and %d", name, src.opened, src.most, sizes.requests, costlyConnections)
		}
	}
}
