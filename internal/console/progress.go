package console

import (
	"sync"
	"time"
)

// Progress shows what a run waits for, and how far its archives are: on a terminal by
// lines below the messages, elsewhere by messages. A nil Progress shows nothing.
type Progress struct {
	mu    sync.Mutex
	doing string // what the run does before anything is planned
	since time.Time
	parts []*Part
	view  view
	clock func() time.Time // nil means the machine's
}

func (p *Progress) now() time.Time {
	if p.clock == nil {
		return time.Now()
	}
	return p.clock()
}

// view shows progress. Its methods are called with the lock of the progress held.
type view interface {
	show(*Progress) // something has changed
	end()
}

// Pace is what a message of progress says.
type Pace struct {
	Percent   int64         // of the bytes that are done
	Total     int64         // in bytes
	PerSecond int64         // in bytes
	Left      time.Duration // at this pace
}

// Progress returns the progress of a run. It is drawn if the messages go to a
// terminal. A job log isn't one, even if its runner gives the job a terminal, and a
// terminal that can't erase won't do: there (inLog), and where programs read the
// messages, say gets a message now and then.
func (c *Console) Progress(inLog bool, say func(Pace)) *Progress {
	if c.Watched() && !c.JSON() && !inLog {
		return &Progress{view: &live{lines: bottom{c.screen}}, clock: c.Clock}
	}
	return &Progress{view: &messages{say: say}, clock: c.Clock}
}

// Doing notes what the run does from now on, until an archive is planned: "looking for
// the job".
func (p *Progress) Doing(what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doing, p.since = what, p.now()
	p.view.show(p)
}

// Restart begins at zero, because an archive has changed.
func (p *Progress) Restart() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.parts = nil
		p.view.end()
	}
}

// End takes away what was drawn.
func (p *Progress) End() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.view.end()
	}
}

// sum returns how many bytes of all archives are done, and how many there are.
func (p *Progress) sum() (done, total int64) {
	for _, a := range p.parts {
		done, total = done+a.done, total+a.total
	}
	return min(done, total), total
}

// Part is the progress of one archive. If the whole archive has to be downloaded
// first, that is what takes time; otherwise it is reading it.
type Part struct {
	of          *Progress
	name        string
	shown       bool // it is among the parts, or was before a restart
	spooled     bool
	done, total int64
	rate        rate
}

// Part returns the progress of another archive. Its name is that of its job, or of its
// file.
func (p *Progress) Part(name string) *Part { return &Part{of: p, name: name} }

// Spool notes how much of an archive is on disk, in bytes. A download that starts over
// may have another total. A negative total is unknown.
func (a *Part) Spool(have, total int64) {
	if a.of != nil && total >= 0 {
		a.change(func() { a.spooled, a.done, a.total = true, have, total })
	}
}

// Plan notes how many bytes of the archive will be read.
func (a *Part) Plan(bytes int64) {
	if a.of != nil {
		a.change(func() {
			if !a.spooled {
				a.total += bytes
			}
		})
	}
}

// Read notes that n bytes more were read.
func (a *Part) Read(n int) {
	if a.of != nil {
		a.change(func() {
			if !a.spooled {
				a.done += int64(n)
			}
		})
	}
}

// change changes how far the part is. The first change makes it one that is shown.
func (a *Part) change(how func()) {
	p := a.of
	p.mu.Lock()
	defer p.mu.Unlock()
	if how(); !a.shown {
		a.shown, p.parts = true, append(p.parts, a)
	}
	a.rate.note(a.done, p.now())
	p.view.show(p)
}
