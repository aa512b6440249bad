package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/lateheader"
)

// site is a GitLab that redirects to storage, whose first answer can be delayed.
type site struct {
	*object // the storage

	url       string
	redirects atomic.Int32
	hold      chan struct{} // the first answer waits until it is closed; nil: it doesn't
	tail      chan struct{} // closed when that many parts of it have been requested
	want      int
	answer    func(w http.ResponseWriter, r *http.Request) bool // for the first answer; true: it has answered

	mu   sync.Mutex
	seen int
}

// isTail reports whether a request is for a part after the beginning.
func isTail(r *http.Request) bool {
	asked := r.Header.Get("Range")
	return asked != "" && !strings.HasPrefix(asked, "bytes=0-")
}

func newSite(t *testing.T, data []byte, want int) *site {
	t.Helper()
	s := &site{tail: make(chan struct{}), want: want}
	s.object = serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if isTail(r) {
			s.count()
			return false
		}
		if s.hold != nil {
			select {
			case <-s.hold:
			case <-r.Context().Done():
			}
		}
		return s.answer != nil && s.answer(w, r)
	})
	gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.redirects.Add(1)
		http.Redirect(w, r, s.URL+"/object"+strings.TrimSuffix(r.URL.Path, "/"), http.StatusFound)
	}))
	t.Cleanup(gitlab.Close)
	s.url = gitlab.URL
	return s
}

func (s *site) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen++; s.seen == s.want {
		close(s.tail)
	}
}

// open opens the file, and signals when it has.
func (s *site) open(t *testing.T, o fetch.Options) (*fetch.File, error) {
	t.Helper()
	o.Client, o.SpoolDir = s.client(), t.TempDir()
	f, err := fetch.Open(t.Context(), s.url, o)
	closeAtEnd(t, f)
	return f, err
}

// soon returns a channel with a size; without one if that is 0.
func soon(size int64) <-chan fetch.Listing {
	c := make(chan fetch.Listing, 1)
	if size > 0 {
		c <- fetch.Listing{Size: size}
	}
	return c
}

// If a listing has the size, the other connections start together with the first answer,
// which ends where they begin. No byte arrives twice.
func TestEarly(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10 * mib, 40 * mib} { // completely in memory, or not
		for name, o := range map[string]fetch.Options{"before": {Size: int64(size)}, "meanwhile": {Soon: soon(int64(size))}} {
			data := noise()[:min(size, 37*mib)]
			if size > len(data) {
				data = append(slices.Clone(data), data[:size-len(data)]...)
			}
			s := newSite(t, data, 7)
			s.hold = make(chan struct{})
			go func() {
				<-s.tail // otherwise the first answer never arrives
				close(s.hold)
			}()
			f, err := s.open(t, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readRange(t, f, 0, f.Size())
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			asked := s.asked()
			if slices.Contains(asked, "bytes=0-") || len(asked) != 8 && size <= 16*mib || s.redirects.Load() != 1 {
				t.Errorf("%s: %d redirects, requests: %s", name, s.redirects.Load(), lines(asked))
			}
			if twice := askedTwice(t, asked, int64(size)); twice > 0 || s.readTwice() > 0 {
				t.Errorf("%s: %d bytes were asked for twice, %d were read twice: %s", name, twice, s.readTwice(), lines(asked))
			}
		}
	}
}

// If the size arrives after the redirect, its requests start then. If it doesn't arrive
// before the first answer, nothing waits for it.
func TestSizeAfterTheRedirect(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	for _, comes := range []bool{true, false} {
		s := newSite(t, data, 7)
		s.hold = make(chan struct{})
		size := make(chan fetch.Listing)
		go func() {
			for s.redirects.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			if comes {
				size <- fetch.Listing{Size: int64(len(data))}
				<-s.tail
			}
			close(s.hold)
		}()
		f, err := s.open(t, fetch.Options{Soon: size})
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, f, data)
		if n := s.readTwice(); n > 0 {
			t.Errorf("comes %v: %d bytes were read twice: %s", comes, n, lines(s.asked()))
		}
	}
}

// The listed size may be that of another archive: it only costs requests.
func TestWrongSize(t *testing.T) {
	t.Parallel()
	const size = 5 * mib
	data := content(size)
	for _, listed := range []int64{1, 3 * mib, size - 1, size + 1, 10 * mib, 40 * mib, 1 << 50} {
		for range 3 { // its answers arrive before and after the first
			s := newSite(t, data, 1)
			f, err := s.open(t, fetch.Options{Soon: soon(listed)})
			if err != nil {
				t.Fatalf("listed %d: %v", listed, err)
			}
			readAll(t, f, data)
			if f.Size() != size {
				t.Errorf("size = %d", f.Size())
			}
			if err := f.Close(); err != nil { // again at the end
				t.Error(err)
			}
		}
		// The tail is answered before the first request.
		s := newSite(t, data, 1)
		s.hold = make(chan struct{})
		go func() {
			select {
			case <-s.tail:
				time.Sleep(20 * time.Millisecond)
			case <-time.After(100 * time.Millisecond): // nothing else is requested
			}
			close(s.hold)
		}()
		f, err := s.open(t, fetch.Options{Soon: soon(listed)})
		if err != nil {
			t.Fatalf("listed %d: %v", listed, err)
		}
		readAll(t, f, data)
	}
}

// A file whose size differs from GitLab's listing isn't the listed one, whichever part is
// requested. Nothing of it is read.
func TestListedSize(t *testing.T) {
	t.Parallel()
	const size = 5 * mib
	data := content(size)
	zip := append([]byte("PK\x03\x04"), data[:1000]...)
	asWhole := func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Range"); return false }
	for _, listed := range []int64{1, 3 * mib, size - 1, size + 1, 40 * mib, 1 << 50} {
		for _, o := range []fetch.Options{{Size: listed}, {Size: listed, Partial: true}, {Size: listed, Connections: 1}} {
			s := newSite(t, data, 1)
			_, err := s.open(t, o)
			if wrong, ok := errors.AsType[*fetch.SizeError](err); !ok || *wrong != (fetch.SizeError{Listed: listed, Sent: size}) || !errors.Is(err, fetch.ErrChanged) {
				t.Errorf("%+v: %v", o, err)
			}
		}
		s := newSite(t, zip, 1)
		s.answer = asWhole
		if _, err := s.open(t, fetch.Options{Size: listed}); !errors.Is(err, fetch.ErrChanged) {
			t.Errorf("listed %d, a whole archive of %d bytes: %v", listed, len(zip), err)
		}
	}
	s := newSite(t, zip, 1)
	s.answer = asWhole
	if _, err := s.open(t, fetch.Options{Size: int64(len(zip))}); err != nil {
		t.Error(err)
	}
}

// The first answer decides what happens to the tail.
func TestFirstAnswerOfARedirect(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request) bool
		wrong  bool
	}{
		{"an error", func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusTeapot); return true }, true},
		{"the whole", func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Range"); return false }, false},
		{"nonsense, and then the whole", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusPartialContent)
			}
			return r.Header.Get("Range") != ""
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, data, 7)
			s.hold, s.answer = make(chan struct{}), tt.answer
			go func() {
				<-s.tail
				close(s.hold)
			}()
			f, err := s.open(t, fetch.Options{Size: int64(len(data)), Check: checkStatus})
			if (err != nil) != tt.wrong {
				t.Fatalf("error = %v", err)
			}
			if err == nil {
				readAll(t, f, data)
			}
		})
	}
}

// If a pre-signed address has expired before the first request, it is renewed once, for
// the first answer and the tail.
func TestTailOfAnExpiredAddress(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	var redirects, refused atomic.Int32
	storage := serve(t, data, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == "/1" {
			refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
		}
		return r.URL.Path == "/1"
	})
	gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := redirects.Add(1); n > 1 {
			for refused.Load() < 8 { // all of them
				time.Sleep(time.Millisecond)
			}
			http.Redirect(w, r, storage.URL+"/2", http.StatusFound)
			return
		}
		http.Redirect(w, r, storage.URL+"/1", http.StatusFound)
	}))
	defer gitlab.Close()
	f, err := fetch.Open(t.Context(), gitlab.URL, fetch.Options{Client: storage.client(), Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, f)
	readAll(t, f, data)
	if n := redirects.Load(); n != 2 || storage.readTwice() > 0 {
		t.Errorf("GitLab was asked %d times, want 2; %d bytes were read twice: %s", n, storage.readTwice(), lines(storage.asked()))
	}
}

// Bytes of two objects never mix, whichever answer arrives first.
func TestTailOfAnotherObject(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	for _, tailFirst := range []bool{true, false} {
		s := newSite(t, data, 7)
		s.hold = make(chan struct{})
		before := s.object.before
		s.object.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
			if before(w, r, n) || !isTail(r) {
				return false
			}
			w.Header().Set("ETag", `"v2"`)
			r.Header.Del("If-Range")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return true
		}
		if !tailFirst {
			close(s.hold)
		} else {
			go func() {
				<-s.tail
				close(s.hold)
			}()
		}
		f, err := s.open(t, fetch.Options{Size: int64(len(data))})
		if err == nil {
			_, err = readRange(t, f, 0, f.Size())
		}
		if !errors.Is(err, fetch.ErrChanged) {
			t.Errorf("tail first %v: error = %v, want ErrChanged", tailFirst, err)
		}
	}
}

// If-Range contains the first answer's ETag, and isn't sent before that is known.
func TestIfRangeOfTheTail(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	var with, without atomic.Int32
	s := newSite(t, data, 7)
	before := s.object.before
	s.object.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch r.Header.Get("If-Range") {
		case "":
			without.Add(1)
		case `"v1"`:
			with.Add(1)
		default:
			t.Errorf("If-Range = %s", r.Header.Get("If-Range"))
		}
		if isTail(r) && without.Load() > 0 && with.Load() == 0 && r.Header.Get("If-Range") == "" {
			s.count()
			s.cut(w, r, 100_000, false) // the rest is requested after the first answer
			return true
		}
		return before(w, r, n)
	}
	s.hold = make(chan struct{})
	go func() {
		<-s.tail
		close(s.hold)
	}()
	f, err := s.open(t, fetch.Options{Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, f, data)
	if with.Load() == 0 || without.Load() != 8 {
		t.Errorf("%d requests with If-Range, %d without; want some and 8", with.Load(), without.Load())
	}
}

// Open ends with its context, whatever it is waiting for, and leaves nothing behind.
func TestStopBeforeTheFirstAnswer(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]fetch.Options{"size known": {Size: 10 * mib}, "size never told": {Soon: make(chan fetch.Listing)}, "size unknown": {}} {
		for _, redirects := range []bool{true, false} {
			s := newSite(t, content(10*mib), 7)
			s.hold = make(chan struct{})
			url := s.url
			if !redirects {
				url = s.URL
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("why")
			go func() {
				switch {
				case redirects && o.Size > 0:
					<-s.tail
				default:
					for len(s.asked()) == 0 {
						time.Sleep(time.Millisecond)
					}
				}
				cancel(why)
			}()
			o.Client = s.client()
			f, err := fetch.Open(ctx, url, o)
			if err == nil {
				t.Errorf("%s: no error", name)
				closeAtEnd(t, f)
			}
		}
	}
}

// A server without range support gets early requests for only one file of a run.
func TestNoTailWithoutRanges(t *testing.T) {
	t.Parallel()
	data := content(10 * mib)
	s := newSite(t, data, 1)
	var mu sync.Mutex
	requests := make(map[string]int) // by path: those of the first file may arrive during the second
	before := s.object.before
	s.object.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		mu.Lock()
		requests[r.URL.Path]++
		mu.Unlock()
		defer r.Header.Del("Range")
		return before(w, r, n)
	}
	var servers fetch.Servers
	gitlab := s.url
	for i := range 3 {
		path := "/" + strconv.Itoa(i)
		s.url = gitlab + path
		f, err := s.open(t, fetch.Options{Size: int64(len(data)), Servers: &servers})
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, f, data)
		mu.Lock()
		if n := requests["/object"+path]; i > 0 && n != 1 {
			t.Errorf("file %d: %d requests", i, n)
		}
		mu.Unlock()
	}
}

// distant is a client whose connections to storage are made when that many of them are
// wanted. It sends the size when the first one is.
type distant struct {
	storage string // host and port
	wanted  int
	tell    func()

	mu     sync.Mutex
	dialed int
	all    chan struct{} // closed when all are wanted
}

func (d *distant) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address == d.storage {
		d.mu.Lock()
		if d.dialed++; d.dialed == 1 {
			d.tell()
		}
		if d.dialed == d.wanted {
			close(d.all)
		}
		d.mu.Unlock()
		select {
		case <-d.all:
		case <-time.After(10 * time.Second): // they won't arrive; the test notices
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// lateTransport changes the headers of requests once they have a connection.
type lateTransport struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (l lateTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return l.Transport.RoundTrip(lateheader.Apply(r))
}

// A listing may have the size while storage is being connected: then the connections for
// the other parts are opened at the same time, and the first request only requests bytes
// that are read on its connection. A small file has one connection.
func TestSizeBeforeTheConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size, connections int
		first             string
	}{
		{300_000, 1, "bytes=0-16777215"},
		{1_000_000, 2, "bytes=0-499999"},
		{10 * mib, 8, "bytes=0-1310719"},
		{40 * mib, 8, "bytes=0-4194303"},
	} {
		data := slices.Concat(noise(), noise())[:tt.size]
		s := newSite(t, data, 0)
		size := make(chan fetch.Listing, 1)
		d := &distant{storage: strings.TrimPrefix(s.URL, "http://"), wanted: tt.connections, all: make(chan struct{})}
		d.tell = func() { size <- fetch.Listing{Size: int64(tt.size)} }
		transport := lateTransport{&http.Transport{DialContext: d.dial, MaxIdleConnsPerHost: 16}}
		t.Cleanup(transport.CloseIdleConnections)
		f, err := fetch.Open(t.Context(), s.url, fetch.Options{Client: &http.Client{Transport: transport}, Soon: size})
		if err != nil {
			t.Fatal(err)
		}
		closeAtEnd(t, f)
		for _, off := range []int{0, max(tt.size-2*mib+100, 0)} { // requested at the same time
			n := min(4*mib, tt.size-off)
			if got, err := readRange(t, f, int64(off), int64(n)); err != nil || !bytes.Equal(got, data[off:off+n]) {
				t.Errorf("%d bytes: %d from %d, %v", tt.size, len(got), off, err)
			}
		}
		if tt.size <= 16*mib {
			readAll(t, f, data)
		}
		asked := s.asked()
		if twice := askedTwice(t, asked, int64(tt.size)); !slices.Contains(asked, tt.first) || twice > 0 || len(asked) != tt.connections {
			t.Errorf("%d bytes: %d were asked for twice: %s", tt.size, twice, lines(asked))
		}
		if d.mu.Lock(); d.dialed != tt.connections {
			t.Errorf("%d bytes: %d connections to storage, want %d", tt.size, d.dialed, tt.connections)
		}
		d.mu.Unlock()
	}
}

// After a redirect, the first request asks for as much as stays in memory of a small
// file. For a larger file, its connection delivers that much, and the rest is requested
// separately. No byte is requested twice.
func TestFirstRequestHasAnEnd(t *testing.T) {
	t.Parallel()
	data := slices.Concat(noise(), noise())[:40*mib]
	s := newSite(t, data, 0)
	f, err := s.open(t, fetch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Onward() != 16*mib {
		t.Errorf("the first connection brings %d bytes", f.Onward())
	}
	if got, err := readRange(t, f, 0, f.Size()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	asked := s.asked()
	if twice := askedTwice(t, asked, f.Size()); twice > 0 || !slices.Contains(asked, "bytes=0-16777215") || !slices.ContainsFunc(asked, func(r string) bool { return strings.HasPrefix(r, "bytes=16777216-") }) {
		t.Errorf("%d bytes were asked for twice: %s", twice, lines(asked))
	}
}
