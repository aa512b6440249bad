//go:build linux

package slownet

import (
	"sync"
	"time"
)

const (
	segmentSize   = 1460
	initialWindow = 10 * segmentSize
	// largestWindow is Linux's default limit for a receiver: half of the 6 MiB in
	// tcp_rmem.
	largestWindow = 3 << 20
	// minTimeout is what Linux adds to the round trip for a retransmission timeout.
	minTimeout = 200 * time.Millisecond
	// ackShare is the maximum number of acknowledgements in a round trip. With one for each
	// piece, pieces would become smaller and smaller.
	ackShare = 128
)

// window is how many bytes a sender may have in transit, as Linux computes it in slow
// start (net/ipv4/tcp_output.c: tcp_cwnd_validate, tcp_cwnd_restart; tcp_input.c:
// tcp_ack).
type window struct {
	rtt     time.Duration
	arrival chan struct{} // holds one token if something arrived since the sender last looked

	mu          sync.Mutex
	size        int64
	sent, acked int64 // bytes so far
	acks        []ack // on their way back
	last        time.Time

	limited bool  // the sender used the whole window
	most    int64 // the most bytes in transit in the window that ends at mark
	mark    int64
}

// ack acknowledges all bytes before end.
type ack struct {
	end int64
	at  time.Time
}

func newWindow(rtt time.Duration) *window {
	w := &window{rtt: rtt, size: initialWindow, arrival: make(chan struct{}, 1)}
	if rtt == 0 {
		w.size = largestWindow
	}
	return w
}

// take returns how many of n bytes may leave now. If none may, next is when the next
// acknowledgement arrives, or zero if none is coming.
func (w *window) take(n int64, now time.Time) (taken int64, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.acks) > 0 && !w.acks[0].at.After(now) {
		w.settle(w.acks[0].end)
		w.acks = w.acks[1:]
	}
	if w.sent == w.acked {
		w.decay(now)
	}
	taken = max(0, min(n, w.size-(w.sent-w.acked)))
	if taken == 0 && len(w.acks) > 0 {
		next = w.acks[0].at
	}
	if taken > 0 {
		w.sent += taken
		w.last = now
		w.validate()
	}
	return taken, next
}

// settle processes an acknowledgement. The window grows if the sender used it.
func (w *window) settle(end int64) {
	n := end - w.acked
	w.acked = end
	if w.limited || w.size < 2*w.most {
		w.size = min(w.size+n, largestWindow)
	}
}

// validate records how much of the window the sender uses.
func (w *window) validate() {
	flight := w.sent - w.acked
	limited := flight >= w.size
	if w.acked >= w.mark || limited || !w.limited && flight > w.most {
		w.limited, w.most, w.mark = limited, flight, w.sent
	}
}

// decay halves the window for each timeout without sending.
func (w *window) decay(now time.Time) {
	if w.last.IsZero() || w.rtt == 0 {
		return
	}
	timeout := w.rtt + minTimeout
	for idle := now.Sub(w.last) - timeout; idle > 0 && w.size > initialWindow; idle -= timeout {
		w.size = max(w.size/2, initialWindow)
	}
}

// arrived records that all bytes before end have reached the receiver, and that its
// acknowledgement arrives at the given time.
func (w *window) arrived(end int64, at time.Time) {
	w.mu.Lock()
	if last := len(w.acks) - 1; last >= 0 && at.Sub(w.acks[last].at) < w.rtt/ackShare {
		w.acks[last].end = end
	} else {
		w.acks = append(w.acks, ack{end, at})
	}
	w.mu.Unlock()
	select {
	case w.arrival <- struct{}{}:
	default: // the sender will check anyway
	}
}
