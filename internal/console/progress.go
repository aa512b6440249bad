package console

import (
	"sync"
	"time"
)

// Progress shows how far a run is, in bytes of archives: by a bar on a terminal, by
// messages elsewhere. A nil Progress shows nothing.
type Progress struct {
	mu          sync.Mutex
	done, total int64
	view        view
}

// view shows progress. Its clock starts when it is shown for the first time: before
// that, a run only makes small requests or waits for a job.
type view interface {
	show(done, total int64)
	end()
}

// Pace is what a message of progress says.
type Pace struct {
	Percent   int64         // of the bytes that are done
	Total     int64         // in bytes
	PerSecond int64         // in bytes
	Left      time.Duration // at this pace
}

// Progress returns the progress of a run. It is a bar if the messages go to a
// terminal. A job log isn't one, even if its runner gives the job a terminal: there
// (inJob), and where programs read the messages, say gets a message now and then.
func (c *Console) Progress(inJob bool, say func(Pace)) *Progress {
	if c.Watched() && !c.JSON() && !inJob {
		return &Progress{view: &bar{line: bottom{c.screen}}}
	}
	return &Progress{view: &messages{say: say}}
}

func (p *Progress) move(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = p.done+done, p.total+total
	if p.total > 0 {
		p.view.show(min(p.done, p.total), p.total)
	}
}

// Restart begins at zero, because an archive has changed.
func (p *Progress) Restart() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done, p.total = 0, 0
		p.view.end()
	}
}

// End takes the bar away.
func (p *Progress) End() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.view.end()
	}
}

// Part is the progress of one archive. If the whole archive has to be downloaded
// first, that is what takes time; otherwise it is reading it.
type Part struct {
	of          *Progress
	spooled     bool
	have, total int64 // of the download to disk
}

// Part returns the progress of another archive.
func (p *Progress) Part() *Part { return &Part{of: p} }

// Spool notes how much of an archive is on disk, in bytes. A download that starts over
// may have another total. A negative total is unknown.
func (a *Part) Spool(have, total int64) {
	if a.of == nil || total < 0 {
		return
	}
	if total != a.total {
		a.of.move(0, total-a.total)
	}
	a.of.move(have-a.have, 0)
	a.spooled, a.have, a.total = true, have, total
}

// Plan notes how many bytes of the archive will be read.
func (a *Part) Plan(bytes int64) {
	if a.of != nil && !a.spooled {
		a.of.move(0, bytes)
	}
}

// Read notes that n bytes more were read.
func (a *Part) Read(n int) {
	if a.of != nil && !a.spooled {
		a.of.move(int64(n), 0)
	}
}

// A message comes when both this much more is done and this much time has passed:
// GitLab truncates logs at 4 MiB, and shows the last 500 kB of them.
const (
	messageStep  = 10 // per cent
	messagePause = 15 * time.Second
)

// messages are for logs, where nothing can be erased.
type messages struct {
	say         func(Pace)
	since, said time.Time
	percent     int64 // of the last message
}

func (m *messages) show(done, total int64) {
	now, percent := time.Now(), done*100/total
	if m.since.IsZero() {
		m.since, m.said = now, now
	}
	m.percent = min(m.percent, percent) // another archive has lowered it
	if done == total || percent < m.percent+messageStep || now.Sub(m.said) < messagePause {
		return
	}
	m.said, m.percent = now, percent
	perSecond := float64(done) / now.Sub(m.since).Seconds()
	left := time.Duration(float64(total-done) / perSecond * float64(time.Second))
	m.say(Pace{percent, total, int64(perSecond), left.Round(time.Second)})
}

func (m *messages) end() { *m = messages{say: m.say} }
