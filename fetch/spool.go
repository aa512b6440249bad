package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"

	"gitlab.com/artifetch/artifetch/internal/sleep"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// spooled makes the file for a server that doesn't support ranges. It downloads the whole
// file to disk first, and starts over if the download breaks off, because the next answer
// may have another archive.
func (r *remote) spooled(ctx context.Context, o Options, resp *http.Response) (*File, error) {
	if o.RangesOnly && (resp.ContentLength < 0 || resp.ContentLength > probeSize) {
		_ = resp.Body.Close() // its content doesn't matter
		return nil, ErrNoRanges
	}
	return r.toSpool(ctx, o, resp)
}

// streamed makes the file for a server that supports ranges but doesn't send a strong
// ETag: only the bytes of one answer certainly belong to the same archive.
func (r *remote) streamed(ctx context.Context, o Options, a answer) (*File, error) {
	resp := a.Response
	if resp.ContentLength != a.part.total { // it isn't the whole file, or may end too early
		_ = a.Body.Close() // another answer replaces it
		all, err := r.first(ctx, question{kind: askAll})
		if err != nil {
			return nil, err
		}
		resp = all.Response
	}
	f, err := r.toSpool(ctx, o, resp)
	if err != nil {
		return nil, err
	}
	f.blocks = newBlockCache(f.spool, f.size, blockSize, keepBlocks) // unused; the server supports ranges
	if err := o.fits(f.size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// toSpool downloads the file to disk, beginning with this answer.
func (r *remote) toSpool(ctx context.Context, o Options, resp *http.Response) (*File, error) {
	spool, err := o.spool()
	if err != nil {
		_ = resp.Body.Close() // the file system's error counts
		return nil, err
	}
	f := &File{ctx: ctx, remote: r, spool: spool, lent: o.Into != nil}
	f.size, err = r.fill(ctx, o, spool, resp)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.sha256 = r.digest() // of the last answer
	return f, nil
}

// fill writes the body to spool. It starts over as often as the backoff allows.
func (r *remote) fill(ctx context.Context, o Options, spool *os.File, resp *http.Response) (int64, error) {
	var pauses Backoff // its time starts with the first failure
	for {
		r.settle(resp, resp.ContentLength)
		n, broke, err := r.copyBody(o, spool, resp)
		switch {
		case ctx.Err() != nil && err != nil:
			return 0, context.Cause(ctx)
		case !broke:
			return n, err
		}
		if pauses == nil {
			pauses = r.backoff()
		}
		pause := pauses.NextBackOff()
		if pause < 0 {
			return 0, &BrokenError{Offset: n, Err: err}
		}
		if err := sleep.For(ctx, pause); err != nil {
			return 0, err
		}
		r.meter.resumes.Add(1)
		if resp, err = r.again(ctx, spool); err != nil { //nolint:bodyclose // copyBody closes it
			return 0, err
		}
	}
}

// again empties the spool and requests the whole file again.
func (r *remote) again(ctx context.Context, spool *os.File) (*http.Response, error) {
	if err := empty(spool); err != nil {
		return nil, err
	}
	a, err := r.first(ctx, question{kind: askAll})
	return a.Response, err
}

// copyBody writes one body to spool. broke says that the connection failed, rather than
// the file system.
func (r *remote) copyBody(o Options, spool *os.File, resp *http.Response) (n int64, broke bool, err error) {
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	most, tooLong := o.bound(resp)
	if resp.ContentLength > most {
		return 0, false, o.fits(resp.ContentLength)
	}
	if err := space.Check(spoolDir(o.SpoolDir), resp.ContentLength); err != nil {
		return 0, false, err
	}
	total := resp.ContentLength
	if total < 0 && o.Size > 0 {
		total = o.Size
	}
	// net/http reports io.ErrUnexpectedEOF if a body is shorter than its Content-Length
	// or its last chunk is missing.
	body := &countingReader{r: resp.Body, meter: r.meter, tally: &tally{total: total, tell: r.onSpool}}
	n, err = io.Copy(spool, io.LimitReader(body, most))
	if err == nil && n == most && !body.ended() {
		err = tooLong
	}
	if err == nil && n < o.Size && endsWithConnection(resp) && beginsLikeZip(spool) {
		return n, true, io.ErrUnexpectedEOF
	}
	if err == nil && beginsLikeZip(spool) {
		err = o.fits(n)
	}
	return n, body.err != nil, err
}

// fits returns a [*SizeError] if a file's size differs from GitLab's listing.
func (o Options) fits(size int64) error {
	if o.Size > 0 && size != o.Size {
		return &SizeError{Listed: o.Size, Sent: size}
	}
	return nil
}

// endsWithConnection reports whether only the end of the connection marks the end of a
// body (RFC 9112 §6.3, rule 8), so net/http can't tell whether it is complete.
func endsWithConnection(resp *http.Response) bool {
	return resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
}

// beginsLikeZip reports whether a body may be an archive from GitLab. Anything else, such
// as a sign-in page, isn't requested again.
func beginsLikeZip(spool io.ReaderAt) bool {
	var magic [2]byte
	_, err := spool.ReadAt(magic[:], 0)
	return err == nil && string(magic[:]) == "PK"
}

// maxUnknown limits a body if neither GitLab nor the server says how long it is, in
// bytes.
const maxUnknown = 64 << 30

// bound returns how many bytes a body may have, and the error for a longer one. It always
// allows the size of a first request: such a body may say what is wrong.
func (o Options) bound(resp *http.Response) (most int64, tooLong error) {
	switch {
	case o.Size > 0:
		most = max(o.Size, probeSize)
		return most, &SizeError{Listed: o.Size, Sent: most + 1}
	case resp.ContentLength >= 0:
		return resp.ContentLength, nil
	}
	dir := spoolDir(o.SpoolDir)
	free := space.Free(dir)
	if free/2 < maxUnknown { // leave space for the archive's content
		return free / 2, &space.Error{Dir: dir, Need: free + 1, Free: free}
	}
	return maxUnknown, answered(resp, "doesn't say how long the archive is, and sends more than %d bytes", int64(maxUnknown))
}

// countingReader counts the bytes of a body and keeps the error that ended it.
type countingReader struct {
	r     io.Reader
	meter *Meter
	tally *tally
	err   error // not io.EOF
}

// Read implements [io.Reader].
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.meter.bytes.Add(int64(n))
	c.tally.add(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// ended reports whether the body has ended.
func (c *countingReader) ended() bool {
	for {
		n, err := c.Read(make([]byte, 1))
		if n > 0 || err != nil {
			return n == 0 && c.err == nil
		}
	}
}

// tally counts the bytes of a whole file that have arrived.
type tally struct {
	tell func(have, total int64)

	mu          sync.Mutex
	have, total int64
}

func (t *tally) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.have += int64(n)
	t.tell(t.have, t.total)
}
