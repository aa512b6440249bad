package unzip

import "sync"

// queue holds the regions that no worker has taken yet. The worker that asks first takes
// them from the front, where the source may still be reading its first answer: each of
// its regions continues on that connection. The others take them from the end.
type queue struct {
	mu     sync.Mutex
	front  *worker
	onward int64 // that connection brings the bytes until there
	left   []region
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

// bytes returns how many bytes no worker has taken yet.
func (q *queue) bytes() (n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.left {
		n += r.end - r.off
	}
	return n
}

// waiting returns for how many regions more workers pay off: not for those that the worker
// at the front reads sooner. A worker that has nothing else to do takes these, too.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.left)
	for i := 0; i < len(q.left) && q.left[i].end <= q.onward; i++ {
		n--
	}
	return n
}
