package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
)

// A 304 for another ETag than the requested one isn't an answer.
func TestCacheIsToldOfAnotherETag(t *testing.T) {
	t.Parallel()
	for _, etag := range []string{`W/"v1"`, `"v2"`} {
		data := content(2 << 20)
		o := serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Header.Get("If-None-Match") == "" {
				return false
			}
			w.Header().Set("ETag", etag)
			w.WriteHeader(http.StatusNotModified)
			return true
		})
		dir := t.TempDir()
		readCached(t, o, o.URL, dir, data)
		if s := readCached(t, o, o.URL, dir, data); s.Cached {
			t.Errorf("304 with %s taken for \"v1\"", etag)
		}
	}
}

// An unexpected 304 is an error.
func TestCacheUnasked304(t *testing.T) {
	t.Parallel()
	o := serve(t, content(100), func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusNotModified)
		return true
	})
	f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: t.TempDir()})
	if err == nil {
		t.Error("no error", f.Close())
	}
}

// A weak ETag in the cache isn't sent, however it got there.
func TestCacheHoldsAWeakETag(t *testing.T) {
	t.Parallel()
	data := content(2 << 20)
	o := serve(t, data, nil)
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, data)
	ref := refs(t, dir)[0]
	text, err := os.ReadFile(ref)
	if err != nil {
		t.Fatal(err)
	}
	weak := strings.Replace(string(text), `"\"v1\""`, `"W/\"v1\""`, 1)
	if err := os.WriteFile(ref, []byte(weak), 0o600); err != nil || weak == string(text) {
		t.Fatalf("%s: %v", text, err)
	}
	o.change(func(o *object) { o.etag = `W/"v1"` })
	if s := readCached(t, o, o.URL, dir, data); s.Cached {
		t.Errorf("%+v", s)
	}
}

// If only the ref can't be written, the archive isn't downloaded twice.
func TestCacheCannotRemember(t *testing.T) {
	t.Parallel()
	data := content(20 << 20)
	o := serve(t, data, nil)
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, data)
	ref := refs(t, dir)[0]
	if err := os.Remove(ref); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(ref, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	var why error
	f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, OnCacheError: func(err error) { why = err }})
	if err != nil || why == nil {
		t.Fatalf("%v, reported %v", err, why)
	}
	if got, err := readRange(t, f, 0, f.Size()); err != nil || !bytes.Equal(got, data) || f.Stats().Bytes != f.Size() {
		t.Errorf("%d bytes, %+v, %v", len(got), f.Stats(), err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if left := hidden(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// If GitLab itself sends the bytes, fewer parts are requested at the same time.
func TestCacheDownloadsGently(t *testing.T) {
	t.Parallel()
	data := make([]byte, 132<<20)
	for _, redirected := range []bool{false, true} {
		want := 3 // besides the first, which continues
		if redirected {
			want = 8 // the first ends early, and another one continues for it
		}
		parts := &crowd{want: want, gate: make(chan struct{})}
		o := serve(t, data, func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			parts.enter(r)
			return false
		})
		url := o.URL
		if redirected {
			gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
			t.Cleanup(gitlab.Close)
			url = gitlab.URL
		}
		f, err := fetch.Open(t.Context(), url, fetch.Options{Client: o.Client(), CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if parts.most != want {
			t.Errorf("redirected %v: %d parts at once, want %d", redirected, parts.most, want)
		}
	}
}

// crowd delays the requests for parts until the expected number has arrived, and a while
// longer, so it notices one too many.
type crowd struct {
	want int
	gate chan struct{}

	mu   sync.Mutex
	most int
}

func (c *crowd) enter(r *http.Request) {
	var first, last int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil || first == 0 || last-first <= 1<<20 {
		return // the first request, or the one for the end
	}
	c.mu.Lock()
	select {
	case <-c.gate:
	default:
		if c.most++; c.most == c.want {
			time.AfterFunc(100*time.Millisecond, func() { close(c.gate) })
		}
	}
	c.mu.Unlock()
	select {
	case <-c.gate:
	case <-r.Context().Done():
	case <-time.After(10 * time.Second): // fewer arrive than expected
	}
}

// No other user can read the cache, and it doesn't contain addresses.
func TestCacheIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("its files have no such modes")
	}
	data := content(3000)
	o := serve(t, data, nil)
	gitlab := httptest.NewServer(http.RedirectHandler(o.URL+"/?X-Amz-Signature=secret", http.StatusFound))
	t.Cleanup(gitlab.Close)
	dir := filepath.Join(t.TempDir(), "cache")
	readCached(t, o, gitlab.URL, dir, data)
	want := map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "objects"): 0o700, filepath.Join(dir, "refs"): 0o700, objects(t, dir)[0]: 0o600, refs(t, dir)[0]: 0o600}
	for name, mode := range want {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if text, err := os.ReadFile(refs(t, dir)[0]); err != nil || bytes.Contains(text, []byte("secret")) || bytes.Contains(text, []byte("http")) {
		t.Errorf("%s, %v", text, err)
	}
}

func refs(t *testing.T, dir string) []string {
	t.Helper()
	names := listed(t, filepath.Join(dir, "refs"), func(name string) bool { return strings.HasSuffix(name, ".json") })
	if len(names) == 0 {
		t.Fatal("no refs")
	}
	return names
}

// hidden lists leftovers of runs.
func hidden(t *testing.T, dir string) []string {
	t.Helper()
	isHidden := func(name string) bool { return strings.HasPrefix(name, ".") }
	return append(listed(t, filepath.Join(dir, "objects"), isHidden), listed(t, filepath.Join(dir, "refs"), isHidden)...)
}

// If a run is stopped while it reads the cache, it doesn't take the object for damaged.
func TestCacheOfAStoppedRun(t *testing.T) {
	t.Parallel()
	data := content(3 * mib)
	o := serve(t, data, nil)
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, data)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fetch.Open(ctx, o.URL, fetch.Options{Client: o.Client(), CacheDir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if s := readCached(t, o, o.URL, dir, data); !s.Cached {
		t.Errorf("%+v: the object is gone", s)
	}
}
