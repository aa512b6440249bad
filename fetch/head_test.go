package fetch_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

const mib = 1 << 20

// stuck answers a range, and sends n bytes of it before it waits until go is
// closed, and sends the rest.
func (o *object) stuck(w http.ResponseWriter, r *http.Request, n int, release <-chan struct{}) {
	data, ok := o.begin(w, r)
	if !ok {
		return
	}
	_, _ = w.Write(data[:n])
	_ = http.NewResponseController(w).Flush()
	select {
	case <-release:
		_, _ = w.Write(data[n:])
	case <-r.Context().Done():
	}
}

// noSuffix is a server that knows no suffix ranges.
func noSuffix(_ http.ResponseWriter, r *http.Request, _ int) bool {
	if strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
		r.Header.Del("Range")
	}
	return false
}

// The first answer is everybody's: who gives up does not take it along. What lies
// behind it is asked for while most of it is still on its way.
func TestFirstAnswerIsShared(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	release, behind := make(chan struct{}), make(chan struct{})
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch r.Header.Get("Range") {
		case "bytes=0-1048575":
			o.stuck(w, r, 300_000, release)
			return true
		case "bytes=1048576-2097151":
			close(behind)
		}
		return false
	})
	f := open(t, o, fetch.Options{})
	if _, err := f.ReadAt(make([]byte, 1), f.Size()-1); err != nil { // the end is there
		t.Fatal(err)
	}
	body, err := f.Range(t.Context(), 1000, 2*mib-1000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	<-behind // or the test never ends
	ctx, cancel := context.WithCancelCause(t.Context())
	other, err := f.Range(ctx, 50_000, 500_000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if got, err := io.ReadAll(io.LimitReader(other, 250_000)); err != nil || !bytes.Equal(got, data[50_000:300_000]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	why := errors.New("why")
	cancel(why)
	if _, err := other.Read(make([]byte, 1)); !errors.Is(err, why) {
		t.Errorf("error = %v", err)
	}
	close(release)
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data[1000:2*mib]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := len(o.asked()); n != 3 {
		t.Errorf("requests: %s", lines(o.asked()))
	}
}

// When most of the first answer has come, what lies behind it follows on the same
// connection.
func TestConnectionOfTheFirstAnswer(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	release := make(chan struct{})
	var first, behind string
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch r.Header.Get("Range") {
		case "bytes=0-1048575":
			first = r.RemoteAddr
			o.stuck(w, r, 600_000, release)
			return true
		case "bytes=1048576-2097151":
			behind = r.RemoteAddr
		}
		return false
	})
	f := open(t, o, fetch.Options{})
	for _, at := range []int64{599_999, f.Size() - 1} { // the end is there, and leaves its connection first
		if _, err := f.ReadAt(make([]byte, 1), at); err != nil {
			t.Fatal(err)
		}
	}
	body, err := f.Range(t.Context(), 35, 2*mib-35)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	if got, err := io.ReadAll(io.LimitReader(body, 500_000)); err != nil || !bytes.Equal(got, data[35:500_035]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	close(release)
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data[500_035:2*mib]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if behind != first {
		t.Errorf("the rest was asked for on the connection of %s, the beginning on %s", behind, first)
	}
}

// Where a part is wanted, the first answer waits in its connection. It is taken for
// what is near its beginning, and not for what is far.
func TestFirstAnswerWaits(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	o := serve(t, data, noSuffix)
	f := open(t, o, fetch.Options{Partial: true})
	if _, err := f.ReadAt(make([]byte, 1), f.Size()-1); err != nil {
		t.Fatal(err)
	}
	if s := f.Stats(); s.Bytes != mib/8 {
		t.Errorf("%d bytes were read, want the end alone", s.Bytes)
	}
	for _, r := range [][2]int64{{500_000, 100_000}, {100_000, 100_000}, {300_000, 100_000}, {150_000, 10}} {
		got, err := readRange(t, f, r[0], r[1])
		if err != nil || !bytes.Equal(got, data[r[0]:r[0]+r[1]]) {
			t.Errorf("range %v: %d bytes, %v", r, len(got), err)
		}
	}
	buf := make([]byte, 1000)
	if _, err := f.ReadAt(buf, 400_500); err != nil || !bytes.Equal(buf, data[400_500:401_500]) {
		t.Error(err)
	}
	if got, want := lines(o.asked()), "bytes=-131072 bytes=0-1048575 bytes=3014656-3145727 bytes=500000-599999"; got != want {
		t.Errorf("requests\n got %s\nwant %s", got, want)
	}
	if s := f.Stats(); s.Bytes != mib/8+100_000+401_500 {
		t.Errorf("%d bytes were read: more than was wanted", s.Bytes)
	}
}

// A file can be closed while its beginning is on its way, and so can a reader whose
// request has no answer yet.
func TestCloseDuringTheFirstAnswer(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	var o *object
	o = serve(t, content(3*mib), func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch {
		case n == 1:
			o.stuck(w, r, 300_000, never)
		case strings.HasPrefix(r.Header.Get("Range"), "bytes=1048576-"), strings.HasPrefix(r.Header.Get("Range"), "bytes=300000-"):
			<-r.Context().Done() // the second would continue what was closed
		default:
			return false
		}
		return true
	})
	f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client()})
	if err != nil {
		t.Fatal(err)
	}
	body, err := f.Range(t.Context(), 35, 2*mib)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(body, make([]byte, 1000)); err != nil {
		t.Error(err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := body.Read(make([]byte, mib)); err == nil {
		t.Error("read after close")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.ReadAt(make([]byte, 10), 500_000); err == nil {
		t.Error("read after close of what has not come")
	}
}

// A beginning that breaks off is continued as the same object, or not at all.
func TestFirstAnswerChanges(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 1 {
			return false
		}
		o.stuck(w, r, 300_000, nil)
		return true
	})
	f := open(t, o, fetch.Options{})
	for _, at := range []int64{299_999, f.Size() - 1} { // the end is there, too
		if _, err := f.ReadAt(make([]byte, 1), at); err != nil {
			t.Fatal(err)
		}
	}
	o.change(func(o *object) { o.etag = `"v2"` })
	o.CloseClientConnections()
	got, err := readRange(t, f, 35, mib)
	if !errors.Is(err, fetch.ErrChanged) || !bytes.Equal(got, data[35:35+len(got)]) {
		t.Errorf("%d bytes, %v; want ErrChanged", len(got), err)
	}
	if _, err := f.ReadAt(make([]byte, 10), 500_000); !errors.Is(err, fetch.ErrChanged) {
		t.Errorf("ReadAt: %v; want ErrChanged", err)
	}
}

// FuzzRanges reads a file in pieces of any sizes at the same time, some of them
// through ReadAt. What arrives is what is there; no byte of it is asked for twice,
// unless bodies break off.
func FuzzRanges(f *testing.F) {
	whole := content(5 * mib / 2)
	r := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		cuts := make([]byte, 2*r.IntN(12))
		for i := range cuts {
			cuts[i] = byte(r.UintN(256))
		}
		f.Add(r.Uint32N(1<<20), uint8(r.UintN(8)), cuts)
	}
	f.Fuzz(func(t *testing.T, size uint32, how uint8, cuts []byte) {
		data := whole[:mib+size%(3*mib/2)+1]
		partial, breaks, small := how&1 != 0, how&2 != 0, how&4 != 0
		var o *object
		o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
			if noSuffix(w, r, n); r.Header.Get("Range") == "" || !breaks || n%2 == 0 {
				return false
			}
			o.cut(w, r, 40_000+10_000*n, n%3 == 0)
			return true
		})
		file := open(t, o, fetch.Options{Partial: partial})
		var group sync.WaitGroup
		piece := func(off, end int64) {
			group.Go(func() {
				got := make([]byte, end-off)
				var err error
				if small && end-off < 1000 && end > off {
					_, err = file.ReadAt(got, off)
				} else {
					got, err = readRange(t, file, off, end-off)
				}
				if err != nil || !bytes.Equal(got, data[off:end]) {
					t.Errorf("bytes %d-%d of %d: %d, %v", off, end, len(data), len(got), err)
				}
			})
		}
		off := int64(0)
		for ; len(cuts) >= 2 && off < file.Size(); cuts = cuts[2:] {
			end := min(off+int64(binary.BigEndian.Uint16(cuts))*8, file.Size())
			piece(off, end)
			off = end
		}
		piece(off, file.Size())
		group.Wait()
		// Small reads ask for the blocks around them. What waits in its connection may
		// be too far away.
		if twice := askedTwice(t, o.asked(), file.Size()); twice > 0 && !breaks && !small && !partial {
			t.Errorf("%d bytes were asked for twice: %s", twice, lines(o.asked()))
		}
	})
}

// Where GitLab itself serves the bytes, a large file's beginning and end are at most four
// requests, because each occupies its application server; storage takes more.
func TestRequestsForTheEnd(t *testing.T) {
	t.Parallel()
	data := content(40 * mib) // of which the end is 2 MiB
	for name, tt := range map[string]struct {
		redirected bool
		want       int
	}{"GitLab serves": {false, 4}, "storage serves": {true, 9}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, nil)
			f := openBehind(t, o, tt.redirected)
			if _, err := f.ReadAt(make([]byte, 1), f.Size()-1); err != nil {
				t.Fatal(err)
			}
			if asked := o.asked(); len(asked) != tt.want {
				t.Errorf("%d requests, want %d: %q", len(asked), tt.want, asked)
			}
		})
	}
}

// openBehind opens an object, behind a redirect of another host or not.
func openBehind(t *testing.T, o *object, redirected bool) *fetch.File {
	t.Helper()
	if !redirected {
		return open(t, o, fetch.Options{})
	}
	gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
	t.Cleanup(gitlab.Close)
	f, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: gitlab.Client()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(); gitlab.Client().CloseIdleConnections() })
	return f
}
