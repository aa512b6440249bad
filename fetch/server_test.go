package fetch_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
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

// content is n bytes that no part of which repeats.
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
	opts.Client = o.Client()
	opts.SpoolDir = t.TempDir()
	f, err := fetch.Open(t.Context(), o.URL+"/archive", opts)
	if f != nil {
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return f, err
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

// hangUp breaks the connection off.
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

// cut sends the range that was asked for, but only n bytes of it.
func (o *object) cut(w http.ResponseWriter, r *http.Request, n int, reset bool) {
	data, ok := o.begin(w, r)
	if !ok {
		return
	}
	_, _ = w.Write(data[:min(n, len(data))])
	hangUp(w, reset)
}

// begin sends the headers of the range that was asked for, and returns its bytes.
func (o *object) begin(w http.ResponseWriter, r *http.Request) (data []byte, ok bool) {
	var first, last int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil {
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
