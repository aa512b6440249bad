package fetch

import (
	"context"
	"errors"
	"io"
	"sync"
)

// head is the first answer to a request for everything of a large file: its
// beginning. Files seldom begin at its first byte, and regions seldom end with its
// last one, so that it comes into memory, where whoever reads there finds it. What
// nobody has wanted of it yet waits in its connection.
type head struct {
	data []byte // as long as it will be

	cancel context.CancelFunc
	filler sync.WaitGroup
	body   *reader // the filler's

	mu      sync.Mutex
	have    int64         // bytes of data that are there
	want    int64         // that have been wanted
	filling bool          // somebody brings them
	more    chan struct{} // closed when have or err changes, and made anew
	err     error         // why no more will come
}

// headGap is how many bytes that nobody wants are read for those behind them: a
// request of one's own would cost as much.
const headGap = 128 << 10

var errClosed = errors.New("fetch: read after close")

// newHead takes over the body of the first answer, which ends where the head does.
func newHead(ctx context.Context, first *reader) *head {
	ctx, cancel := context.WithCancel(ctx)
	// Its request was made before there was this context.
	answer := first.body
	context.AfterFunc(ctx, func() { _ = answer.Close() })
	first.ctx = ctx
	return &head{data: make([]byte, first.end), body: first, cancel: cancel, more: make(chan struct{})}
}

// end is where the head ends in the file.
func (h *head) end() int64 { return int64(len(h.data)) }

// begin has the bytes from off to end brought, and reports whether it will: not
// what lies behind the head, and not across many bytes that nobody wants.
func (h *head) begin(off, end int64) bool {
	if h == nil || off >= h.end() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if off > h.want+headGap {
		return false
	}
	h.want = max(h.want, min(end, h.end()))
	if h.have < h.want && !h.filling && h.err == nil {
		h.filling = true
		h.filler.Go(h.fill)
	}
	return true
}

// there is how many bytes have come.
func (h *head) there() int64 {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.have
}

// fill reads what is wanted.
func (h *head) fill() {
	for {
		h.mu.Lock()
		missing := h.data[h.have:h.want]
		if len(missing) == 0 || h.err != nil {
			h.filling = false
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		n, err := h.body.Read(missing)
		h.mu.Lock()
		h.have += int64(n)
		if h.err == nil {
			h.err = err
		}
		close(h.more)
		h.more = make(chan struct{})
		h.mu.Unlock()
	}
}

// wait returns what there is from off to end, when there is something. It has been
// begun.
func (h *head) wait(ctx context.Context, off, end int64) ([]byte, error) {
	for {
		h.mu.Lock()
		have, more, err := h.have, h.more, h.err
		h.mu.Unlock()
		switch {
		case off < have:
			return h.data[off:min(have, end)], nil
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

// close ends what is being brought, and waits for that.
func (h *head) close() {
	h.cancel()
	h.mu.Lock()
	if h.err == nil {
		h.err = errClosed
	}
	h.mu.Unlock()
	h.filler.Wait()
	_ = h.body.Close() // what was read is what counts
}

// headReader reads the bytes [off, end) of a head, as they come.
type headReader struct {
	*head
	ctx      context.Context // io.Reader has no place for one
	off, end int64
}

// Read implements [io.Reader].
func (r *headReader) Read(p []byte) (int, error) {
	switch {
	case r.off == r.end:
		return 0, io.EOF
	case r.ctx.Err() != nil: // closed, too
		return 0, context.Cause(r.ctx)
	}
	there, err := r.wait(r.ctx, r.off, r.end)
	n := copy(p, there)
	r.off += int64(n)
	return n, err
}
