package fetch_test

import (
	"bytes"
	"crypto/sha256"
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
	"gitlab.com/artifetch/artifetch/internal/filelock"
)

// readCached opens the file with a cache and reads all of it.
func readCached(t *testing.T, o *object, url, dir string, want []byte) fetch.Stats {
	t.Helper()
	f, err := fetch.Open(t.Context(), url, fetch.Options{
		Client: o.Client(), CacheDir: dir, SpoolDir: t.TempDir(),
		OnCacheError: func(err error) {
			if !errors.Is(err, fetch.ErrNoETag) {
				t.Error(err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readRange(t, f, 0, f.Size())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	stats := f.Stats()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	return stats
}

func objects(t *testing.T, dir string) []string {
	t.Helper()
	return listed(t, filepath.Join(dir, "objects"), func(name string) bool { return !strings.HasPrefix(name, ".") })
}

// listed lists the files of a directory that may be missing; the name isn't a pattern.
func listed(t *testing.T, dir string, which func(name string) bool) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range entries {
		if which(e.Name()) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

func TestCache(t *testing.T) {
	t.Parallel()
	data := content(40 << 20)
	o := serve(t, data, nil)
	dir := filepath.Join(t.TempDir(), "cache")
	if s := readCached(t, o, o.URL, dir, data); s.Cached || s.Bytes != int64(len(data)) {
		t.Errorf("the first time: %+v", s)
	}
	for range 2 {
		if s := readCached(t, o, o.URL, dir, data); !s.Cached || s.Bytes != 0 || s.Requests != 1 {
			t.Errorf("the next time: %+v", s)
		}
	}
	if got := objects(t, dir); len(got) != 1 || filepath.Base(got[0]) != fmt.Sprintf("%x", sha256.Sum256(data)) {
		t.Errorf("objects: %v", got)
	}
	// A damaged object is downloaded again.
	if err := os.Truncate(objects(t, dir)[0], 5); err != nil {
		t.Fatal(err)
	}
	if s := readCached(t, o, o.URL, dir, data); s.Cached {
		t.Errorf("damaged: %+v", s)
	}
	// Even if its size is right.
	damaged, err := os.OpenFile(objects(t, dir)[0], os.O_RDWR, 0)
	if err == nil {
		_, err = damaged.WriteAt(make([]byte, 100), 1<<20)
		err = errors.Join(err, damaged.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if s := readCached(t, o, o.URL, dir, data); s.Cached {
		t.Errorf("damaged inside: %+v", s)
	}
	// So is a changed one.
	other := content(5 << 20)[1:]
	o.change(func(o *object) { o.data, o.etag = other, `"v2"` })
	if s := readCached(t, o, o.URL, dir, other); s.Cached {
		t.Errorf("changed: %+v", s)
	}
	if s := readCached(t, o, o.URL, dir, other); !s.Cached {
		t.Errorf("after the change: %+v", s)
	}
}

// Without an ETag that identifies the archive, nothing is cached, and the reason is
// reported.
func TestCacheNeedsAStrongETag(t *testing.T) {
	t.Parallel()
	for _, etag := range []string{"", `W/"v1"`, `W/"12ae32cb1ec02d01eda3581b127c1fee"`, `"12ae32cb1ec02d01eda3581b127c1fee"`} {
		data := content(3 << 20)
		o := serve(t, data, nil)
		o.etag = etag
		dir := t.TempDir()
		for range 2 {
			if s := readCached(t, o, o.URL, dir, data); s.Cached || len(objects(t, dir)) != 0 {
				t.Errorf("ETag %s: %+v, %v", etag, s, objects(t, dir))
			}
		}
		var said []error
		f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, OnCacheError: func(err error) { said = append(said, err) }})
		if err != nil || len(said) != 1 || !errors.Is(said[0], fetch.ErrNoETag) {
			t.Fatalf("ETag %s: %v, reported %v", etag, err, said)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// After a redirect, the storage says whether the archive is the same.
func TestCacheBehindARedirect(t *testing.T) {
	t.Parallel()
	data := content(2 << 20)
	o := serve(t, data, nil)
	gitlab := httptest.NewServer(http.RedirectHandler(o.URL+"/signed?for=now", http.StatusFound))
	t.Cleanup(gitlab.Close)
	dir := t.TempDir()
	readCached(t, o, gitlab.URL, dir, data)
	if s := readCached(t, o, gitlab.URL, dir, data); !s.Cached {
		t.Errorf("%+v", s)
	}
	gitlab.Client().CloseIdleConnections()
}

// The server's digest must be right.
func TestCacheComparesDigests(t *testing.T) {
	t.Parallel()
	data := content(1000)
	o := serve(t, data, nil)
	dir := t.TempDir()
	o.etag = `"` + strings.Repeat("ab", 32) + `"`
	_, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir})
	if wrong, ok := errors.AsType[*fetch.DigestError](err); !ok || wrong.Want != strings.Repeat("ab", 32) {
		t.Errorf("error = %v", err)
	}
	if left := objects(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	o.change(func(o *object) { o.etag = fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(data))) })
	readCached(t, o, o.URL, dir, data)
}

// If the cache can't be written, the archive is still readable.
func TestCacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	data := content(2 << 20)
	o := serve(t, data, nil)
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var why error
	f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, OnCacheError: func(err error) { why = err }})
	if err != nil || why == nil {
		t.Fatalf("%v, reported %v", err, why)
	}
	if got, err := readRange(t, f, 0, f.Size()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestCacheWithoutRanges(t *testing.T) {
	t.Parallel()
	data := content(2 << 20)
	o := serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		r.Header.Del("Range")
		return false
	})
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, data)
	if s := readCached(t, o, o.URL, dir, data); !s.Cached {
		t.Errorf("%+v", s)
	}
}

func TestCacheSharedByRuns(t *testing.T) {
	t.Parallel()
	data := content(5 << 20)
	o := serve(t, data, nil)
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() { readCached(t, o, o.URL, dir, data) })
	}
	group.Wait()
	if got := objects(t, dir); len(got) != 1 {
		t.Errorf("objects: %v", got)
	}
	if left := hidden(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A later run removes what killed runs have left in the cache, but nothing that may be in
// use.
func TestCacheIsSwept(t *testing.T) {
	t.Parallel()
	for _, name := range cacheNames() {
		t.Run(name, func(t *testing.T) { t.Parallel(); cacheIsSwept(t, filepath.Join(t.TempDir(), name)) })
	}
}

// cacheNames are names of directories, including patterns that match others.
func cacheNames() []string {
	names := []string{"cache", "cache[1]", "[", "{a,b}", "~"}
	if runtime.GOOS != "windows" { // it doesn't allow such names
		names = append(names, "c*", "c?che", `c\\ache`)
	}
	return names
}

func cacheIsSwept(t *testing.T, dir string) {
	t.Helper()
	old := time.Now().Add(-48 * time.Hour)
	want := map[string]bool{"objects/.artifetch-1": false, "refs/.artifetch-2": false, "objects/.artifetch-3alive": true, "objects/.artifetch-4": true, "objects/" + strings.Repeat("0", 64): true}
	for name := range want {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if name != "objects/.artifetch-4" {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	used, err := filelock.Take(filepath.Join(dir, "objects/.artifetch-4"), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(used.Release)
	data := content(1000)
	o := serve(t, data, nil)
	readCached(t, o, o.URL, dir, data)
	for name, alive := range want {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != alive {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cache that is too large loses the least recently used objects, never those in use.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	for _, name := range cacheNames() {
		t.Run(name, func(t *testing.T) { t.Parallel(); cacheIsBounded(t, filepath.Join(t.TempDir(), name)) })
	}
}

func cacheIsBounded(t *testing.T, dir string) {
	t.Helper()
	neighbour := filepath.Join(filepath.Dir(dir), "cache of a neighbour", "objects", strings.Repeat("0", 64))
	if err := errors.Join(os.MkdirAll(filepath.Dir(neighbour), 0o700), os.WriteFile(neighbour, make([]byte, 4000), 0o600)); err != nil {
		t.Fatal(err)
	}
	alive := filepath.Join(dir, "objects", ".of another run")
	if err := errors.Join(os.MkdirAll(filepath.Dir(alive), 0o700), os.WriteFile(alive, make([]byte, 5000), 0o600)); err != nil {
		t.Fatal(err)
	}
	cached := func(n byte, size int64) fetch.Stats {
		data := bytes.Repeat([]byte{n}, 1000)
		o := serve(t, data, nil)
		f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, CacheSize: size})
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, f, data)
		defer func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}()
		return f.Stats()
	}
	for n := range byte(5) {
		cached(n, 3500)
		time.Sleep(10 * time.Millisecond) // so file systems have different times
	}
	left := objects(t, dir)
	if len(left) != 3 {
		t.Errorf("%d objects are left", len(left))
	}
	for n := range byte(5) {
		_, err := os.Stat(filepath.Join(dir, "objects", sum(bytes.Repeat([]byte{n}, 1000))))
		if (err == nil) != (n >= 2) {
			t.Errorf("object %d: %v", n, err)
		}
	}
	cached(9, 10) // larger than the whole cache
	if left := objects(t, dir); len(left) != 1 {
		t.Errorf("%d objects are left", len(left))
	}
	for _, file := range []string{neighbour, alive} {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("removed: %v", err)
		}
	}
}

// Objects that are used again stay longer.
func TestCacheEvictsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second, third := content(1000), content(1001), content(1002)
	o, p, q := serve(t, first, nil), serve(t, second, nil), serve(t, third, nil)
	for _, use := range []struct {
		o    *object
		data []byte
	}{{o, first}, {p, second}, {o, first}, {q, third}} {
		f, err := fetch.Open(t.Context(), use.o.URL, fetch.Options{Client: use.o.Client(), CacheDir: dir, CacheSize: 2100})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Millisecond) // so file systems have different times
	}
	for name, want := range map[string]bool{sum(first): true, sum(second): false, sum(third): true} {
		if _, err := os.Stat(filepath.Join(dir, "objects", name)); (err == nil) != want {
			t.Errorf("%.8s: %v", name, err)
		}
	}
}
