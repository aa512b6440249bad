package fetch

import (
	"context"
	"errors"
	"io"
	"sync"
)

// A head buffers the first MiB of a large file, which the opening request returns.
// Readers share the buffer, so no byte is requested twice. It reads only as far as they
// ask; the rest stays unread on the open connection.
type head struct {
	data []byte // of the final length

	cancel context.CancelFunc
	filler sync.WaitGroup
	body   *reader // the filler's

	mu      sync.Mutex
	have    int64         // bytes that have arrived
	want    int64         // bytes that readers have asked for
	filling bool          // fill runs
	more    chan struct{} // closed, and replaced, when have or err changes
	err     error         // why no more will arrive
}

// headGap is how many bytes are read that no reader asked for, to get at those after
// them: a request of their own would cost as much.
const headGap = 128 << 10

var errClosed = errors.New("fetch: read after close")

// newHead takes over the body of the first answer, which ends where the head ends.
func newHead(ctx context.Context, first *reader) *head {
	ctx, cancel := context.WithCancel(ctx)
	// The request was made before this context existed.
	answer := first.body
	context.AfterFunc(ctx, func() { _ = answer.Close() })
	first.ctx = ctx
	return &head{data: make([]byte, first.end), body: first, cancel: cancel, more: make(chan struct{})}
}

// end is where the head ends in the file.
func (h *head) end() int64 { return int64(len(h.data)) }

// begin starts to read the bytes from off to end, and reports whether it does: not if
// they are after the head, nor if many bytes before them aren't needed.
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

// there returns how many bytes have arrived.
func (h *head) there() int64 {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.have
}

// fill reads the bytes that readers have asked for.
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

// wait waits for bytes from off to end, which begin has started to read, and returns
// those that have arrived.
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

// close stops fill, and waits for it to end.
func (h *head) close() {
	h.cancel()
	h.mu.Lock()
	if h.err == nil {
		h.err = errClosed
	}
	h.mu.Unlock()
	h.filler.Wait()
	_ = h.body.Close() // what was read counts
}

// headReader reads the bytes [off, end) of a head, as they arrive.
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
