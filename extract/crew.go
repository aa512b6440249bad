package extract

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// crew decodes regions side by side, each worker on a connection of its own. It
// begins with as many as there are CPUs, which is enough where link or CPU are
// the limit, and grows while more of them bring more bytes: where each
// connection is slow by itself, because it is throttled, far away, or new. How
// many of them decompress at the same time is up to the Go scheduler, which runs
// no more than there are CPUs.
type crew struct {
	*errgroup.Group
	ctx   context.Context // the group's, which ends with its first error
	stage *Stage
	src   Source
	opts  Options
	next  chan region

	budget pieceBudget
	moved  atomic.Int64 // bytes that have arrived
	size   int          // workers that were hired; known to grow alone

	active atomic.Int64  // workers that have not ended
	over   chan struct{} // closed when all have
	once   sync.Once
}

const (
	growthPeriod = 80 * time.Millisecond // a few round trips
	growthGain   = 1.15                  // by which more connections have to pay off
)

// work decodes all regions. The first error ends all.
func (c *crew) work(regions []region) error {
	c.next = make(chan region, len(regions))
	for _, r := range regions {
		c.next <- r
	}
	close(c.next)
	c.over = make(chan struct{})
	c.hire(min(c.opts.Workers, len(regions)))
	// A member of the group itself, so that Wait cannot return while it hires.
	c.Go(func() error { c.grow(); return nil })
	return c.Wait()
}

// hire adds n workers.
func (c *crew) hire(n int) {
	c.size += n
	c.active.Add(int64(n))
	for range n {
		c.Go(func() error {
			defer func() {
				if c.active.Add(-1) == 0 {
					c.once.Do(func() { close(c.over) })
				}
			}()
			w := newWorker(c)
			defer w.close()
			for r := range c.next {
				if err := w.region(c.ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// grow doubles the crew as long as the last time has brought more bytes a
// second, there is work left, and the limit is not reached.
func (c *crew) grow() {
	ticker := time.NewTicker(growthPeriod)
	defer ticker.Stop()
	best, last := 0.0, int64(0)
	for c.size < c.opts.Connections && len(c.next) > 0 {
		select {
		case <-c.over:
			return
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
		now := c.moved.Load()
		rate := float64(now - last)
		if last = now; rate < best*growthGain {
			return
		}
		best = rate
		if more := min(c.size, c.opts.Connections-c.size, len(c.next)); more > 0 {
			c.hire(more)
		}
	}
}
