package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
)

// ErrNoRanges reports a server that sends a large file only as a whole.
var ErrNoRanges = errors.New("the server has no ranges")

// spooled makes the file of a server without ranges: the whole goes to disk
// first. What breaks off has to begin again.
func (r *remote) spooled(ctx context.Context, o Options, resp *http.Response) (*File, error) {
	if o.RangesOnly && (resp.ContentLength < 0 || resp.ContentLength > probeSize) {
		_ = resp.Body.Close() // nobody wants it
		return nil, ErrNoRanges
	}
	r.settle(resp, resp.ContentLength)
	spool, err := newSpool(o.SpoolDir, resp.ContentLength)
	if err != nil {
		_ = resp.Body.Close() // the error is the file system's
		return nil, err
	}
	f := &File{ctx: ctx, remote: r, spool: spool, sha256: r.digest()}
	f.size, err = r.fill(ctx, spool, resp)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// fill writes the body to spool, from the beginning again as often as the
// pauses allow.
func (r *remote) fill(ctx context.Context, spool *os.File, resp *http.Response) (int64, error) {
	var pauses Backoff // its time begins with the first failure
	for {
		n, err := r.copyBody(spool, resp)
		if err == nil {
			return n, nil
		}
		if _, local := errors.AsType[*os.PathError](err); local || ctx.Err() != nil {
			return 0, errors.Join(context.Cause(ctx), err)
		}
		if pauses == nil {
			pauses = r.backoff()
		}
		pause := pauses.NextBackOff()
		if pause < 0 {
			return 0, &BrokenError{Offset: n, Err: err}
		}
		if err := sleep(ctx, pause); err != nil {
			return 0, err
		}
		r.stats.resumes.Add(1)
		if resp, err = r.again(ctx, spool); err != nil { //nolint:bodyclose // copyBody closes it
			return 0, err
		}
	}
}

// again empties the spool and asks for the whole once more.
func (r *remote) again(ctx context.Context, spool *os.File) (*http.Response, error) {
	if err := spool.Truncate(0); err != nil {
		return nil, err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	resp, err := r.send(ctx, r.origin, "", "")
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK && !encoded(resp) {
		r.settle(resp, resp.ContentLength)
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }() // the error is the answer's
	return nil, r.check(resp)
}

func (r *remote) copyBody(spool *os.File, resp *http.Response) (int64, error) {
	defer func() { _ = resp.Body.Close() }() // read to its end, or broken
	// net/http reports a body that is shorter than its Content-Length, or whose
	// last chunk is missing, as io.ErrUnexpectedEOF.
	return io.Copy(spool, &countingReader{Reader: resp.Body, remote: r, total: resp.ContentLength})
}

type countingReader struct {
	io.Reader
	remote      *remote
	have, total int64
}

// Read implements [io.Reader].
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.remote.stats.bytes.Add(int64(n))
	c.have += int64(n)
	c.remote.onSpool(c.have, c.total)
	return n, err
}
