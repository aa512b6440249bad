package extract

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// crew decodes regions side by side, each worker on a connection of its own. It
// begins with one more than there are CPUs, which is enough where link or CPU are
// the limit, and grows while more of them bring more bytes: where each connection
// is slow by itself, because it is throttled, far away, or new. How many of them
// decompress at the same time is up to the Go scheduler, which runs no more than
// there are CPUs. When the server shows that it has enough, half of them end, and
// the crew grows no more.
type crew struct {
	*errgroup.Group
	ctx   context.Context // the group's, which ends with its first error
	stage *Stage
	src   Source
	opts  Options
	next  chan region

	budget   *pieceBudget
	decoders decoders
	moved    atomic.Int64  // bytes that have arrived
	waited   atomic.Int64  // nanoseconds that workers have waited for bytes
	over     chan struct{} // closed when all workers have ended
	once     sync.Once     // closes it

	mu     sync.Mutex
	active int   // workers that have not ended
	most   int   // that may be
	strain int64 // the last that was seen

	strained bool // the server has had enough once
}

const (
	growthPeriod = 80 * time.Millisecond // a few round trips
	growthGain   = 1.15                  // by which more connections have to pay off
	growthWait   = 0.5                   // of their time that workers have to wait, or connections are not what they lack
)

func newCrew(ctx context.Context, group *errgroup.Group, s *Stage, src Source, o Options) *crew {
	c := &crew{Group: group, ctx: ctx, stage: s, src: src, opts: o, most: o.Connections, over: make(chan struct{}), strain: o.Strain()}
	c.budget = newPieceBudget(max(spreadTotal/o.Share, 1), c.ease)
	return c
}

// work decodes all regions. The first error ends all.
func (c *crew) work(regions []region) error {
	c.next = make(chan region, len(regions))
	for _, r := range regions {
		c.next <- r
	}
	close(c.next)
	c.hire(min(c.opts.Workers, len(regions)))
	// A member of the group itself, so that Wait cannot return while it hires.
	c.Go(func() error { c.grow(); return nil })
	defer c.decoders.closeIdle()
	return c.Wait()
}

// hire adds n workers.
func (c *crew) hire(n int) {
	c.mu.Lock()
	c.active += n
	c.mu.Unlock()
	for range n {
		c.Go(func() error {
			w := newWorker(c)
			defer w.close()
			for c.stay() {
				r, more := <-c.next
				if !more {
					c.leave()
					return nil
				}
				if err := w.region(c.ctx, r); err != nil {
					c.leave()
					return err
				}
			}
			return nil
		})
	}
}

// ease gives up half of the requests when the server has refused or broken off
// some since it was asked last.
func (c *crew) ease() {
	now := c.opts.Strain()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now > c.strain {
		c.strain, c.strained = now, true
		c.most = max(min(c.most, c.active)/2, 1)
		c.budget.halve()
	}
}

// stay reports whether a worker may take another region. If not, it has left.
func (c *crew) stay() bool {
	c.ease()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active > c.most {
		c.active--
		return false
	}
	return true
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active--; c.active == 0 {
		c.once.Do(func() { close(c.over) })
	}
}

// room is by how many the crew may grow: it doubles, up to its limit. Once the
// server has had enough, that is what has remained.
func (c *crew) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.strained {
		return 0
	}
	return min(c.active, c.most-c.active, len(c.next))
}

// ahead is how many bytes of a source are there already, if it can tell.
func ahead(src Source) int64 {
	if s, ok := src.(interface{ Ahead() int64 }); ok {
		return s.Ahead()
	}
	return 0
}

// grow doubles the crew as long as its workers mostly wait for bytes, the last
// time has brought more of them a second, there is work left, and the limit is
// not reached.
func (c *crew) grow() {
	ticker := time.NewTicker(growthPeriod)
	defer ticker.Stop()
	// What came before there was a crew says nothing about its connections.
	best, last, lastWaited := 0.0, ahead(c.src), int64(0)
	for c.room() > 0 {
		select {
		case <-c.over:
			return
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
		now, waited := c.moved.Load(), c.waited.Load()
		rate, wait := float64(now-last), waited-lastWaited
		last, lastWaited = now, waited
		if !c.waits(time.Duration(wait)) {
			continue
		}
		if rate < best*growthGain {
			return
		}
		best = rate
		if more := c.room(); more > 0 {
			c.hire(more)
		}
	}
}

// waits reports whether the workers spent most of the last period waiting.
func (c *crew) waits(wait time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wait.Seconds() > growthWait*growthPeriod.Seconds()*float64(c.active)
}
