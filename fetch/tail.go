package fetch

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"
)

// tail is the end of a large file, fetched while its beginning arrives.
type tail struct {
	off  int64
	done chan struct{} // closed when it is known, or could not be had
}

// fetchTail asks for the end of the file on a connection of its own. If it
// cannot be had, whoever needs it asks again and gets the error.
func (f *File) fetchTail() *tail {
	t := &tail{off: max(f.size-tailSize, 0), done: make(chan struct{})}
	go func() {
		defer close(t.done)
		body := f.remote.reader(f.ctx, t.off, f.size)
		defer func() { _ = body.Close() }() // read in full, or failed already
		data := make([]byte, f.size-t.off)
		if _, err := io.ReadFull(body, data); err != nil {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.known = append(f.known, segment{t.off, data})
	}()
	return t
}

const (
	minPart  = 256 << 10 // bytes that are worth a request of their own
	maxParts = 8
)

// readLong reads a long run, such as a large central directory, by several
// requests at once: on a new connection the first bytes are the slowest.
func (f *File) readLong(p []byte, off int64) (int, error) {
	part := max(minPart, (len(p)+maxParts-1)/maxParts)
	group, ctx := errgroup.WithContext(f.ctx)
	for at := 0; at < len(p); at += part {
		group.Go(func() error { return f.readPart(ctx, p[at:min(at+part, len(p))], off+int64(at)) })
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *File) readPart(ctx context.Context, p []byte, off int64) error {
	body, err := f.Range(ctx, off, int64(len(p)))
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read in full, or failed already
	_, err = io.ReadFull(body, p)
	return err
}
