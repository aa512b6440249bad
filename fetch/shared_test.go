package fetch_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
)

// If twenty runs want the same archive at the same time, one downloads it.
func TestCacheIsShared(t *testing.T) {
	t.Parallel()
	const runs = 20
	var downloads, waiting atomic.Int64
	gate, open := make(chan struct{}), new(sync.Once)
	data := content(100_000)
	o := serve(t, data, func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("If-None-Match") != "" {
			return false
		}
		if downloads.Add(1) > 1 {
			open.Do(func() { close(gate) }) // one too many: the test fails below
		}
		<-gate
		return false
	})
	dir := t.TempDir()
	var group sync.WaitGroup
	for range runs {
		group.Go(func() {
			f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, OnCacheWait: func() {
				if waiting.Add(1) == runs-1 {
					open.Do(func() { close(gate) })
				}
			}})
			if err != nil {
				t.Error(err)
				return
			}
			if f.Size() != int64(len(data)) {
				t.Errorf("%d bytes", f.Size())
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if downloads.Load() != 1 || waiting.Load() != runs-1 {
		t.Errorf("%d downloads, %d runs waited", downloads.Load(), waiting.Load())
	}
	if left, err := filepath.Glob(filepath.Join(dir, "refs", "*.lock")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A changed archive is downloaded once, too: the other runs don't ask about the old one
// again.
func TestCacheIsSharedAfterAChange(t *testing.T) {
	t.Parallel()
	o := serve(t, content(1000), nil)
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, content(1000))
	o.change(func(o *object) { o.data, o.etag = content(2000), `"v2"` })
	if s := readCached(t, o, o.URL, dir, content(2000)); s.Cached || s.Requests != 2 {
		t.Errorf("%+v", s)
	}
}

// A waiting run ends with its context. If the other one fails, it downloads the archive
// itself.
func TestCacheWaitEnds(t *testing.T) {
	t.Parallel()
	data := content(1000)
	gate, asked := make(chan struct{}), make(chan struct{}, 10)
	o := serve(t, data, func(w http.ResponseWriter, _ *http.Request, n int) bool {
		asked <- struct{}{}
		if n > 1 {
			return false
		}
		<-gate
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	dir, failed := t.TempDir(), make(chan error)
	cached := func(ctx context.Context, waiting func()) error {
		f, err := fetch.Open(ctx, o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, OnCacheWait: waiting})
		if err == nil {
			err = f.Close()
		}
		return err
	}
	go func() { failed <- cached(t.Context(), nil) }()
	<-asked
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := cached(ctx, func() { cancel(why) }); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	if err := cached(t.Context(), func() { close(gate) }); err != nil {
		t.Errorf("behind one that failed: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("no error")
	}
}

// If no lock file can be created, each run downloads the archive itself.
func TestCacheWithoutLocks(t *testing.T) {
	t.Parallel()
	data := content(1000)
	o := serve(t, data, nil)
	dir := t.TempDir()
	readCached(t, o, o.URL, dir, data)
	ref := refs(t, dir)[0]
	if err := errors.Join(os.Remove(ref), os.Mkdir(strings.TrimSuffix(ref, ".json")+".lock", 0o700)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f, err := fetch.Open(ctx, o.URL, fetch.Options{Client: o.Client(), CacheDir: dir, OnCacheWait: func() { t.Error("it waits") }})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
