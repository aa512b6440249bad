package fetch

import (
	"context"
	"errors"
	"io"
)

// probeSize is the size of the first range if everything is wanted. Archives below that
// size are downloaded by one request.
const probeSize = 1 << 20

// Open opens the file at url. For a file of less than 1 MiB, it makes the only request.
func Open(ctx context.Context, url string, o Options) (*File, error) {
	o = o.withDefaults()
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
	suffix := false
	for _, q := range r.probes(o) {
		f, err := r.open(ctx, o, q)
		if f != nil && suffix {
			o.Servers.refusesSuffix(r.origin)
		}
		if f != nil || err != nil {
			return f, err
		}
		suffix = q.kind == askSuffix
	}
	return r.openWhole(ctx, o)
}

// probes returns the first requests in the order to try them. If the server doesn't answer
// one with that range, the next one is made: Azure's storage, for example, doesn't
// support suffix ranges.
func (r *remote) probes(o Options) []question {
	beginning := question{kind: askSpan, end: probeSize}
	switch {
	case o.Partial && o.Size > probeSize:
		return []question{{kind: askSpan, off: o.Size - minTail, end: o.Size}, beginning}
	case o.Partial && o.Size == 0 && o.Servers.suffix(r.origin):
		return []question{{kind: askSuffix, end: minTail}, beginning}
	}
	return []question{beginning}
}

// open makes the first request. It returns neither a file nor an error if the answer is
// of no use and the next request should be made.
func (r *remote) open(ctx context.Context, o Options, q question) (*File, error) {
	a, err := r.first(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case a.outcome == gotPart:
		return r.ranged(ctx, o, a)
	case a.outcome == gotAll && q.kind == askSpan && q.off == 0:
		return r.spooled(ctx, o, a.Response)
	}
	_ = a.Body.Close() // nothing in it counts
	return nil, nil
}

// ranged makes the file of a server that supports ranges.
func (r *remote) ranged(ctx context.Context, o Options, a answer) (*File, error) {
	c := a.part
	r.settle(a.Response, c.total)
	first := r.reader(ctx, c.first, c.last+1)
	first.body = a.Body
	f := &File{ctx: ctx, remote: r, size: c.total, sha256: r.digest()}
	f.blocks = newBlockCache(readerAt(f.direct), c.total, blockSize, keepBlocks)
	if c.first == 0 && c.last+1 < c.total {
		// The end of the file is needed now. If everything is wanted, the beginning may
		// arrive meanwhile; otherwise it waits on its connection until it is needed.
		f.head = newHead(ctx, first)
		if !o.Partial {
			f.head.begin(0, f.head.end())
		}
		f.tail = f.fetchTail(o.Partial)
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

// direct reads with a request of its own.
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

// openWhole requests the file without a range, for servers that answer ranges wrongly.
func (r *remote) openWhole(ctx context.Context, o Options) (*File, error) {
	a, err := r.first(ctx, question{kind: askAll})
	if err != nil {
		return nil, err
	}
	return r.spooled(ctx, o, a.Response)
}
