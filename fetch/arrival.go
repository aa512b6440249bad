package fetch

import (
	"context"
	"errors"
	"io"
	"sync"
)

// arrival is a part of the file that is being read into memory by one request, which may
// be resumed. Readers share it and get its bytes as they arrive. It reads only as far as
// readers need; the rest stays unread on the connection.
type arrival struct {
	off    int64
	data   []byte     // allocated in full
	before []*arrival // must be complete before this one is read; see arriveAll

	cancel context.CancelFunc
	filler sync.WaitGroup

	reading sync.Mutex // guards body
	body    *reader

	mu      sync.Mutex
	have    int           // bytes of data that have arrived
	want    int           // bytes that readers need
	last    bool          // once everything has arrived, close the connection
	filling bool          // a goroutine is reading
	more    chan struct{} // closed when have or err changes, and replaced
	err     error         // why no more bytes will arrive
}

// arrivalGap is the longest gap between wanted ranges that is worth reading: another
// request would cost as much.
const arrivalGap = 128 << 10

var errClosed = errors.New("fetch: read after close")

// arrive starts reading body into memory, up to end. Its request may have been sent
// already.
func arrive(ctx context.Context, body *reader, end int64) *arrival {
	ctx, cancel := context.WithCancel(ctx)
	if answer := body.body; answer != nil { // the request was sent with another context
		context.AfterFunc(ctx, func() { _ = answer.Close() })
	}
	body.ctx = ctx
	return &arrival{off: body.off, data: make([]byte, end-body.off), body: body, cancel: cancel, last: body.end == end, more: make(chan struct{})}
}

func (a *arrival) end() int64 { return a.off + int64(len(a.data)) }

// begin makes sure that the bytes from off to end are being fetched, as far as the
// arrival covers them. It returns false if it doesn't cover off, or if there are too many
// unwanted bytes in between.
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

// all fetches everything.
func (a *arrival) all() { a.begin(a.off, a.end()) }

// complete waits until everything has arrived.
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

// fill reads what readers need.
func (a *arrival) fill() {
	for {
		missing, done := a.missing()
		if done {
			_ = a.closeBody() // everything has been read
		}
		if len(missing) == 0 {
			return
		}
		n, err := a.read(missing)
		a.arrived(n, err)
	}
}

// missing returns the buffer for bytes that readers need and that haven't arrived. If
// there are none, done says whether the connection is no longer needed.
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

// wait returns the bytes from off to end that have arrived, as soon as there are any. The
// caller has called begin for them.
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

// leave says that the connection won't be used for anything beyond the arrival.
func (a *arrival) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = true
	if a.have == len(a.data) {
		a.cancel()
	}
}

// close cancels what is still arriving, and waits until nothing is.
func (a *arrival) close() {
	a.cancel()
	a.mu.Lock()
	if a.err == nil {
		a.err = errClosed
	}
	a.mu.Unlock()
	a.filler.Wait()
	_ = a.closeBody() // everything has been read
}

// arrivalReader reads the bytes [off, end) of an arrival as they arrive.
type arrivalReader struct {
	*arrival
	ctx      context.Context // io.Reader takes none
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

// Close implements [io.Closer]. It leaves the arrival open for other readers.
func (*arrivalReader) Close() error { return nil }
