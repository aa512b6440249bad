package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
)

func TestSmallFileIsOneRequest(t *testing.T) {
	t.Parallel()
	data := content(100_000)
	o := serve(t, data, nil)
	f := open(t, o, fetch.Options{})
	if f.Size() != int64(len(data)) {
		t.Errorf("size = %d", f.Size())
	}
	if err := iotest.TestReader(io.NewSectionReader(f, 0, f.Size()), data); err != nil {
		t.Error(err)
	}
	if got := lines(o.asked()); got != "bytes=0-" {
		t.Errorf("requests: %s", got)
	}
	if s := f.Stats(); s.Requests != 1 || s.Bytes != int64(len(data)) || s.Spooled {
		t.Errorf("stats = %+v", s)
	}
}

// Small reads share blocks, and are never a request each. Those that follow one another
// continue on the connection of the first answer.
func TestRequestsOfSmallReads(t *testing.T) {
	t.Parallel()
	data := content(4 << 20)
	buf := make([]byte, 4096)
	for _, backwards := range []bool{false, true} {
		o := serve(t, data, nil)
		f := openLarge(t, o, fetch.Options{})
		for off := int64(0); off < f.Size(); off += int64(len(buf)) {
			at := off
			if backwards {
				at = f.Size() - int64(len(buf)) - off
			}
			if _, err := f.ReadAt(buf, at); err != nil || !bytes.Equal(buf, data[at:at+int64(len(buf))]) {
				t.Fatalf("ReadAt(%d): %v", at, err)
			}
		}
		// The first MiB and the last 256 KiB are in memory. Between them there are 11
		// blocks of 256 KiB, of which the first one continues where the first answer is.
		want := map[bool]int{false: 2, true: 12}[backwards]
		if got := len(o.asked()); got != want {
			t.Errorf("backwards %v: %d requests, want %d: %s", backwards, got, want, lines(o.asked()))
		}
		// A long read is four at once, because GitLab itself serves the bytes.
		big := make([]byte, 3<<20-5)
		if _, err := f.ReadAt(big, 1<<20+5); err != nil || !bytes.Equal(big, data[1<<20+5:]) {
			t.Fatal(err)
		}
		if got := len(o.asked()); got != want+4 {
			t.Errorf("%d requests, want %d", got, want+4)
		}
	}
}

// So do those that are far behind the place where the first answer waits.
func TestSmallReadsOfAWaitingAnswer(t *testing.T) {
	t.Parallel()
	data := content(4 << 20)
	o := serve(t, data, noSuffix)
	f := open(t, o, fetch.Options{Partial: true})
	readEnd(t, f)
	before := len(o.asked())
	buf := make([]byte, 4096)
	for off := int64(600_000); off < 1<<20; off += 4096 {
		if _, err := f.ReadAt(buf, off); err != nil || !bytes.Equal(buf, data[off:off+4096]) {
			t.Fatalf("ReadAt(%d): %v", off, err)
		}
	}
	if got := len(o.asked()) - before; got > 3 {
		t.Errorf("%d requests for parts of three blocks", got)
	}
}

func TestRange(t *testing.T) {
	t.Parallel()
	data := content(3 << 20)
	o := serve(t, data, nil)
	f := openLarge(t, o, fetch.Options{})
	readEnd(t, f)
	for _, r := range [][2]int64{{0, 2 << 20}, {5, 1 << 20}, {1<<20 - 1, 2}, {2 << 20, 1 << 20}, {0, 3 << 20}, {3 << 20, 0}} {
		got, err := readRange(t, f, r[0], r[1])
		if err != nil || !bytes.Equal(got, data[r[0]:r[0]+r[1]]) {
			t.Errorf("range %v: %d bytes, %v", r, len(got), err)
		}
	}
	if _, err := readRange(t, f, 1, 3<<20); err == nil {
		t.Error("a range beyond the end")
	}
	// The first MiB and the end are in memory. The bytes after the first answer are read
	// once from its connection.
	want := "bytes=0- bytes=2949120-3145727 bytes=1048576-1048580 bytes=1048576-1048576 bytes=1048576-2949119"
	if got := lines(o.asked()); got != want {
		t.Errorf("requests\n got %s\nwant %s", got, want)
	}
}

func TestFirstRequest(t *testing.T) {
	t.Parallel()
	data := content(2 << 20)
	ignoreSuffix := func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
			r.Header.Del("Range")
		}
		return false
	}
	tests := []struct {
		name   string
		opts   fetch.Options
		before func(http.ResponseWriter, *http.Request, int) bool
		data   []byte
		want   string
	}{
		{name: "whole", data: data, want: "bytes=0-"},
		{name: "part", opts: fetch.Options{Partial: true}, data: data, want: "bytes=-131072"},
		{name: "part of a small one", opts: fetch.Options{Partial: true}, data: data[:1000], want: "bytes=-131072"},
		{name: "part, without suffix ranges", opts: fetch.Options{Partial: true}, before: ignoreSuffix, data: data, want: "bytes=-131072 bytes=0-1048575"},
		{name: "size known", opts: fetch.Options{Size: 2 << 20}, data: data, want: "bytes=0-"},
		{name: "part, size known", opts: fetch.Options{Size: 2 << 20, Partial: true}, data: data, want: "bytes=1966080-2097151"},
		{name: "small size known", opts: fetch.Options{Size: 1000, Partial: true}, data: data[:1000], want: "bytes=0-1048575"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, tt.data, tt.before)
			f := open(t, o, tt.opts)
			first := o.asked() // the end may have been requested in the meantime
			if got := lines(first[:min(len(first), len(strings.Fields(tt.want)))]); got != tt.want {
				t.Errorf("requests\n got %s\nwant %s", got, tt.want)
			}
			got, err := readRange(t, f, 0, f.Size())
			if err != nil || !bytes.Equal(got, tt.data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// After any interruption, the transfer is resumed at its byte, however often.
func TestResume(t *testing.T) {
	t.Parallel()
	data := content(2<<20 + 123)
	for _, reset := range []bool{false, true} {
		t.Run(fmt.Sprintf("reset=%v", reset), func(t *testing.T) {
			t.Parallel()
			var o *object
			o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n%3 == 0 {
					return false
				}
				o.cut(w, r, 100_000*n, reset)
				return true
			})
			f := open(t, o, fetch.Options{})
			got, err := readRange(t, f, 0, f.Size())
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if _, err := f.ReadAt(make([]byte, 1), f.Size()-1); err != nil {
				t.Fatal(err)
			}
			if s := f.Stats(); s.Resumes == 0 || s.Bytes != int64(len(data)) {
				t.Errorf("stats = %+v: no byte may be asked for twice", s)
			}
		})
	}
}

// patience counts its pauses, and allows two in a row.
type patience struct{ row, pauses, resets int }

// NextBackOff implements [fetch.Backoff].
func (p *patience) NextBackOff() time.Duration {
	p.pauses++
	if p.row++; p.row > 2 {
		return -1
	}
	return 0
}

// Reset implements [fetch.Backoff].
func (p *patience) Reset() { p.row, p.resets = 0, p.resets+1 }

// Real progress needs no pause, and resets the pauses; a few bytes don't count.
func TestPauses(t *testing.T) {
	t.Parallel()
	data := content(1_000_000)
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		o.cut(w, r, map[bool]int{true: 100_000, false: 60_000 * (n % 2)}[n%3 == 1], false)
		return true
	})
	var p patience
	f := open(t, o, fetch.Options{Backoff: func() fetch.Backoff { return &p }})
	readAll(t, f, data)
	// 100,000 bytes, then 60,000 and nothing, in any order: six times, and the rest.
	if p.pauses != 12 || p.resets != 6 {
		t.Errorf("pauses %d, resets %d; want 2 pauses after each of 6 resets", p.pauses, p.resets)
	}
}

// If a server sends a few bytes and hangs up, it gets a few requests, not as many as the
// file needs.
func TestTinyProgress(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1_000_000, 3 * mib} {
		for _, bytes := range []int{10, 1000, 64<<10 - 1} {
			var o *object
			o = serve(t, content(size), func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n > 1 || size < mib {
					o.cut(w, r, bytes, n%2 == 0)
				}
				return n > 1 || size < mib
			})
			f, err := fetch.OpenSized(t.Context(), o.URL, fetch.Options{Client: o.Client()}, mib, mib)
			if closeAtEnd(t, f); err == nil {
				_, err = readRange(t, f, 2*mib, 500_000)
			}
			if _, ok := errors.AsType[*fetch.BrokenError](err); !ok {
				t.Errorf("%d bytes: %v", bytes, err)
			}
			// The first answer, and three attempts each for the wanted bytes and for the
			// end.
			if got := len(o.asked()); got > 7 {
				t.Errorf("%d bytes at a time: %d requests", bytes, got)
			}
		}
	}
}

func TestGivesUpWithoutProgress(t *testing.T) {
	t.Parallel()
	data := content(1000)
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		o.cut(w, r, map[bool]int{true: 300, false: 0}[n == 1], false)
		return true
	})
	_, err := tryOpen(t, o, fetch.Options{})
	broken, ok := errors.AsType[*fetch.BrokenError](err)
	if !ok || broken.Offset != 300 {
		t.Errorf("error = %v, want a BrokenError at 300", err)
	}
	if got := len(o.asked()); got > 5 {
		t.Errorf("%d requests", got)
	}
}

// Bytes of two objects never mix.
func TestChanged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(o *object)
	}{
		{"another ETag", func(o *object) { o.etag = `"v2"` }},
		{"longer", func(o *object) { o.data = append(o.data, 1) }},
		{"shorter", func(o *object) { o.data = o.data[:1<<20+5] }},
		{"another ETag, If-Range ignored", func(o *object) {
			o.etag = `"v2"`
			o.before = func(_ http.ResponseWriter, r *http.Request, _ int) bool { r.Header.Del("If-Range"); return false }
		}},
		{"no ETag, other size", func(o *object) { o.etag, o.data = "", o.data[:len(o.data)-1] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, content(3<<20), nil)
			f := openLarge(t, o, fetch.Options{})
			readEnd(t, f)
			o.change(tt.change)
			if _, err := readRange(t, f, 2<<20, 1000); !errors.Is(err, fetch.ErrChanged) {
				t.Errorf("Range: error = %v, want ErrChanged", err)
			}
			// From now on, only reads from memory succeed.
			o.change(func(o *object) { o.etag, o.data, o.before = `"v1"`, content(3<<20), nil })
			if _, err := f.ReadAt(make([]byte, 10), 2<<20); !errors.Is(err, fetch.ErrChanged) {
				t.Errorf("ReadAt: error = %v, want ErrChanged", err)
			}
		})
	}
}

func TestWeakETagIsNoValidator(t *testing.T) {
	t.Parallel()
	for _, etag := range []string{`W/"v1"`, `W/"12ae32cb1ec02d01eda3581b127c1fee"`, `"12ae32cb1ec02d01eda3581b127c1fee"`} {
		o := serve(t, content(3<<20), func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Header.Get("If-Range") != "" {
				t.Errorf("If-Range = %s", r.Header.Get("If-Range"))
			}
			return false
		})
		o.etag = etag
		f := openLarge(t, o, fetch.Options{})
		if _, err := readRange(t, f, 2<<20, 10); err != nil {
			t.Error(err)
		}
	}
}

// A weak ETag isn't sent in requests, but a different one shows that the file has
// changed.
func TestOtherWeakETag(t *testing.T) {
	t.Parallel()
	for etag, want := range map[string]error{
		`W/"v1"`: nil, `"v1"`: nil, "": nil, `W/"12ae32cb1ec02d01eda3581b127c1fee"`: nil,
		`W/"v2"`: fetch.ErrChanged, `"v2"`: fetch.ErrChanged,
	} {
		o := serve(t, content(3<<20), nil)
		o.etag = `W/"v1"`
		f := openLarge(t, o, fetch.Options{})
		readEnd(t, f)
		o.change(func(o *object) { o.etag = etag })
		if _, err := readRange(t, f, 2<<20, 10); !errors.Is(err, want) {
			t.Errorf("%s: error = %v, want %v", etag, err, want)
		}
	}
}

// A Content-Range for another range is never trusted.
func TestBadContentRange(t *testing.T) {
	t.Parallel()
	data := content(5000)
	for _, header := range []string{"", "bytes 0-4999/*", "bytes 1-4999/5000", "bytes 0-4999/4999", "bytes 0-99/5000", "bytes 4999-0/5000", "items 0-4999/5000", "bytes 0-4999/5000x"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Header.Get("Range") == "" {
					return false
				}
				w.Header().Set("Content-Range", header)
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(data)
				return true
			})
			f := open(t, o, fetch.Options{})
			got, err := readRange(t, f, 0, f.Size())
			if err != nil || !bytes.Equal(got, data) || !f.Stats().Spooled {
				t.Errorf("%d bytes, %v, %+v; want the whole, spooled", len(got), err, f.Stats())
			}
		})
	}
}

func TestNoRanges(t *testing.T) {
	t.Parallel()
	data := content(2 << 20)
	tests := []struct {
		name string
		opts fetch.Options
		send func(w http.ResponseWriter, n int)
		want int // requests
	}{
		{"with a length", fetch.Options{}, func(w http.ResponseWriter, _ int) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data)
		}, 1},
		{"without", fetch.Options{}, func(w http.ResponseWriter, _ int) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(data)
		}, 1},
		{"a part", fetch.Options{Partial: true}, func(w http.ResponseWriter, _ int) { _, _ = w.Write(data) }, 2},
		{"broken once", fetch.Options{}, func(w http.ResponseWriter, n int) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			if n == 1 {
				_, _ = w.Write(data[:1000])
				hangUp(w, false)
				return
			}
			_, _ = w.Write(data)
		}, 2},
		{"broken once, without a length", fetch.Options{}, func(w http.ResponseWriter, n int) {
			_ = http.NewResponseController(w).Flush()
			if n == 1 {
				_, _ = w.Write(data[:1000])
				hangUp(w, false)
				return
			}
			_, _ = w.Write(data)
		}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, func(w http.ResponseWriter, _ *http.Request, n int) bool { tt.send(w, n); return true })
			f := open(t, o, tt.opts)
			got, err := readRange(t, f, 0, f.Size())
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			buf := make([]byte, 100)
			if _, err := f.ReadAt(buf, 1<<20); err != nil || !bytes.Equal(buf, data[1<<20:1<<20+100]) {
				t.Errorf("ReadAt: %v", err)
			}
			if n := len(o.asked()); n != tt.want || !f.Stats().Spooled {
				t.Errorf("%d requests, want %d; %+v", n, tt.want, f.Stats())
			}
		})
	}
}

// The spool file is removed when the file is closed, and when it fails.
func TestSpoolIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	healthy := atomic.Bool{}
	healthy.Store(true)
	o := serve(t, content(1000), func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		if healthy.Load() {
			_, _ = w.Write(content(1000))
			return true
		}
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(content(10))
		hangUp(w, false)
		return true
	})
	f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), SpoolDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	healthy.Store(false)
	if _, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), SpoolDir: dir}); err == nil {
		t.Error("a body that always breaks was taken")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Pre-signed addresses are used for all ranges, and renewed once for all readers.
func TestExpiredAddress(t *testing.T) {
	t.Parallel()
	data := content(8 << 20)
	var generation, refused atomic.Int32
	storage := serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Query().Get("generation") != fmt.Sprint(generation.Load()) {
			refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	var resolved atomic.Int32
	gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resolved.Add(1)
		http.Redirect(w, r, fmt.Sprintf("%s/object?generation=%d", storage.URL, generation.Load()), http.StatusFound)
	}))
	defer gitlab.Close()
	f := openLargeAt(t, storage, gitlab.URL, fetch.Options{})
	for range 3 {
		if _, err := readRange(t, f, 2<<20, 100); err != nil {
			t.Fatal(err)
		}
	}
	if n := resolved.Load(); n != 1 {
		t.Errorf("resolved %d times, want once for all ranges", n)
	}
	generation.Add(1)
	var group sync.WaitGroup
	for i := range int64(6) {
		group.Go(func() {
			got, err := readRange(t, f, (i+1)<<20, 1<<20)
			if err != nil || !bytes.Equal(got, data[(i+1)<<20:(i+2)<<20]) {
				t.Errorf("range %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	group.Wait()
	if n := resolved.Load(); n != 2 {
		t.Errorf("resolved %d times in all, want 2", n)
	}
}

// While one reader renews the address, others wait for it, and can be stopped.
func TestStopDuringARenewal(t *testing.T) {
	t.Parallel()
	var expired atomic.Bool
	storage := serve(t, content(8<<20), func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		if expired.Load() {
			w.WriteHeader(http.StatusForbidden)
		}
		return expired.Load()
	})
	asked, release := make(chan struct{}), make(chan struct{})
	var resolved atomic.Int32
	gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if resolved.Add(1) == 2 {
			close(asked)
			<-release
			expired.Store(false)
		}
		http.Redirect(w, r, storage.URL, http.StatusFound)
	}))
	defer gitlab.Close()
	f := openLargeAt(t, storage, gitlab.URL, fetch.Options{})
	readEnd(t, f)
	expired.Store(true)
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := readRange(t, f, 2<<20, 100); err != nil {
			t.Error(err)
		}
	})
	<-asked
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	body, err := f.Range(ctx, 4<<20, 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := body.Read(make([]byte, 1)); !errors.Is(err, why) || !f.Redirected() {
		t.Errorf("error = %v", err)
	}
	close(release)
	group.Wait()
	if err := errors.Join(body.Close(), f.Close()); err != nil {
		t.Error(err)
	}
}

func TestStatusIsTheCallersError(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	o := serve(t, nil, func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	_, err := tryOpen(t, o, fetch.Options{Check: func(resp *http.Response) error {
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("status = %d", resp.StatusCode)
		}
		return mine
	}})
	if !errors.Is(err, mine) {
		t.Errorf("error = %v", err)
	}
	if n := len(o.asked()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	f := open(t, serve(t, nil, nil), fetch.Options{})
	if n, err := f.ReadAt(make([]byte, 1), 0); f.Size() != 0 || n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("size %d, ReadAt = %d, %v", f.Size(), n, err)
	}
}

func TestSHA256(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("ab", 32)
	o := serve(t, content(2<<20), nil) // only a part is read
	o.etag = `"` + digest + `"`
	if got := open(t, o, fetch.Options{}).SHA256(); got != digest {
		t.Errorf("SHA256 = %q", got)
	}
	// The ETag of the storage that GitLab redirects to isn't GitLab's.
	gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
	defer gitlab.Close()
	f, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: gitlab.Client()})
	if err != nil || f.SHA256() != "" {
		t.Errorf("behind a redirect: %q, %v", f.SHA256(), err)
	}
	gitlab.Client().CloseIdleConnections()
}

// Reading a whole file requests no byte twice.
func TestWholeFile(t *testing.T) {
	t.Parallel()
	data := content(3 << 20)
	o := serve(t, data, nil)
	f := open(t, o, fetch.Options{})
	var b bytes.Buffer
	if err := copyAll(t.Context(), &b, f); err != nil || !bytes.Equal(b.Bytes(), data) {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
	if n := len(o.asked()); n != 2 || f.Stats().Bytes != f.Size() {
		t.Errorf("%d requests, want 2: the beginning and the end; %+v", n, f.Stats())
	}
}

// Looking at the beginning of a file leaves the first answer to its readers.
func TestLookingDoesNotCost(t *testing.T) {
	t.Parallel()
	data := content(3 << 20)
	o := serve(t, data, nil)
	f := openLarge(t, o, fetch.Options{})
	for range 2 {
		head := make([]byte, 1000)
		if _, err := f.ReadAt(head, 0); err != nil || !bytes.Equal(head, data[:1000]) {
			t.Fatal(err)
		}
	}
	got, err := readRange(t, f, 0, f.Size())
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if s := f.Stats(); s.Bytes != int64(len(data)) || s.Requests != 2 {
		t.Errorf("stats = %+v: no byte may be asked for twice", s)
	}
}

// A reader whose context ends doesn't wait for the first answer.
func TestCancelOfTheFirstAnswer(t *testing.T) {
	t.Parallel()
	data := content(3 << 20)
	var o *object
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-hang:
		case <-r.Context().Done():
		}
		return true
	})
	f := open(t, o, fetch.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	body, err := f.Range(ctx, 0, 2<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	why := errors.New("why")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	if _, err := body.Read(make([]byte, 1)); !errors.Is(err, why) {
		t.Errorf("error = %v", err)
	}
}
