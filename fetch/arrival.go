package fetch

import (
	"context"
	"errors"
	"io"
	"sync"
)

// arrival is a part of the file on its way into memory: one request, which may be
// resumed. Readers share it and get its bytes as they come. It reads only as far as a
// reader has asked; the rest waits in the connection.
type arrival struct {
	off    int64
	data   []byte     // as long as it will be
	before []*arrival // complete before this one is read; see arriveAll

	cancel context.CancelFunc
	filler sync.WaitGroup

	reading sync.Mutex // guards body
	body    *reader

	mu      sync.Mutex
	have    int           // bytes of data that are there
	want    int           // bytes that were asked for
	last    bool          // when all is there, the connection is done with
	filling bool          // a goroutine is reading
	more    chan struct{} // closed when have or err changes, and replaced
	err     error         // why no more will come
}

// arrivalGap is how many unwanted bytes are read for those behind them: another
// request would cost as much.
const arrivalGap = 128 << 10

var errClosed = errors.New("fetch: read after close")

// arrive has the bytes of body arrive in memory, up to end. The body's request may
// have been made already.
func arrive(ctx context.Context, body *reader, end int64) *arrival {
	ctx, cancel := context.WithCancel(ctx)
	if answer := body.body; answer != nil { // its request doesn't know this context
		context.AfterFunc(ctx, func() { _ = answer.Close() })
	}
	body.ctx = ctx
	return &arrival{off: body.off, data: make([]byte, end-body.off), body: body, cancel: cancel, last: body.end == end, more: make(chan struct{})}
}

func (a *arrival) end() int64 { return a.off + int64(len(a.data)) }

// begin has the bytes from off to end fetched, as far as they are part of the arrival.
// It reports false if off isn't, or if too many unwanted bytes are in front of it.
func (a *arrival) begin(off, end int64) bool {
	if off < a.off || off >= a.end() {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if int(off-a.off) > a.want+arrivalGap {
		return false
	}
	a.want = max(a.want, int(min(end, a.end())-a.off))
	if a.have < a.want && !a.filling && a.err == nil {
		a.filling = true
		a.filler.Go(a.fill)
	}
	return true
}

// all has everything fetched.
func (a *arrival) all() { a.begin(a.off, a.end()) }

// complete waits until everything is there.
func (a *arrival) complete(ctx context.Context) error {
	a.all()
	_, err := a.wait(ctx, a.end()-1, a.end())
	return err
}

// there returns how many bytes have arrived.
func (a *arrival) there() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return int64(a.have)
}

// fill reads what was asked for.
func (a *arrival) fill() {
	for {
		missing, done := a.missing()
		if done {
			_ = a.closeBody() // what was read is what counts
		}
		if len(missing) == 0 {
			return
		}
		n, err := a.read(missing)
		a.arrived(n, err)
	}
}

// missing returns the place of the bytes that were asked for and aren't there yet. If
// there are none, it tells whether the connection is done with.
func (a *arrival) missing() (space []byte, done bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil && a.have < a.want {
		return a.data[a.have:a.want], false
	}
	a.filling = false
	return nil, a.last && a.have == len(a.data)
}

func (a *arrival) arrived(n int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.have += n
	if a.err == nil {
		a.err = err
	}
	close(a.more)
	a.more = make(chan struct{})
}

// wait returns the bytes from off to end that are there, as soon as there are some.
// They must have been begun.
func (a *arrival) wait(ctx context.Context, off, end int64) ([]byte, error) {
	from, to := int(off-a.off), int(end-a.off)
	for {
		a.mu.Lock()
		have, more, err := a.have, a.more, a.err
		a.mu.Unlock()
		switch {
		case from < have:
			return a.data[from:min(have, to)], nil
		case err != nil:
			return nil, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// read reads from the connection.
func (a *arrival) read(p []byte) (int, error) {
	a.reading.Lock()
	defer a.reading.Unlock()
	return a.body.Read(p)
}

func (a *arrival) closeBody() error {
	a.reading.Lock()
	defer a.reading.Unlock()
	return a.body.Close()
}

// leave says that nothing behind the arrival is wanted from its connection.
func (a *arrival) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = true
	if a.have == len(a.data) {
		a.cancel()
	}
}

// close gives up what is still on its way, and waits until nothing is.
func (a *arrival) close() {
	a.cancel()
	a.mu.Lock()
	if a.err == nil {
		a.err = errClosed
	}
	a.mu.Unlock()
	a.filler.Wait()
	_ = a.closeBody() // what was read is what counts
}

// arrivalReader reads the bytes [off, end) of an arrival as they come.
type arrivalReader struct {
	*arrival
	ctx      context.Context // io.Reader has no place for one
	off, end int64
}

// Read implements [io.Reader].
func (r *arrivalReader) Read(p []byte) (int, error) {
	if r.off == r.end {
		return 0, io.EOF
	}
	for _, a := range r.before {
		if err := a.complete(r.ctx); err != nil {
			return 0, err
		}
	}
	there, err := r.wait(r.ctx, r.off, r.end)
	n := copy(p, there)
	r.off += int64(n)
	return n, err
}

// Close implements [io.Closer]. Other readers may need the arrival.
func (*arrivalReader) Close() error { return nil }
