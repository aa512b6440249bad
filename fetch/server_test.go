package fetch_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gitlab.com/artifetch/artifetch/fetch"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// content returns n bytes without repetitions.
func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}

// object is a server of one file.
type object struct {
	*httptest.Server
	data   []byte
	etag   string
	before func(w http.ResponseWriter, r *http.Request, n int) bool // true: it has answered; n counts from 1

	mu       sync.Mutex
	requests []string // Range headers
	read     []span   // what clients read of its answers
}

type span struct{ off, end int64 }

// client returns a client that records what is read.
func (o *object) client() *http.Client { return &http.Client{Transport: &witness{o}} }

// witness records what is read of an object.
type witness struct{ *object }

// RoundTrip implements [http.RoundTripper].
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.Client().Transport.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusPartialContent {
		b := &witnessed{ReadCloser: resp.Body, o: w.object}
		_, _ = fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &b.off) // 0 if it is missing
		resp.Body = b
	}
	return resp, err
}

// witnessed is a body that records what is read of it.
type witnessed struct {
	io.ReadCloser
	o   *object
	off int64
}

// Read implements [io.Reader].
func (b *witnessed) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.o.mu.Lock()
	defer b.o.mu.Unlock()
	b.o.read = append(b.o.read, span{b.off, b.off + int64(n)})
	b.off += int64(n)
	return n, err
}

// readTwice counts the bytes that were read more than once.
func (o *object) readTwice() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return overlap(slices.Clone(o.read))
}

// overlap counts the bytes that are in more than one span.
func overlap(spans []span) (twice int64) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	var reached int64
	for _, s := range spans {
		twice += max(min(reached, s.end)-s.off, 0)
		reached = max(reached, s.end)
	}
	return twice
}

func serve(t *testing.T, data []byte, before func(w http.ResponseWriter, r *http.Request, n int) bool) *object {
	t.Helper()
	o := &object{data: data, etag: `"v1"`, before: before}
	o.Server = httptest.NewServer(o)
	t.Cleanup(func() { o.CloseClientConnections(); o.Close() })
	return o
}

// ServeHTTP implements [http.Handler].
func (o *object) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.requests = append(o.requests, r.Header.Get("Range"))
	n, data, etag, before := len(o.requests), o.data, o.etag, o.before
	o.mu.Unlock()
	if before != nil && before(w, r, n) {
		return
	}
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// change changes the object between requests.
func (o *object) change(how func(o *object)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	how(o)
}

func (o *object) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.requests...)
}

func open(t *testing.T, o *object, opts fetch.Options) *fetch.File {
	t.Helper()
	f, err := tryOpen(t, o, opts)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tryOpen(t *testing.T, o *object, opts fetch.Options) (*fetch.File, error) {
	t.Helper()
	opts.Client = o.client()
	opts.SpoolDir = t.TempDir()
	f, err := fetch.Open(t.Context(), o.URL+"/archive", opts)
	closeAtEnd(t, f)
	return f, err
}

// openLarge opens a file as if it were larger than 16 MiB: the first MiB and the end are
// in memory.
func openLarge(t *testing.T, o *object, opts fetch.Options) *fetch.File {
	t.Helper()
	return openLargeAt(t, o, o.URL+"/archive", opts)
}

func openLargeAt(t *testing.T, o *object, url string, opts fetch.Options) *fetch.File {
	t.Helper()
	opts.Client = o.client()
	f, err := fetch.OpenSized(t.Context(), url, opts, mib, mib)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, f)
	return f
}

func closeAtEnd(t *testing.T, f *fetch.File) {
	t.Helper()
	if f == nil {
		return
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

// readEnd waits for the end of the file.
func readEnd(t *testing.T, f *fetch.File) {
	t.Helper()
	if _, err := f.ReadAt(make([]byte, 1), f.Size()-1); err != nil {
		t.Fatal(err)
	}
}

func readRange(t *testing.T, f *fetch.File, off, n int64) ([]byte, error) {
	t.Helper()
	r, err := f.Range(t.Context(), off, n)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(r)
}

// hangUp closes the connection.
func hangUp(w http.ResponseWriter, reset bool) {
	_ = http.NewResponseController(w).Flush()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// cut sends the requested range, but only n bytes of it.
func (o *object) cut(w http.ResponseWriter, r *http.Request, n int, reset bool) {
	data, ok := o.begin(w, r)
	if !ok {
		return
	}
	_, _ = w.Write(data[:min(n, len(data))])
	hangUp(w, reset)
}

// begin sends the headers of the requested range, and returns its bytes.
func (o *object) begin(w http.ResponseWriter, r *http.Request) (data []byte, ok bool) {
	var first, last int
	if n, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); n == 1 && first >= 0 {
		last = len(o.data) - 1
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil, false
	}
	last = min(last, len(o.data)-1)
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(o.data)))
	w.Header().Set("Content-Length", fmt.Sprint(last+1-first))
	w.WriteHeader(http.StatusPartialContent)
	return o.data[first : last+1], true
}

func lines(list []string) string { return strings.Join(list, " ") }
