package fetch

import (
	"io"

	"golang.org/x/sync/errgroup"
)

// minPart is how many bytes are worth a request of their own.
const minPart = 256 << 10

// readLong reads all of p, such as a very large central directory, with several requests
// at the same time: a new connection is slow at first.
func (f *File) readLong(p []byte, off int64) (int, error) {
	parts := f.parts()
	part := max(minPart, (len(p)+parts-1)/parts)
	group, ctx := errgroup.WithContext(f.ctx)
	for at := 0; at < len(p); at += part {
		piece := p[at:min(at+part, len(p))]
		group.Go(func() error {
			body, err := f.Range(ctx, off+int64(at), int64(len(piece)))
			if err != nil {
				return err
			}
			defer func() { _ = body.Close() }() // fully read, or already failed
			_, err = io.ReadFull(body, piece)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// parts returns how many requests to make at the same time. If GitLab itself serves the
// bytes, each request occupies its application server.
func (f *File) parts() int {
	if f.Redirected() {
		return min(f.remote.most, downloadParts)
	}
	return min(f.remote.most, costlyParts)
}
