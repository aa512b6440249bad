package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
)

// whole sends a file without ranges, with this Content-Length unless it is negative, and
// hangs up after cut bytes unless that is negative.
func whole(w http.ResponseWriter, data []byte, length, cut int) {
	if length >= 0 {
		w.Header().Set("Content-Length", fmt.Sprint(length))
	} else {
		_ = http.NewResponseController(w).Flush() // before the length is known
	}
	if cut >= 0 {
		_, _ = w.Write(data[:cut])
		hangUp(w, false)
		return
	}
	_, _ = w.Write(data)
}

// A download that starts over takes the current object: its size, its ETag and its digest
// are those of the last answer.
func TestRestartTakesTheNewObject(t *testing.T) {
	t.Parallel()
	first, second := content(2*mib), content(2*mib + 5000)[3000:]
	for _, length := range []bool{true, false} {
		for _, cached := range []bool{true, false} {
			o := serve(t, nil, func(w http.ResponseWriter, _ *http.Request, n int) bool {
				data, cut := second, -1
				if n == 1 {
					data, cut = first, 70_000
				}
				w.Header().Set("ETag", `"`+sum(data)+`"`)
				whole(w, data, map[bool]int{true: len(data), false: -1}[length], cut)
				return true
			})
			opts := fetch.Options{Client: o.Client(), SpoolDir: t.TempDir(), Digest: true}
			if cached {
				opts.CacheDir = t.TempDir()
			}
			f, err := fetch.Open(t.Context(), o.URL, opts)
			if err != nil {
				t.Fatal(err)
			}
			readAll(t, f, second)
			if f.SHA256() != sum(second) || f.Size() != int64(len(second)) {
				t.Errorf("SHA256 = %s, size = %d", f.SHA256(), f.Size())
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// endless sends a body until the client stops reading.
func endless(w http.ResponseWriter, sent *atomic.Int64) {
	for piece := make([]byte, 64<<10); ; {
		n, err := w.Write(piece)
		sent.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// A server that sends more than GitLab lists is stopped, whatever its Content-Length.
func TestLongerThanListed(t *testing.T) {
	t.Parallel()
	for _, length := range []string{"", "1099511627776", "2097153"} {
		var sent atomic.Int64
		o := serve(t, nil, func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			endless(w, &sent)
			return true
		})
		_, err := tryOpen(t, o, fetch.Options{Size: 2 * mib})
		o.CloseClientConnections()
		if n := len(o.asked()); !errors.Is(err, fetch.ErrChanged) || n != 1 || sent.Load() > 32*mib {
			t.Errorf("Content-Length %q: %v after %d bytes of %d requests", length, err, sent.Load(), n)
		}
	}
	// A body that isn't too long isn't refused; nor is a short answer that may say what
	// is wrong.
	for size, listed := range map[int]int64{2 * mib: 2 * mib, 2*mib - 1: 2 * mib, 5000: 100} {
		for _, length := range []int{size, -1} {
			data := content(size)
			o := serve(t, nil, func(w http.ResponseWriter, _ *http.Request, _ int) bool { whole(w, data, length, -1); return true })
			readAll(t, open(t, o, fetch.Options{Size: listed}), data)
		}
	}
}

// A body without a length or chunks ends with its connection. If it is shorter than
// GitLab lists, the download broke off. A page that isn't an archive isn't requested
// again.
func TestEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	archive := append([]byte("PK\x03\x04"), content(5000)...)
	page := []byte("<html>Sign in</html>")
	for _, tt := range []struct {
		name     string
		bodies   [][]byte // of one answer after the other
		listed   int64
		want     []byte
		requests int
	}{
		{"whole", [][]byte{archive}, 5004, archive, 1},
		{"cut", [][]byte{archive[:700], archive[:2000], archive}, 5004, archive, 3},
		{"of unknown size", [][]byte{archive[:700]}, 0, archive[:700], 1},
		{"a page", [][]byte{page}, 5004, page, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, nil, func(w http.ResponseWriter, _ *http.Request, n int) bool {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return true
				}
				_, _ = conn.Write(append([]byte("HTTP/1.0 200 OK\r\n\r\n"), tt.bodies[min(n, len(tt.bodies))-1]...))
				_ = conn.Close()
				return true
			})
			readAll(t, open(t, o, fetch.Options{Size: tt.listed}), tt.want)
			if n := len(o.asked()); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
}

// During the download of a whole archive, OnSpool gets its progress, wherever it goes.
func TestProgressOfTheWhole(t *testing.T) {
	t.Parallel()
	data := content(40 * mib)
	ranges := func(http.ResponseWriter, *http.Request, int) bool { return false }
	noRanges := func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.Header().Set("ETag", `"v1"`)
		whole(w, data, len(data), -1)
		return true
	}
	unknown := func(w http.ResponseWriter, _ *http.Request, _ int) bool { whole(w, data, -1, -1); return true }
	tests := []struct {
		name   string
		opts   fetch.Options
		before func(http.ResponseWriter, *http.Request, int) bool
		calls  bool
		total  int64
	}{
		{"read by ranges", fetch.Options{}, ranges, false, 0},
		{"for the cache", fetch.Options{CacheDir: t.TempDir()}, ranges, true, 40 * mib},
		{"for a digest that is given", fetch.Options{SHA256: sum(data)}, ranges, true, 40 * mib},
		{"for a digest that is wanted", fetch.Options{Digest: true}, ranges, true, 40 * mib},
		{"without ranges", fetch.Options{}, noRanges, true, 40 * mib},
		{"without ranges, for the cache", fetch.Options{CacheDir: t.TempDir()}, noRanges, true, 40 * mib},
		{"of unknown size", fetch.Options{}, unknown, true, -1},
		{"of unknown size, which GitLab lists", fetch.Options{Size: 40 * mib}, unknown, true, 40 * mib},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, tt.before)
			var last, calls int64
			var busy atomic.Bool
			tt.opts.OnSpool = func(have, total int64) {
				if !busy.CompareAndSwap(false, true) {
					t.Error("two calls at once")
				}
				defer busy.Store(false)
				if have < last || total != tt.total {
					t.Errorf("%d of %d after %d", have, total, last)
				}
				last = have
				calls++
			}
			open(t, o, tt.opts)
			if tt.calls != (calls > 0) || tt.calls && (last != int64(len(data)) || calls < 10) {
				t.Errorf("%d calls, the last one with %d of %d bytes", calls, last, len(data))
			}
		})
	}
}

// A small archive that is checked while it arrives has progress, too.
func TestProgressOfADigest(t *testing.T) {
	t.Parallel()
	data := content(5 * mib)
	o := serve(t, data, nil)
	var last, of int64
	open(t, o, fetch.Options{SHA256: sum(data), OnSpool: func(have, total int64) { last, of = have, total }})
	if last != int64(len(data)) || of != last {
		t.Errorf("%d of %d bytes", last, of)
	}
}

// The end of a connection isn't the end of a file: a reader that checks for that must not
// take the archive for a truncated one.
func TestEndOfAConnection(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} { // the headers
		var o *object
		o = serve(t, content(3*mib), func(w http.ResponseWriter, r *http.Request, n int) bool {
			switch {
			case n == 1:
				return false
			case before:
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil || conn.Close() != nil {
					t.Error(err)
				}
			default:
				o.cut(w, r, 10, false)
			}
			return true
		})
		f := openLarge(t, o, fetch.Options{})
		_, err := f.ReadAt(make([]byte, 1000), 2*mib)
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("before the headers %v: error = %v", before, err)
		}
		_, request := errors.AsType[*url.Error](err)
		_, broken := errors.AsType[*fetch.BrokenError](err)
		if request != before || broken == before {
			t.Errorf("before the headers %v: error = %v", before, err)
		}
	}
}

// Close doesn't wait for an end that never arrives.
func TestCloseDuringTheEnd(t *testing.T) {
	t.Parallel()
	o := serve(t, content(3*mib), func(_ http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			<-r.Context().Done()
		}
		return n > 1
	})
	f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client()})
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- f.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("Close waits")
		o.CloseClientConnections()
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
}

// One meter counts the cost of several files, including those that couldn't be opened.
func TestMeter(t *testing.T) {
	t.Parallel()
	data := content(100_000)
	o := serve(t, data, func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 2 {
			w.WriteHeader(http.StatusNotFound)
		}
		return n == 2
	})
	var meter fetch.Meter
	open(t, o, fetch.Options{Meter: &meter})
	if _, err := tryOpen(t, o, fetch.Options{Meter: &meter}); err == nil {
		t.Error("no error")
	}
	f := open(t, o, fetch.Options{Meter: &meter})
	if s := f.Stats(); s.Requests != 3 || s.Bytes != 200_000 || s != meter.Stats() {
		t.Errorf("stats = %+v", s)
	}
}

// If a server ignores If-None-Match, its ETag shows that nothing has changed.
func TestCacheOfAServerThatIgnoresIt(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	other := bytes.Clone(data[1:])
	o := serve(t, data, func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		r.Header.Del("If-None-Match")
		return false
	})
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, data)
	if s := readCached(t, o, o.URL, dir, data); !s.Cached || s.Bytes != 0 || s.Requests != 1 {
		t.Errorf("unchanged: %+v", s)
	}
	o.change(func(o *object) { o.data = other }) // under the same ETag
	if s := readCached(t, o, o.URL, dir, other); s.Cached {
		t.Errorf("another size: %+v", s)
	}
	o.change(func(o *object) { o.data, o.etag = data, `"v2"` })
	if s := readCached(t, o, o.URL, dir, data); s.Cached {
		t.Errorf("another ETag: %+v", s)
	}
}
