package fetch_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// step is a range that is read completely or in part.
type step struct {
	off, n, read int64
	cancel       bool // its context ends before it is closed
}

// One reader after the other continues on the connection of the first answer, as long as
// each is read to its end and the next one begins there, or shortly after. Any other
// reader makes its own request.
func TestOnward(t *testing.T) {
	t.Parallel()
	const gap = 128 << 10
	data := content(8 * mib) // the first MiB and the last half are in memory
	whole := func(off, n int64) step { return step{off, n, n, false} }
	tests := []struct {
		name  string
		steps []step
		want  string // their own requests
	}{
		{"one after the other", []step{whole(mib, mib), whole(2*mib, mib), whole(3*mib, 4*mib)}, ""},
		{"from within the first answer", []step{whole(0, 2*mib), whole(2*mib, mib)}, ""},
		{"into the end", []step{whole(mib, 7*mib)}, ""},
		{"a gap", []step{whole(mib+gap, 1000), whole(mib+gap+1000+gap, 1000)}, ""},
		{"too large a gap", []step{whole(mib+gap+1, 1000), whole(mib, 1000)}, "bytes=1179649-1180648"},
		{"back", []step{whole(mib, mib), whole(mib, 1000), whole(2*mib, 1000)}, "bytes=1048576-1049575"},
		{"closed early", []step{{mib, mib, 1000, false}, whole(mib+1000, 1000)}, "bytes=1049576-1050575"},
		{"closed early, in the first answer", []step{{0, 2 * mib, 1000, false}, whole(1000, mib), whole(mib, 1000)}, "bytes=1048576-1049575 bytes=1048576-1049575"},
		{"canceled", []step{{mib, mib, 1000, true}, whole(mib+1000, 1000)}, "bytes=1049576-1050575"},
		{"canceled when it was read", []step{{mib, mib, mib, true}, whole(2*mib, 1000)}, "bytes=2097152-2098151"},
		{"empty", []step{whole(mib, 0), whole(mib, mib)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, nil)
			f := openLarge(t, o, fetch.Options{})
			readEnd(t, f)
			if tt.name == "closed early, in the first answer" {
				readAt(t, f, mib-1) // make sure it has arrived
			}
			before := len(o.asked())
			for _, s := range tt.steps {
				s.do(t, f, data)
			}
			if got := lines(o.asked()[before:]); got != tt.want && tt.name != "closed early, in the first answer" || len(o.asked())-before > 2 {
				t.Errorf("requests\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func readAt(t *testing.T, f *fetch.File, off int64) {
	t.Helper()
	if _, err := f.ReadAt(make([]byte, 1), off); err != nil {
		t.Fatal(err)
	}
}

func (s step) do(t *testing.T, f *fetch.File, data []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body, err := f.Range(ctx, s.off, s.n)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, s.read)
	if _, err := io.ReadFull(body, got); err != nil || !bytes.Equal(got, data[s.off:s.off+s.read]) {
		t.Errorf("%+v: %v", s, err)
	}
	if s.cancel {
		cancel()
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%+v: read after close: %v", s, err)
	}
}

// While one reader uses the connection of the first answer, others have their own.
func TestOnwardIsForOne(t *testing.T) {
	t.Parallel()
	data := content(8 * mib)
	o := serve(t, data, nil)
	f := openLarge(t, o, fetch.Options{})
	readEnd(t, f)
	var group sync.WaitGroup
	for range 4 {
		body, err := f.Range(t.Context(), mib, 2*mib)
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			got, err := io.ReadAll(body)
			if err = errors.Join(err, body.Close()); err != nil || !bytes.Equal(got, data[mib:3*mib]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	group.Wait()
	if got, want := lines(o.asked()[len(o.asked())-3:]), "bytes=1048576-3145727 bytes=1048576-3145727 bytes=1048576-3145727"; got != want || len(o.asked()) != 5 {
		t.Errorf("requests: %s", lines(o.asked()))
	}
}

// Readers begin in any order. If one of them skips bytes on the connection, another one
// gets them from there; if another one has requested them, none skips them.
func TestGaps(t *testing.T) {
	t.Parallel()
	data := content(8 * mib)
	type reads struct{ off, n int64 }
	tests := []struct {
		name         string
		begin, close []reads // in this order
		want         int     // requests
	}{
		{"the second first", []reads{{mib + 100, mib}, {mib, 100}}, []reads{{mib + 100, mib}, {mib, 100}}, 0},
		{"and read first", []reads{{mib + 100, mib}, {mib, 100}}, []reads{{mib, 100}, {mib + 100, mib}}, 0},
		{"parts", []reads{{mib + 100, mib}, {mib, 60}, {mib + 60, 40}}, []reads{{mib + 60, 40}, {mib, 60}, {mib + 100, mib}}, 0},
		{"from within the first answer", []reads{{mib + 100, mib}, {mib - 1000, 1100}}, []reads{{mib - 1000, 1100}, {mib + 100, mib}}, 0},
		{"beyond the gap", []reads{{mib + 100, mib}, {mib, 101}}, []reads{{mib, 101}, {mib + 100, mib}}, 1},
		{"given up", []reads{{mib + 100, mib}, {mib, 100}}, []reads{{mib + 100, 0}, {mib, 100}}, 1},
		{"requested by another", []reads{{mib, mib}, {2 * mib, 100}}, []reads{{mib, mib}, {2 * mib, 100}, {2*mib + 100, 100}}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := serve(t, data, nil)
			f := openLarge(t, o, fetch.Options{})
			readEnd(t, f)
			readAt(t, f, mib-1)
			before := len(o.asked())
			bodies := map[int64]io.ReadCloser{}
			begin := func(off, n int64) {
				body, err := f.Range(t.Context(), off, n)
				if err != nil {
					t.Fatal(err)
				}
				bodies[off] = body
			}
			for _, r := range tt.begin {
				begin(r.off, r.n)
			}
			for _, r := range tt.close {
				if bodies[r.off] == nil {
					begin(r.off, r.n)
				}
				got := make([]byte, r.n)
				_, err := io.ReadFull(bodies[r.off], got)
				if err = errors.Join(err, bodies[r.off].Close()); err != nil || !bytes.Equal(got, data[r.off:r.off+r.n]) {
					t.Errorf("%+v: %v", r, err)
				}
			}
			// A connection that is being given up may deliver a few more bytes.
			if asked := o.asked()[before:]; len(asked) != tt.want && (tt.name != "given up" || len(asked) > 0) || tt.name != "beyond the gap" && o.readTwice() > 0 {
				t.Errorf("%d bytes read twice, requests: %s", o.readTwice(), lines(asked))
			}
		})
	}
}

// If a connection breaks off after the first answer's part, it is resumed there.
func TestOnwardResumes(t *testing.T) {
	t.Parallel()
	data := content(8 * mib)
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			o.cut(w, r, 3*mib, false)
		}
		return n == 1
	})
	f := openLarge(t, o, fetch.Options{})
	readEnd(t, f)
	for off := int64(mib); off < 6*mib; off += mib {
		step{off, mib, mib, false}.do(t, f, data)
	}
	if s := f.Stats(); s.Requests != 3 || s.Resumes != 1 || o.readTwice() > 0 {
		t.Errorf("%+v, %d bytes were read twice: %s", s, o.readTwice(), lines(o.asked()))
	}
}

// live counts a transport's answers that are neither read to their end nor closed.
type live struct {
	http.RoundTripper

	mu        sync.Mutex
	now, most int
}

// RoundTrip implements [http.RoundTripper].
func (l *live) RoundTrip(r *http.Request) (*http.Response, error) {
	l.add(1)
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		l.add(-1)
		return nil, err
	}
	resp.Body = &liveBody{ReadCloser: resp.Body, live: l}
	return resp, nil
}

func (l *live) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now += n
	l.most = max(l.most, l.now)
}

type liveBody struct {
	io.ReadCloser
	live *live
	once sync.Once
}

// Read implements [io.Reader].
func (b *liveBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once.Do(func() { b.live.add(-1) })
	}
	return n, err
}

// Close implements [io.Closer].
func (b *liveBody) Close() error {
	b.once.Do(func() { b.live.add(-1) })
	return b.ReadCloser.Close()
}

// There are never more connections than allowed; each reader of a range takes one.
func TestConnections(t *testing.T) {
	t.Parallel()
	small, large := zipped(t, zip.Store, several(12, 700_000)...), zipped(t, zip.Store, several(40, 700_000)...)
	for _, connections := range []int{1, 2, 3} {
		for name, archive := range map[string][]byte{"small": small, "large": large} {
			for _, partial := range []bool{false, true} {
				for _, suffix := range []bool{false, true} {
					for _, redirected := range []bool{false, true} {
						o := serve(t, archive, nil)
						if !suffix {
							o.before = noSuffix
						}
						url := o.URL
						if redirected {
							gitlab := httptest.NewServer(http.RedirectHandler(o.URL, http.StatusFound))
							t.Cleanup(gitlab.Close)
							url = gitlab.URL
						}
						l := &live{RoundTripper: o.Client().Transport}
						opts := fetch.Options{Client: &http.Client{Transport: l}, Connections: connections, Partial: partial, Size: int64(len(archive))}
						if suffix {
							opts.Size = 0
						}
						f, err := fetch.Open(t.Context(), url, opts)
						if err != nil {
							t.Fatal(err)
						}
						how := extract.Options{Pace: extract.Pace{Workers: connections, Connections: connections}}
						if partial {
							how.Include = []string{"**/*0?.bin"}
						}
						extractAll(t, f, how)
						if err := f.Close(); err != nil {
							t.Error(err)
						}
						if l.most > connections || l.now != 0 {
							t.Errorf("%s, at most %d, partial %v, suffix %v, redirected %v: %d connections at once, %d are left",
								name, connections, partial, suffix, redirected, l.most, l.now)
						}
					}
				}
			}
		}
	}
}

// If GitLab itself serves an archive, few requests fetch it, four at a time, even if the
// beginning isn't wanted and so nothing continues on its connection.
func TestRequestsToGitLab(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 4, 5, 8, 10, 12, 15, 17, 20, 24, 29, 33, 50} {
		archive := zipped(t, zip.Store, several(size*4, mib/4)...)
		for _, exclude := range [][]string{nil, {"**/*00[012]?.bin"}} {
			if exclude != nil && size < 17 {
				continue
			}
			o := serve(t, archive, nil)
			l := &live{RoundTripper: o.Client().Transport}
			f, err := fetch.Open(t.Context(), o.URL, fetch.Options{Client: &http.Client{Transport: l}})
			if err != nil {
				t.Fatal(err)
			}
			extractAll(t, f, extract.Options{
				Pace:      extract.Pace{Workers: 8, Connections: 16, Costly: true},
				Selection: extract.Selection{Exclude: exclude},
			})
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if n, most := len(o.asked()), max(2, len(archive)>>22+2); n > most || l.most > 4 || len(archive) <= 2*mib && n > 1 {
				t.Errorf("%d bytes without %v: %d requests, want at most %d; %d at once: %s", len(archive), exclude, n, most, l.most, lines(o.asked()))
			}
		}
	}
}

// Ahead is what is in memory, which doesn't show how fast a connection is.
func TestAhead(t *testing.T) {
	t.Parallel()
	data := content(8 * mib)
	release := make(chan struct{})
	var o *object
	o = serve(t, data, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			o.stuck(w, r, 300_000, release)
		}
		return n == 1
	})
	f := openLarge(t, o, fetch.Options{})
	if _, err := readRange(t, f, f.Size()-mib/2, mib/2); err != nil {
		t.Fatal(err)
	}
	readAt(t, f, 299_999)
	if got := f.Ahead(); got != 300_000+mib/2 {
		t.Errorf("%d bytes are ahead, want the beginning and the end", got)
	}
	close(release)
	readAt(t, f, mib-1)
	if got := f.Ahead(); got != mib+mib/2 {
		t.Errorf("%d bytes are ahead", got)
	}
}

// patient is a server that ends a connection on which it couldn't send for a minute, as
// nginx does (send_timeout).
type patient struct{ data []byte }

// RoundTrip implements [http.RoundTripper].
func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	l := &liar{versions: [2][]byte{p.data, p.data}, lanes: map[string]int{}}
	resp, data := l.honest(r, 0)
	resp.Body = &patientBody{fuzzBody: &fuzzBody{ctx: r.Context(), rest: data, end: io.EOF, left: int64(len(data)), closed: make(chan struct{})}, last: time.Now()}
	return resp, nil
}

type patientBody struct {
	*fuzzBody
	last time.Time // that something was read
}

// Read implements [io.Reader].
func (b *patientBody) Read(p []byte) (int, error) {
	if time.Since(b.last) > time.Minute {
		return 0, io.ErrUnexpectedEOF
	}
	b.last = time.Now()
	return b.fuzzBody.Read(p)
}

// A connection that waits for minutes because of a slow reader doesn't count as stalled.
// If the server ends it, the transfer continues at that byte.
func TestSlowReaderOnward(t *testing.T) {
	t.Parallel()
	data := content(8 * mib)
	synctest.Test(t, func(t *testing.T) {
		client := transport.New(transport.Options{API: &url.URL{Scheme: "https", Host: "gitlab", Path: "/"}, Base: patient{data}, StallTimeout: 10 * time.Second}).Stream
		f, err := fetch.OpenSized(t.Context(), "https://gitlab/archive", fetch.Options{Client: client, Check: gitlab.CheckResponse}, mib, mib)
		if err != nil {
			t.Fatal(err)
		}
		body, err := f.Range(t.Context(), 0, f.Size())
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 0, len(data))
		for i, pause := range []time.Duration{0, 0, 30 * time.Second, 5 * time.Minute, time.Hour, 0, 0, 0} {
			time.Sleep(pause)
			part := make([]byte, mib)
			if _, err := io.ReadFull(body, part); err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			got = append(got, part...)
		}
		if err := errors.Join(body.Close(), f.Close()); err != nil || !bytes.Equal(got, data) {
			t.Error(err)
		}
		if s := f.Stats(); s.Resumes != 2 || s.Bytes != int64(len(data)) {
			t.Errorf("%+v, want 2 resumes, and no byte twice", s)
		}
	})
}

// RoundTrip is what connecting took, which is part of what the first answer took.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	f, err := fetch.Open(t.Context(), serve(t, content(1000), nil).URL, fetch.Options{Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	if trip := f.RoundTrip(); trip <= 0 || trip > f.Latency() {
		t.Errorf("%v, and the answer took %v", trip, f.Latency())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
