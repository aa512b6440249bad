package fetch

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"
)

// tail is the end of a large file, fetched while its beginning arrives.
type tail struct {
	off    int64
	cancel context.CancelFunc
	done   chan struct{} // closed when it is known, or could not be had
}

const (
	minTail = 128 << 10 // bytes; the directory of some thousand entries
	maxTail = 2 << 20   // that of twenty thousand
)

// fetchTail asks for the end of the file on connections of its own: as much as its
// directory is likely to take, and that is needed in any case. Where only a part of
// the file is wanted, it is one request. If it cannot be had, the first reader there
// asks again, and gets the error.
func (f *File) fetchTail(partial bool) *tail {
	n := min(max(f.size/16, minTail), maxTail, f.size-probeSize)
	if partial {
		n = min(n, minTail)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	t := &tail{off: f.size - n, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		data := make([]byte, n)
		err := inParts(ctx, data, t.off, func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
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

// close gives up what is on its way.
func (t *tail) close() {
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// readLong reads a long run, such as a very large central directory.
func (f *File) readLong(p []byte, off int64) (int, error) {
	if err := inParts(f.ctx, p, off, f.Range); err != nil {
		return 0, err
	}
	return len(p), nil
}

const (
	minPart  = 256 << 10 // bytes that are worth a request of their own
	maxParts = 8
)

// inParts reads all of p by several requests at once: on a new connection the
// first bytes are the slowest.
func inParts(ctx context.Context, p []byte, off int64, open func(ctx context.Context, off, n int64) (io.ReadCloser, error)) error {
	part := max(minPart, (len(p)+maxParts-1)/maxParts)
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
