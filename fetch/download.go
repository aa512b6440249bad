package fetch

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/internal/space"
)

const (
	downloadParts = 8 // connections at the same time
	costlyParts   = 4 // if GitLab itself serves the bytes

	frontStep  = 1 << 20   // bytes that the first connection claims at a time
	copyBuffer = 256 << 10 // bytes
)

// download writes the whole file to w. The first answer's connection delivers the file
// from its beginning, in one response. Others work from its end, each with one request
// after the other, until they meet the first.
func (f *File) download(w io.WriterAt) error {
	come := &tally{total: f.size, tell: f.remote.onSpool}
	if f.spool != nil {
		come.tell = func(int64, int64) {} // already reported when it arrived
	}
	group, ctx := errgroup.WithContext(f.ctx)
	others := f.parts() - 1
	if others == 0 || f.whole() {
		return f.copyRange(ctx, io.NewOffsetWriter(w, 0), 0, f.size, come)
	}
	front, err := f.Range(ctx, 0, f.size) // before the others can take over the first connection
	if err != nil {
		return err
	}
	rest := f.division(others)
	group.Go(func() error {
		defer func() { _ = front.Close() }() // the others have the rest, or it has already failed
		return copyFront(w, front, rest, come)
	})
	for i := range others {
		group.Go(func() error { return f.copyBack(ctx, w, rest, i, come) })
	}
	return group.Wait()
}

// copyFront writes what the first connection delivers until it meets the others.
func copyFront(w io.WriterAt, body io.Reader, rest *division, come *tally) error {
	buf := make([]byte, copyBuffer)
	for {
		off, n := rest.first()
		if n == 0 {
			return nil
		}
		if err := copyTo(io.NewOffsetWriter(w, off), &tallied{io.LimitReader(body, n), come}, off, n, buf); err != nil {
			return err
		}
	}
}

// copyBack writes parts from the back. Its first request waits for one of the arrivals at
// the end and reuses its connection, which is faster than a new one.
func (f *File) copyBack(ctx context.Context, w io.WriterAt, rest *division, worker int, come *tally) error {
	if 1+worker < len(f.arrivals) {
		if err := f.arrivals[1+worker].complete(ctx); err != nil {
			return err
		}
	}
	for {
		off, n := rest.last()
		if n == 0 {
			return nil
		}
		if err := f.copyRange(ctx, io.NewOffsetWriter(w, off), off, n, come); err != nil {
			return err
		}
	}
}

// division splits a file: one connection takes it from the front, others from the back.
type division struct {
	least, most int64 // bytes of a request from the back
	others      int64
	beginning   int64 // bytes that the first connection brings in any case

	mu          sync.Mutex
	front, back int64 // between them are the bytes that no connection fetches yet
}

func (f *File) division(others int) *division {
	d := &division{others: int64(others), back: f.size, least: 2 << 20, most: 16 << 20}
	if !f.Redirected() { // each request occupies GitLab's application server
		d.least, d.most = 16<<20, 64<<20
	}
	if f.firstStream != nil {
		d.beginning = f.firstStream.end()
	}
	return d
}

// first claims the next piece at the front.
func (d *division) first() (off, n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	off, n = d.front, min(frontStep, d.back-d.front)
	d.front += n
	return off, n
}

// last claims a part at the back. The parts get smaller so that all connections finish at
// about the same time. The first connection takes what isn't worth a request in the end,
// and what is already in memory.
func (d *division) last() (off, n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := d.back - max(d.front, d.beginning)
	if left < frontStep {
		return 0, 0
	}
	n = min(max(min(left/(2*d.others), d.most), d.least), left)
	d.back -= n
	return d.back, n
}

// copyRange writes n bytes starting at off to w.
func (f *File) copyRange(ctx context.Context, w io.Writer, off, n int64, come *tally) error {
	body, err := f.Range(ctx, off, n)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // fully read, or already failed
	return copyTo(w, &tallied{body, come}, off, n, make([]byte, copyBuffer))
}

// copyTo writes n bytes to off.
func copyTo(w io.Writer, body io.Reader, off, n int64, buf []byte) error {
	got, err := io.CopyBuffer(w, body, buf)
	if err == nil && got < n {
		err = &BrokenError{Offset: off + got, Err: io.ErrUnexpectedEOF}
	}
	return err
}

// tallied adds the bytes that are read to a tally.
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

// save writes the whole file to into, which belongs to the caller. If the server doesn't
// support ranges, it is already there.
func (f *File) save(into *os.File) error {
	if f.spool == into {
		return nil
	}
	if err := empty(into); err != nil {
		return err
	}
	if err := space.Check(filepath.Dir(into.Name()), f.size); err != nil {
		return err
	}
	if err := f.download(into); err != nil || f.spool != nil {
		return err
	}
	f.spool, f.lent = into, true
	return nil
}

// empty removes what an earlier attempt wrote.
func empty(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
}
