package unzip

import (
	"sync"
	"time"
)

// throttle says how many workers may run. When the server refuses requests, it halves
// that number and the memory for pieces, and never raises them again.
type throttle struct {
	refusals func() int64
	pieces   *piecePool
	idle     chan struct{} // closed when no worker is left
	once     sync.Once     // closes idle: more workers may start in that very moment

	mu      sync.Mutex
	active  int   // workers that run
	most    int   // workers that may run
	seen    int64 // refusals so far
	refused bool  // the server has refused a request
}

func newThrottle(p Pace) *throttle {
	return &throttle{refusals: p.Refusals, most: p.Connections, seen: p.Refusals(), idle: make(chan struct{})}
}

// update gives up half of the requests if the server has refused some since the last
// call.
func (t *throttle) update() {
	now := t.refusals()
	t.mu.Lock()
	defer t.mu.Unlock()
	if now > t.seen {
		t.seen, t.refused = now, true
		t.most = max(min(t.most, t.active)/2, 1)
		t.pieces.halve()
	}
}

// add counts n more workers.
func (t *throttle) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active += n
}

// mayContinue reports whether a worker may take another region. If not, the worker
// doesn't count any more.
func (t *throttle) mayContinue() bool {
	t.update()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active > t.most {
		t.active--
		return false
	}
	return true
}

// done counts one worker less.
func (t *throttle) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active--; t.active == 0 {
		t.once.Do(func() { close(t.idle) })
	}
}

// room returns how many workers may be added: as many as are running, within the limit
// and the number of regions that wait. After a refusal, it returns 0.
func (t *throttle) room(waiting int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused {
		return 0
	}
	return min(t.active, t.most-t.active, waiting)
}

// mostlyWaited reports whether the workers spent most of the last period waiting.
func (t *throttle) mostlyWaited(wait, period time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return wait.Seconds() > growthWait*period.Seconds()*float64(t.active)
}
