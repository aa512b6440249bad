package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// probeSize is the first range where everything is wanted, and the size below
// which an archive is fetched whole.
const probeSize = 1 << 20

// Open opens the file at url. A file of less than 1 MiB is there with the one
// request that it makes.
func Open(ctx context.Context, url string, o Options) (*File, error) {
	if o.Check == nil {
		o.Check = func(resp *http.Response) error { return fmt.Errorf("unexpected status %s", resp.Status) }
	}
	if o.Backoff == nil {
		o.Backoff = func() Backoff { return new(attempts) }
	}
	if o.OnSpool == nil {
		o.OnSpool = func(int64, int64) {}
	}
	if o.CacheSize <= 0 {
		o.CacheSize = DefaultCacheSize
	}
	if o.OnCacheError == nil {
		o.OnCacheError = func(error) {}
	}
	r := newRemote(url, o)
	open := r.openRemote
	if o.CacheDir != "" {
		open = r.openCached
	}
	f, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := f.verify(o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (r *remote) openRemote(ctx context.Context, o Options) (*File, error) {
	for _, p := range probes(o) {
		f, err := r.open(ctx, o, p)
		if f != nil || err != nil {
			return f, err
		}
	}
	return r.openWhole(ctx, o)
}

// attempts is the Backoff of who gives none.
type attempts int

// NextBackOff implements [Backoff].
func (a *attempts) NextBackOff() time.Duration {
	if *a++; *a > 2 {
		return -1
	}
	return 0
}

// Reset implements [Backoff].
func (a *attempts) Reset() { *a = 0 }

// probe is a first request: n bytes from off, or the last n bytes if off is
// negative.
type probe struct{ off, n int64 }

// probes lists the first requests in the order in which they are tried; each
// but the last is given up if the server does not answer it with a range.
// Stores without suffix ranges, as Azure's, send the whole file instead.
func probes(o Options) []probe {
	beginning := probe{0, probeSize}
	switch {
	case o.Partial && o.Size > probeSize:
		return []probe{{o.Size - minTail, minTail}, beginning}
	case o.Partial && o.Size == 0:
		return []probe{{-1, minTail}, beginning}
	}
	return []probe{beginning}
}

func (p probe) header() string {
	if p.off < 0 {
		return fmt.Sprintf("bytes=-%d", p.n)
	}
	return fmt.Sprintf("bytes=%d-%d", p.off, p.off+p.n-1)
}

// fits reports whether c is what p asked for.
func (p probe) fits(c contentRange) bool {
	if p.off < 0 {
		return c.last == c.total-1 && c.first == max(0, c.total-p.n)
	}
	return c.first == p.off && c.last == min(p.off+p.n, c.total)-1
}

// open makes the request of p. It returns neither a file nor an error if the
// answer is no use and another probe should be tried.
func (r *remote) open(ctx context.Context, o Options, p probe) (*File, error) {
	resp, err := r.send(ctx, r.origin, p.header(), "")
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusPartialContent:
		c, err := parseContentRange(resp)
		if err != nil || !p.fits(c) || encoded(resp) {
			return nil, resp.Body.Close()
		}
		return r.ranged(ctx, o, resp, c)
	case http.StatusOK:
		if p.off != 0 || encoded(resp) {
			return nil, resp.Body.Close()
		}
		return r.spooled(ctx, o, resp)
	case http.StatusRequestedRangeNotSatisfiable: // empty, or shorter than the listing said
		return nil, resp.Body.Close()
	}
	defer func() { _ = resp.Body.Close() }() // the error is the answer's
	return nil, r.check(resp)
}

// ranged makes the file of a server that has ranges.
func (r *remote) ranged(ctx context.Context, o Options, resp *http.Response, c contentRange) (*File, error) {
	r.settle(resp, c.total)
	first := r.reader(ctx, c.first, c.last+1)
	first.body = resp.Body
	f := &File{ctx: ctx, remote: r, size: c.total, sha256: r.digest()}
	f.window = newWindow(readerAt(f.direct), c.total, blockSize, keepBlocks)
	if c.first == 0 && c.last+1 < c.total {
		// The end of the file is what is needed now. Where everything is, this may
		// come meanwhile; else it waits in its connection until it is needed.
		f.head = newHead(ctx, first)
		if !o.Partial {
			f.head.begin(0, f.head.end())
		}
		f.tail = f.fetchTail()
		return f, nil
	}
	data := make([]byte, c.last+1-c.first)
	_, err := io.ReadFull(first, data)
	if closeErr := first.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	f.known = []segment{{c.first, data}}
	return f, nil
}

// direct reads by a request of its own.
func (f *File) direct(p []byte, off int64) (int, error) {
	body, err := f.Range(f.ctx, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	defer func() { _ = body.Close() }() // read in full, or failed already
	return io.ReadFull(body, p)
}

type readerAt func(p []byte, off int64) (int, error)

// ReadAt implements [io.ReaderAt].
func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r(p, off) }

// openWhole asks without a range, for servers that answer one with nonsense.
func (r *remote) openWhole(ctx context.Context, o Options) (*File, error) {
	resp, err := r.send(ctx, r.origin, "", "")
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK && !encoded(resp) {
		return r.spooled(ctx, o, resp)
	}
	defer func() { _ = resp.Body.Close() }() // the error is the answer's
	if encoded(resp) {
		return nil, answered(resp, "insists on Content-Encoding %q", resp.Header.Get("Content-Encoding"))
	}
	return nil, r.check(resp)
}
