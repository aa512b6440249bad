package console

import (
	"sync"
	"time"
)

// Progress shows what a run is waiting for and how far its archives are: on a terminal as
// lines below the messages, elsewhere as messages. A nil Progress shows nothing.
type Progress struct {
	mu    sync.Mutex
	doing string // what the run is doing until something is planned
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

// view displays progress. Its methods are called with the progress locked.
type view interface {
	show(*Progress) // something has changed
	end()
}

// Pace is the content of a progress message.
type Pace struct {
	Percent   int64         // of the bytes
	Total     int64         // in bytes
	PerSecond int64         // in bytes
	Left      time.Duration // remaining time at this pace
}

// Progress returns the progress of a run. It is drawn if the messages go to a terminal.
// In a job log (inLog), even if the runner gives the job a terminal, on a terminal that
// can't erase, and if programs read the messages, it calls say now and then.
func (c *Console) Progress(inLog bool, say func(Pace)) *Progress {
	if c.Watched() && !c.JSON() && !inLog {
		return &Progress{view: &live{lines: bottom{c.screen}}, clock: c.Clock}
	}
	return &Progress{view: &messages{say: say}, clock: c.Clock}
}

// Doing sets what the run is doing until an archive is planned, such as "looking for the
// job".
func (p *Progress) Doing(what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doing, p.since = what, p.now()
	p.view.show(p)
}

// Restart starts over at zero, because an archive has changed.
func (p *Progress) Restart() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.parts = nil
		p.view.end()
	}
}

// End removes what was drawn.
func (p *Progress) End() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.view.end()
	}
}

// sum returns the finished and the total bytes of all archives.
func (p *Progress) sum() (done, total int64) {
	for _, a := range p.parts {
		done, total = done+a.done, total+a.total
	}
	return min(done, total), total
}

// Part is the progress of one archive. If the whole archive must be downloaded first, it
// measures that, otherwise reading it.
type Part struct {
	of          *Progress
	name        string
	shown       bool // it is among the parts, or was before a restart
	spooled     bool
	done, total int64
	rate        rate
}

// Part returns the progress of another archive. Its name is the job's or the file's.
func (p *Progress) Part(name string) *Part { return &Part{of: p, name: name} }

// Spool sets how much of an archive is on disk, in bytes. A download that starts over may
// have another total. A negative total is unknown.
func (a *Part) Spool(have, total int64) {
	if a.of != nil && total >= 0 {
		a.change(func() { a.spooled, a.done, a.total = true, have, total })
	}
}

// Plan sets how many bytes of the archive will be read.
func (a *Part) Plan(bytes int64) {
	if a.of != nil {
		a.change(func() {
			if !a.spooled {
				a.total += bytes
			}
		})
	}
}

// Read adds n bytes that were read.
func (a *Part) Read(n int) {
	if a.of != nil {
		a.change(func() {
			if !a.spooled {
				a.done += int64(n)
			}
		})
	}
}

// change changes the part's progress. The first change adds it to the shown parts.
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
