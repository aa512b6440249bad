package unzip

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// pool decodes regions side by side, each worker on a connection of its own. It
// begins with one worker more than there are CPUs, which is enough if the link or the
// CPU is the limit. It grows while more workers bring more bytes: if each connection
// is slow by itself, because it is throttled, far away, or new. The Go scheduler
// limits how many of them decompress at the same time. If the server refuses
// requests, half of the workers end, and the pool stops growing.
type pool struct {
	*shared
	*throttle
	group *errgroup.Group
	ctx   context.Context //nolint:containedctx // the group's: it ends with the first error
	sink  Sink
	queue queue
}

const (
	growthPeriod = 80 * time.Millisecond // at least
	growthTrips  = 4                     // and this many round trips
	growthGain   = 1.15                  // more connections must pay off by this factor
	growthWait   = 0.5                   // of the workers' time, if connections are the bottleneck
	// A new connection delivers nothing for three round trips and, because its window is
	// small, little for some more. By then, the others may have delivered the rest.
	growthPays = 8 // round trips
)

func newPool(ctx context.Context, src archive.Source, sink Sink, o Options) *pool {
	group, ctx := errgroup.WithContext(ctx)
	t := newThrottle(o.Pace)
	s := newShared(src, o, t.update)
	t.pieces = s.pieces
	return &pool{shared: s, throttle: t, group: group, ctx: ctx, sink: sink}
}

// run decodes all regions. The first error ends all workers.
func (p *pool) run(regions []region) error {
	p.queue.left, p.queue.onward = regions, p.src.Onward()
	p.start(min(p.opts.Workers, p.queue.waiting()+1, len(regions)))
	// A member of the group itself, so that Wait can't return while it adds workers.
	p.group.Go(func() error { p.grow(); return nil })
	defer p.freeDecoders()
	return p.group.Wait()
}

// start starts n workers.
func (p *pool) start(n int) {
	p.add(n)
	for range n {
		p.group.Go(p.work)
	}
}

// work decodes regions until there are none left, or the throttle stops it.
func (p *pool) work() error {
	w := newWorker(p.shared)
	defer w.close()
	for p.mayContinue() {
		r, more := p.queue.take(w)
		if !more {
			p.done()
			return nil
		}
		err := w.read(p.ctx, r, func(e *selected) error { return w.entry(p.ctx, e, p.sink) })
		if err != nil {
			p.done()
			return err
		}
	}
	return nil
}

// grow doubles the pool while its workers mostly wait for bytes, the last growth
// brought more of them per second, the limit isn't reached, and enough regions are left
// that new connections are worth it.
func (p *pool) grow() {
	period := max(growthPeriod, growthTrips*p.opts.RoundTrip)
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	// Bytes that came before the pool started say nothing about its connections.
	best, last, lastWaited := 0.0, p.src.Ahead(), int64(0)
	for p.room(p.queue.waiting()) > 0 {
		select {
		case <-p.idle:
			return
		case <-p.ctx.Done():
			return
		case <-ticker.C:
		}
		now, waited := p.moved.Load(), p.waited.Load()
		rate, wait := float64(now-last), waited-lastWaited
		last, lastWaited = now, waited
		if !p.mostlyWaited(time.Duration(wait), period) {
			continue
		}
		if rate < best*growthGain || p.soonDone(rate/period.Seconds()) {
			return
		}
		best = rate
		if more := p.room(p.queue.waiting()); more > 0 {
			p.start(more)
		}
	}
}

// soonDone reports whether the workers will have taken all regions before another
// connection would be of use, at a rate in bytes per second. It only gets higher.
func (p *pool) soonDone(rate float64) bool {
	return float64(p.queue.bytes()) < rate*(growthPays*p.opts.RoundTrip).Seconds()
}
