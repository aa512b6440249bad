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

// stuck answers a range, and sends n bytes before it waits until release is closed, and
// sends the rest.
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

// noSuffix is a server that doesn't support suffix ranges.
func noSuffix(_ http.ResponseWriter, r *http.Request, _ int) bool {
	if strings.HasPrefix(r.Header.Get("Range"), "bytes=-") {
		r.Header.Del("Range")
	}
	return false
}

// Readers share the first answer: if one gives up, it continues. The bytes after it
// follow on the same connection.
func TestFirstAnswerIsShared(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	release := make(chan struct{})
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("Range") == "bytes=0-" {
			o.stuck(w, r, 300_000, release)
		}
		return r.Header.Get("Range") == "bytes=0-"
	})
	f := openLarge(t, o, fetch.Options{})
	readEnd(t, f)
	ctx, cancel := context.WithCancelCause(t.Context())
	other, err := f.Range(ctx, 50_000, 500_000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	body, err := f.Range(t.Context(), 1000, 2*mib-1000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
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
	if n := len(o.asked()); n != 2 {
		t.Errorf("requests: %s", lines(o.asked()))
	}
}

// If the first answer is a part, the bytes after it are requested while most of it is
// still arriving.
func TestBesideTheFirstAnswer(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	release, behind := make(chan struct{}), make(chan struct{})
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch r.Header.Get("Range") {
		case "bytes=0-1048575":
			o.stuck(w, r, 300_000, release)
			return true
		case "bytes=1048576-2097151":
			close(behind)
		}
		return noSuffix(w, r, n)
	})
	f := open(t, o, fetch.Options{Partial: true})
	readEnd(t, f)
	body, err := f.Range(t.Context(), 1000, 2*mib-1000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	<-behind // otherwise the test never ends
	close(release)
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, data[1000:2*mib]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := len(o.asked()); n != 4 { // including the suffix
		t.Errorf("requests: %s", lines(o.asked()))
	}
}

// When most of that part has arrived, the bytes after it follow on the same connection.
func TestConnectionOfTheFirstAnswer(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	release := make(chan struct{})
	var first, behind string
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch r.Header.Get("Range") {
		case "bytes=0-1048575":
			first = r.RemoteAddr
			o.stuck(w, r, 600_000, release)
			return true
		case "bytes=1048576-2097151":
			behind = r.RemoteAddr
		}
		return noSuffix(w, r, n)
	})
	f := open(t, o, fetch.Options{Partial: true})
	for at := int64(99_999); at < 600_000; at += 100_000 { // it waits until it is read
		if _, err := f.ReadAt(make([]byte, 1), at); err != nil {
			t.Fatal(err)
		}
	}
	readEnd(t, f) // it leaves its connection first
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

// If a part is wanted, the first answer waits on its connection. It serves bytes near its
// beginning, but not those far away.
func TestFirstAnswerWaits(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	o := serve(t, data, noSuffix)
	f := open(t, o, fetch.Options{Partial: true})
	readEnd(t, f)
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

// A file can be closed while its beginning is arriving, and so can a reader whose request
// has no answer yet.
func TestCloseDuringTheFirstAnswer(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	var o *object
	o = serve(t, content(3*mib), func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch {
		case n == 1:
			o.stuck(w, r, 300_000, never)
		case strings.HasPrefix(r.Header.Get("Range"), "bytes=1048576-"), strings.HasPrefix(r.Header.Get("Range"), "bytes=300000-"):
			<-r.Context().Done() // the second would continue a closed one
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

// An interrupted beginning is continued from the same object, or not at all.
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
	f := openLarge(t, o, fetch.Options{})
	for _, at := range []int64{299_999, f.Size() - 1} { // the end has arrived
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

// FuzzRanges reads a file concurrently in pieces of any sizes, some of them through
// ReadAt, and some only in part. The bytes are right. No byte is read twice, or requested
// twice unless bodies break off.
func FuzzRanges(f *testing.F) {
	whole := content(4 * mib)
	r := rand.New(rand.NewPCG(1, 2))
	for how := range uint8(64) {
		cuts := make([]byte, 2*r.IntN(12))
		for i := range cuts {
			cuts[i] = byte(r.UintN(256))
		}
		f.Add(r.Uint32N(3*mib), how, cuts)
	}
	f.Fuzz(func(t *testing.T, size uint32, how uint8, cuts []byte) {
		data := whole[:mib+size%(3*mib)+1]
		p := pieces{t: t, data: data, small: how&4 != 0, early: how&16 != 0, mixed: how&32 != 0}
		partial, breaks, opener := how&1 != 0, how&2 != 0, open
		if how&8 != 0 {
			opener = openLarge
		}
		var o *object
		o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
			if noSuffix(w, r, n); r.Header.Get("Range") == "" || !breaks || n%2 == 0 {
				return false
			}
			o.cut(w, r, 40_000+10_000*n, n%3 == 0)
			return true
		})
		p.file = opener(t, o, fetch.Options{Partial: partial})
		off := int64(0)
		for ; len(cuts) >= 2 && off < p.file.Size(); cuts = cuts[2:] {
			end := min(off+int64(binary.BigEndian.Uint16(cuts))*8, p.file.Size())
			p.read(off, end)
			off = end
		}
		p.read(off, p.file.Size())
		p.Wait()
		// Small reads request the blocks around them. Waiting bytes may be too far away,
		// and an early reader may drop bytes before its own.
		if p.small || p.mixed || partial {
			return
		}
		if twice := o.readTwice(); twice > 0 {
			t.Errorf("%d bytes were read twice: %s", twice, lines(o.asked()))
		}
		if twice := askedTwice(t, o.asked(), p.file.Size()); twice > 0 && !breaks {
			t.Errorf("%d bytes were asked for twice: %s", twice, lines(o.asked()))
		}
	})
}

// pieces reads a file concurrently in pieces.
type pieces struct {
	sync.WaitGroup
	t    *testing.T
	file *fetch.File
	data []byte

	small bool // small ones use ReadAt
	early bool // some are closed early
	mixed bool // readers are opened in any order
}

// read reads the bytes from off to end, and checks them.
func (p *pieces) read(off, end int64) {
	got := make([]byte, end-off)
	if p.small && end-off < 1000 && end > off {
		p.Go(func() {
			_, err := p.file.ReadAt(got, off)
			p.check(off, got, err)
		})
		return
	}
	if p.early && off%16 < 8 {
		got = got[:len(got)/2]
	}
	var body io.ReadCloser
	var err error
	open := func() { body, err = p.file.Range(p.t.Context(), off, end-off) }
	if !p.mixed {
		open()
	}
	p.Go(func() {
		if p.mixed {
			open()
		}
		if err == nil {
			_, err = io.ReadFull(body, got)
			err = errors.Join(err, body.Close())
		}
		p.check(off, got, err)
	})
}

func (p *pieces) check(off int64, got []byte, err error) {
	if err != nil || !bytes.Equal(got, p.data[off:off+int64(len(got))]) {
		p.t.Errorf("%d bytes from %d of %d: %v", len(got), off, len(p.data), err)
	}
}

// If GitLab itself serves the bytes, a large file's beginning and end take at most four
// requests, because each occupies its application server; storage gets more.
func TestRequestsForTheEnd(t *testing.T) {
	t.Parallel()
	data := content(40 * mib) // the end is 2 MiB of it
	for name, tt := range map[string]struct {
		redirected bool
		want       int
	}{"GitLab serves": {false, 4}, "storage serves": {true, 8}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, nil)
			f := openBehind(t, o, tt.redirected)
			if _, err := readRange(t, f, f.Size()-2*mib+100, 2*mib-100); err != nil {
				t.Fatal(err)
			}
			if asked := o.asked(); len(asked) != tt.want {
				t.Errorf("%d requests, want %d: %q", len(asked), tt.want, asked)
			}
		})
	}
}

// openBehind opens an object, with or without a redirect from another host.
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
