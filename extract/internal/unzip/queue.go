package unzip

import "sync"

// queue holds the regions that no worker has taken yet. The worker that asks first takes
// them from the front, where the source may still be reading its first answer: each of
// its regions continues on that connection. The others take them from the end.
type queue struct {
	mu    sync.Mutex
	front *worker
	left  []region
}

// take returns the next region for a worker, and false if there are none left.
func (q *queue) take(w *worker) (r region, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.front == nil {
		q.front = w
	}
	n := len(q.left)
	switch {
	case n == 0:
		return region{}, false
	case q.front == w:
		r, q.left = q.left[0], q.left[1:]
	default:
		r, q.left = q.left[n-1], q.left[:n-1]
	}
	return r, true
}

// len returns how many regions are left.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.left)
}
