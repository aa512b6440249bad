package fetch

import (
	"context"
	"net/http"
	"sync"
)

// tail is the part of a file that other connections than the first deliver, in parts.
type tail struct {
	size     int64 // of the file, as GitLab lists it
	layout   layout
	arrivals []*arrival
}

// giveUp closes its streams.
func (t *tail) giveUp() {
	for _, a := range t.arrivals {
		a.close()
	}
	*t = tail{}
}

// early requests the tail while the first answer is on its way: as soon as GitLab has
// redirected to its storage and a listing has given the size.
type early struct {
	remote  *remote
	ctx     context.Context // of the file
	o       Options
	stop    chan struct{} // closed when the first answer arrives
	waiting sync.WaitGroup

	mu    sync.Mutex
	tail  tail
	began bool // it waits for the size, or knows it
}

// early returns nil if it can't know the tail before the first answer, or if it isn't
// worth it.
func (r *remote) early(ctx context.Context, o Options) *early {
	if o.Partial || o.Connections == 1 || o.Size <= 0 && o.Soon == nil || !o.Servers.ranges(r.origin) {
		return nil
	}
	return &early{remote: r, ctx: ctx, o: o, stop: make(chan struct{})}
}

// redirected is called when GitLab has redirected the first request to storage.
func (e *early) redirected(storage http.Header) {
	if e == nil {
		return
	}
	e.begin()
	e.narrow(storage)
}

// narrow shortens the first request to what will be read on its connection, if the size
// is known. It is called again once storage is connected, two round trips later.
func (e *early) narrow(first http.Header) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.tail.arrivals) > 0 {
		question{kind: askSpan, end: e.tail.layout.front}.ask(first)
	}
}

func (e *early) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began {
		return
	}
	e.began = true
	size := e.o.Size
	if size <= 0 {
		select {
		case listed := <-e.o.Soon:
			size = listed.Size
		default:
			e.waiting.Go(e.wait)
		}
	}
	e.request(size)
}

// wait waits for the size, but no longer than for the first answer.
func (e *early) wait() {
	select {
	case listed := <-e.o.Soon:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.request(listed.Size)
	case <-e.stop:
	}
}

func (e *early) request(size int64) {
	if size <= 0 {
		return
	}
	l := e.remote.layout(e.o, size, 0) // they start at about the same time as the first answer
	e.tail = tail{size, l, e.remote.bring(e.ctx, size, l.others)}
}

// result stops making requests, and returns those it has made.
func (e *early) result() tail {
	if e == nil {
		return tail{}
	}
	close(e.stop)
	e.waiting.Wait()
	return e.tail
}

// bring requests the parts that begin at these places, up to the end of the file.
func (r *remote) bring(ctx context.Context, size int64, places []int64) []*arrival {
	var arrivals []*arrival
	for i, off := range places {
		end := size
		if i+1 < len(places) {
			end = places[i+1]
		}
		a := arrive(ctx, r.reader(ctx, off, end), end)
		a.all()
		arrivals = append(arrivals, a)
	}
	return arrivals
}
