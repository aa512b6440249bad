package fetch

import (
	"context"
	"errors"
)

// probeSize is the size of the first range if a part is wanted and the server doesn't
// support suffix ranges. A file up to that size is complete when Open returns.
const probeSize = 1 << 20

// Open opens the file at url.
func Open(ctx context.Context, url string, o Options) (*File, error) {
	o = o.withDefaults()
	return newRemote(url, o).openFile(ctx, o)
}

func (r *remote) openFile(ctx context.Context, o Options) (*File, error) {
	open := r.openRemote
	if o.CacheDir != "" {
		open = r.openCached
	}
	f, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Into != nil {
		err = f.save(o.Into)
	}
	if err == nil {
		err = f.verify(o)
	}
	if err != nil {
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

// probes returns the first requests in the order to try them. If the server doesn't
// support the range of one, the next is tried: Azure's storage, for example, doesn't
// support suffix ranges.
func (r *remote) probes(o Options) []question {
	beginning := question{kind: askSpan, end: probeSize}
	switch {
	case !o.Partial:
		beginning = everything
	case o.Size > probeSize:
		return []question{{kind: askSpan, off: o.Size - minTail, end: o.Size}, beginning}
	case o.Size == 0 && o.Servers.suffix(r.origin):
		return []question{{kind: askSuffix, end: minTail}, beginning}
	}
	return []question{beginning}
}

// open makes the first request. It returns neither a file nor an error if the answer is
// unusable and the next request should be tried.
func (r *remote) open(ctx context.Context, o Options, q question) (*File, error) {
	r.ahead = r.early(ctx, o)
	a, err := r.first(ctx, q)
	tail := r.ahead.result()
	if err != nil || a.outcome != gotPart || a.part.total != tail.size {
		// The tail may be beyond the end of the file. Give it up before the first
		// answer counts, so it can't report a change.
		tail.giveUp()
	}
	switch {
	case err != nil:
		return nil, err
	case a.outcome == gotPart:
		return r.ranged(ctx, o, a, tail)
	case a.outcome == gotAll && q.kind == askSpan && q.off == 0:
		o.Servers.refusesRanges(r.origin)
		return r.spooled(ctx, o, a.Response)
	}
	_ = a.Body.Close() // its content doesn't matter
	return nil, nil
}

// ranged makes the file for a server that supports ranges.
func (r *remote) ranged(ctx context.Context, o Options, a answer, tail tail) (*File, error) {
	c := a.part
	if err := o.fits(c.total); err != nil {
		tail.giveUp()
		_ = a.Body.Close() // its content doesn't matter
		return nil, err
	}
	if o.atOnce() && strongETag(a.Response) == "" {
		tail.giveUp()
		return r.streamed(ctx, o, a)
	}
	r.settle(a.Response, c.total)
	r.useListed(o, c.total)
	first := r.reader(ctx, c.first, c.last+1)
	first.body = a.Body
	f := &File{ctx: ctx, remote: r, size: c.total, sha256: r.digest()}
	f.blocks = newBlockCache(readerAt(f.direct), c.total, blockSize, keepBlocks)
	var err error
	switch {
	case c.first > 0: // the end, because only a part is wanted
		f.arrivals = []*arrival{arrive(ctx, first, first.end)}
		f.arrivals[0].all()
	case o.Partial && first.end < f.size: // the beginning
		err = f.arrivePartly(o, first)
	default:
		err = f.arriveAll(o, first, tail)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// arriveAll lets the first answer's connection deliver the beginning of the file, and
// others its end. If only one connection is allowed, they follow one another, and the
// first one ends with the beginning.
func (f *File) arriveAll(o Options, first *reader, tail tail) error {
	r := f.remote
	if len(tail.arrivals) == 0 {
		tail.layout = r.layout(o, f.size, r.timing.delay())
	}
	alone, answered := o.Connections == 1, first.end
	first.end = tail.layout.front
	if !alone && len(tail.layout.others) > 0 {
		// Read as far as was requested, but nothing twice.
		first.end = min(max(first.end, answered), tail.layout.others[0])
	}
	f.firstStream = newFirstStream(arrive(f.ctx, first, tail.layout.front))
	f.arrivals = []*arrival{f.firstStream.arrival}
	f.firstStream.all()
	if alone || f.size <= probeSize {
		if err := f.firstStream.complete(f.ctx); err != nil {
			return err
		}
	}
	if len(tail.arrivals) == 0 {
		tail.arrivals = r.bring(f.ctx, f.size, tail.layout.others)
	}
	f.arrivals = append(f.arrivals, tail.arrivals...)
	last := f.arrivals[len(f.arrivals)-1]
	if alone {
		return last.complete(f.ctx)
	}
	if f.size > r.sizes.whole {
		// The last part contains the directory. After reading it, the caller continues
		// with regions, whose connections must not come on top of those of the other
		// parts.
		last.before = tail.arrivals[:len(tail.arrivals)-1]
	}
	return nil
}

// arrivePartly requests the end of the file after an answer with its beginning, which
// waits on its connection until a reader needs it.
func (f *File) arrivePartly(o Options, first *reader) error {
	f.arrivals = []*arrival{arrive(f.ctx, first, first.end)}
	if o.Connections == 1 { // the end needs this connection
		if err := f.arrivals[0].complete(f.ctx); err != nil {
			return err
		}
	}
	tail := f.size - min(minTail, f.size-first.end)
	f.arrivals = append(f.arrivals, f.remote.bring(f.ctx, f.size, []int64{tail})...)
	return nil
}

// openWhole requests the file without a range, from servers that answer ranges wrongly.
func (r *remote) openWhole(ctx context.Context, o Options) (*File, error) {
	a, err := r.first(ctx, question{kind: askAll})
	if err != nil {
		return nil, err
	}
	return r.spooled(ctx, o, a.Response)
}
