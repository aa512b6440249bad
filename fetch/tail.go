package fetch

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"
)

// tail is the end of a large file, downloaded while its beginning arrives.
type tail struct {
	off    int64
	cancel context.CancelFunc
	done   chan struct{} // closed when it has arrived or failed
}

const (
	minTail = 128 << 10 // bytes; the directory of some thousand entries
	maxTail = 2 << 20   // that of twenty thousand
)

// fetchTail requests the end of the file on connections of its own: as much as the
// directory of an archive probably takes, which is needed in any case. If only a part of
// the file is wanted, that is one request. If it fails, the first reader at the end
// makes the request again, and gets the error.
func (f *File) fetchTail(partial bool) *tail {
	n := min(max(f.size/16, minTail), maxTail, f.size-probeSize)
	if partial {
		n = min(n, minTail)
	}
	parts := f.parts()
	if !f.Redirected() {
		parts-- // the first request is still on its way
	}
	ctx, cancel := context.WithCancel(f.ctx)
	t := &tail{off: f.size - n, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		data := make([]byte, n)
		err := inParts(ctx, data, t.off, parts, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			return f.remote.reader(ctx, off, off+n), nil
		})
		if err != nil {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.known = append(f.known, segment{t.off, data})
	}()
	return t
}

// close cancels the requests and waits for them to end.
func (t *tail) close() {
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// readLong reads a long run, such as a very large central directory.
func (f *File) readLong(p []byte, off int64) (int, error) {
	if err := inParts(f.ctx, p, off, f.parts(), f.Range); err != nil {
		return 0, err
	}
	return len(p), nil
}

// minPart is how many bytes are worth a request of their own.
const minPart = 256 << 10

// parts returns how many requests may be made at once. Where GitLab itself serves the
// bytes, each of them occupies its application server.
func (f *File) parts() int {
	if f.Redirected() {
		return downloadParts
	}
	return costlyParts
}

// inParts reads all of p with several requests at once, at most so many: on a new
// connection, the first bytes are the slowest.
func inParts(ctx context.Context, p []byte, off int64, parts int, open func(ctx context.Context, off, n int64) (io.ReadCloser, error)) error {
	part := max(minPart, (len(p)+parts-1)/parts)
	group, ctx := errgroup.WithContext(ctx)
	for at := 0; at < len(p); at += part {
		piece := p[at:min(at+part, len(p))]
		group.Go(func() error {
			body, err := open(ctx, off+int64(at), int64(len(piece)))
			if err != nil {
				return err
			}
			defer func() { _ = body.Close() }() // read in full, or failed already
			_, err = io.ReadFull(body, piece)
			return err
		})
	}
	return group.Wait()
}
