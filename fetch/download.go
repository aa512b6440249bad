package fetch

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"
)

const (
	downloadPart  = 16 << 20 // bytes of a request
	downloadParts = 8        // at once
	costlyParts   = 4        // if GitLab itself serves the bytes
)

// download writes the whole file to w, with several requests at once.
func (f *File) download(w io.WriterAt) error {
	come := &tally{total: f.size, tell: f.remote.onSpool}
	if f.spool != nil {
		come.tell = func(int64, int64) {} // it was reported when it arrived
	}
	group, ctx := errgroup.WithContext(f.ctx)
	group.SetLimit(f.parts())
	for off := int64(0); off < f.size && ctx.Err() == nil; off += downloadPart {
		n := min(downloadPart, f.size-off)
		group.Go(func() error { return f.copyRange(ctx, io.NewOffsetWriter(w, off), off, n, come) })
	}
	return group.Wait()
}

// copyRange writes n bytes from off to w.
func (f *File) copyRange(ctx context.Context, w io.Writer, off, n int64, come *tally) error {
	body, err := f.Range(ctx, off, n)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read in full, or failed already
	got, err := io.Copy(w, &tallied{body, come})
	if err == nil && got < n {
		err = &BrokenError{Offset: off + got, Err: io.ErrUnexpectedEOF}
	}
	return err
}

// tallied adds what is read to a tally.
type tallied struct {
	r    io.Reader
	come *tally
}

// Read implements [io.Reader].
func (t *tallied) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.come.add(n)
	return n, err
}
