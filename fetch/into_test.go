package fetch_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"gitlab.com/artifetch/artifetch/fetch"
)

// into opens a file with Into set to another one that isn't empty.
func into(t *testing.T, url string, o fetch.Options) (*os.File, fetch.Stats, error) {
	t.Helper()
	to, err := os.Create(filepath.Join(t.TempDir(), "to"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = to.Close() }) // only read
	if _, err := to.Write(bytes.Repeat([]byte("old"), 40<<20/3)); err != nil {
		t.Fatal(err)
	}
	o.Into = to
	f, err := fetch.Open(t.Context(), url, o)
	if err != nil {
		return to, fetch.Stats{}, err
	}
	stats := f.Stats()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	return to, stats, nil
}

// holds compares an open file with its expected content.
func holds(t *testing.T, f *os.File, want []byte) {
	t.Helper()
	info, err := f.Stat()
	if err != nil || info.Size() != int64(len(want)) {
		t.Fatalf("%v, %v", info, err)
	}
	got := make([]byte, len(want))
	if _, err := f.ReadAt(got, 0); err != nil && err != io.EOF || !bytes.Equal(got, want) {
		t.Errorf("other bytes; %v", err)
	}
}

// The whole archive is written to a file, with few requests: fewer if GitLab itself
// answers them. No byte is read twice. The most requests of 90 MiB are those of the end,
// and as many as division hands out if the first connection stays at its first MiB.
func TestInto(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size, direct, redirected int // bytes; requests
	}{{0, 1, 1}, {3000, 1, 1}, {1<<20 + 5, 1, 1}, {10 << 20, 4, 8}, {20<<20 + 7, 4, 16}, {90 << 20, 10, 38}} {
		data := content(tt.size)
		for _, redirected := range []bool{false, true} {
			o := serve(t, data, nil)
			url, most := o.URL, tt.direct
			if redirected {
				gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
				t.Cleanup(gitlab.Close)
				url, most = gitlab.URL, tt.redirected
			}
			to, stats, err := into(t, url, fetch.Options{Client: o.client()})
			if err != nil {
				t.Fatal(err)
			}
			holds(t, to, data)
			if n := len(o.asked()); n > most || o.readTwice() != 0 || stats.Spooled && tt.size > 0 {
				t.Errorf("%d bytes, redirected %v: %d requests, %d bytes twice, %+v: %q", tt.size, redirected, n, o.readTwice(), stats, o.asked())
			}
		}
	}
}

// In any order of the connections, parts from the back are worth a request, and all parts
// together are the whole file without overlaps.
func TestDivision(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for range 2000 {
		least := []int64{2 * mib, 16 * mib}[rand.IntN(2)]
		size := 4*mib + rand.Int64N(60*mib)
		others := 1 + rand.IntN(7)
		first, last := fetch.Divide(size, 4*mib, least, others)
		front, back := int64(0), size
		for front < back {
			take := []func() (int64, int64){first, last}[rand.IntN(2)]
			off, n := take()
			switch {
			case off == front:
				front += n
			case off+n == back && n >= mib && off >= 4*mib:
				back -= n
			case n > 0:
				t.Fatalf("%d bytes, from %d to %d left: got %d from %d", size, front, back, n, off)
			}
		}
		if _, n := first(); n != 0 || front != back {
			t.Fatalf("%d bytes: %d from the front, up to %d from the back, and %d more", size, front, back, n)
		}
	}
}

// If only one connection is allowed, it delivers everything.
func TestIntoByOneConnection(t *testing.T) {
	t.Parallel()
	data := content(20 << 20)
	o := serve(t, data, nil)
	to, _, err := into(t, o.URL, fetch.Options{Client: o.client(), Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, to, data)
	if n := len(o.asked()); n > 3 {
		t.Errorf("%d requests: %v", n, o.asked())
	}
}

// From any source: without ranges, from the cache, after interruptions.
func TestIntoFromElsewhere(t *testing.T) {
	t.Parallel()
	data := content(20 << 20)
	var o *object
	cut := func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n%2 == 0 {
			o.cut(w, r, 300_000, false)
		}
		return n%2 == 0
	}
	noRanges := func(w http.ResponseWriter, _ *http.Request, n int) bool {
		whole(w, data, len(data), map[bool]int{true: 70_000, false: -1}[n == 1])
		return true
	}
	for name, before := range map[string]func(http.ResponseWriter, *http.Request, int) bool{"cut": cut, "no ranges": noRanges, "cached": nil} {
		o = serve(t, data, before)
		opts := fetch.Options{Client: o.Client(), SHA256: sum(data)}
		if name == "cached" {
			opts.CacheDir = t.TempDir()
		}
		for range 2 {
			to, stats, err := into(t, o.URL, opts)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			holds(t, to, data)
			if stats.Spooled != (name == "no ranges") {
				t.Errorf("%s: %+v", name, stats)
			}
		}
	}
}

// Wrong bytes are an error.
func TestIntoIsChecked(t *testing.T) {
	t.Parallel()
	data := content(20 << 20)
	o := serve(t, data, nil)
	o.change(func(o *object) { o.etag = `"` + sum(data[1:]) + `"` })
	for _, asked := range []string{"", sum(data[2:])} {
		_, _, err := into(t, o.URL, fetch.Options{Client: o.Client(), SHA256: asked})
		if wrong, ok := errors.AsType[*fetch.DigestError](err); !ok || wrong.Asked != (asked != "") {
			t.Errorf("asked for %q: %v", asked, err)
		}
	}
	o.change(func(o *object) { o.etag = `"v1"` })
	changing := serve(t, data, nil)
	changing.before = func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 2 {
			changing.change(func(o *object) { o.etag = `"v2"` })
		}
		return false
	}
	if _, _, err := into(t, changing.URL, fetch.Options{Client: o.Client()}); !errors.Is(err, fetch.ErrChanged) {
		t.Errorf("error = %v, want that it has changed", err)
	}
}

// A moved project belongs to GitLab itself, although GitLab redirects to it: its requests
// are as expensive as any.
func TestMovedIsNotRedirected(t *testing.T) {
	t.Parallel()
	data := content(40 << 20)
	o := serve(t, data, nil)
	o.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		}
		return r.URL.Path == "/old"
	}
	f, err := fetch.Open(t.Context(), o.URL+"/old", fetch.Options{Client: o.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(o.asked()); f.Redirected() || n > 6 {
		t.Errorf("redirected %v, %d requests", f.Redirected(), n)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// Unreachable or avoided storage is an error of its own type; avoided storage gets no
// requests.
func TestStorageError(t *testing.T) {
	t.Parallel()
	storage := serve(t, content(3000), nil)
	gone := serve(t, nil, nil)
	gone.Close()
	for _, to := range []*object{storage, gone} {
		gitlab := httptest.NewServer(http.RedirectHandler(to.URL, http.StatusFound))
		t.Cleanup(gitlab.Close)
		servers := new(fetch.Servers)
		if to == storage {
			servers.Avoid(to.Listener.Addr().String())
		}
		_, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: to.Client(), Servers: servers})
		if away, ok := errors.AsType[*fetch.StorageError](err); !ok || away.Host != to.Listener.Addr().String() || len(to.asked()) > 0 {
			t.Errorf("%v, asked %v", err, to.asked())
		}
	}
	gitlab := serve(t, nil, nil)
	gitlab.Close()
	if _, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: gitlab.Client()}); err == nil || errors.As(err, new(*fetch.StorageError)) {
		t.Errorf("GitLab itself: %v", err)
	}
}

// The hasty client is only used for the first answer.
func TestHastyOpens(t *testing.T) {
	t.Parallel()
	data := content(40 << 20)
	o := serve(t, data, nil)
	opened := 0
	hasty := &http.Client{Transport: counting{o.Client().Transport, &opened}}
	to, _, err := into(t, o.URL, fetch.Options{Client: o.Client(), Hasty: hasty})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, to, data)
	if n := len(o.asked()); opened != 1 || n < 3 {
		t.Errorf("%d of %d requests were hasty", opened, n)
	}
}

// counting counts consecutive requests.
type counting struct {
	http.RoundTripper
	n *int
}

// RoundTrip implements [http.RoundTripper].
func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.n++
	return c.RoundTripper.RoundTrip(r)
}
