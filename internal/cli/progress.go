package cli

import (
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"
)

// progress tells how far a run is, in bytes of archives that have come: by a bar
// where a person watches, by a message now and then elsewhere. Nil tells nothing.
type progress struct {
	mu          sync.Mutex
	done, total int64
	view        view
}

// view shows progress. Time counts from when it is shown for the first time: before
// that a run asks around, or waits for a job.
type view interface {
	show(done, total int64)
	end()
}

// newProgress is nil where nobody wants to know.
func newProgress(c *cli.Context, s *session) *progress {
	w, ok := c.App.ErrWriter.(*screen)
	if !ok || c.Bool("no-progress") || c.Bool("quiet") {
		return nil
	}
	// A job log is none that could be written over, though a runner gives it a terminal.
	if w.isTerminal() && !w.json.Load() && !s.cfg.InCI {
		return &progress{view: &bar{line: bottom{w}}}
	}
	return &progress{view: &messages{log: s.log}}
}

func (p *progress) move(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = p.done+done, p.total+total
	if p.total > 0 {
		p.view.show(min(p.done, p.total), p.total)
	}
}

// again begins anew: an archive has changed.
func (p *progress) again() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done, p.total = 0, 0
		p.view.end()
	}
}

func (p *progress) end() {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.view.end()
	}
}

// part is the progress of one archive. Where it has to be put on disk first, that is
// what takes time, and else what is read of it to extract it.
type part struct {
	of          *progress
	spooled     bool
	have, total int64 // of what is spooled
}

func (p *progress) part() *part { return &part{of: p} }

// spool is told about an archive that is put on disk. If that starts over, the archive
// may be another one.
func (a *part) spool(have, total int64) {
	if a.of == nil || total < 0 {
		return
	}
	if total != a.total {
		a.of.move(0, total-a.total)
	}
	a.of.move(have-a.have, 0)
	a.spooled, a.have, a.total = true, have, total
}

// plan is told how much is going to be read to extract it.
func (a *part) plan(bytes int64) {
	if a.of != nil && !a.spooled {
		a.of.move(0, bytes)
	}
}

// read is told what was.
func (a *part) read(n int) {
	if a.of != nil && !a.spooled {
		a.of.move(int64(n), 0)
	}
}

// A message comes when so much more is done and so much time has gone by, whichever
// is later: GitLab cuts logs off at 4 MiB, and shows the last 500 kB of them.
const (
	messageStep  = 10 // per cent
	messagePause = 15 * time.Second
)

// messages are for logs, which cannot take anything back.
type messages struct {
	log         zerolog.Logger
	since, said time.Time
	percent     int64 // when something was said last
}

func (m *messages) show(done, total int64) {
	now, percent := time.Now(), done*100/total
	if m.since.IsZero() {
		m.since, m.said = now, now
	}
	m.percent = min(m.percent, percent) // another archive has made it less
	if done == total || percent < m.percent+messageStep || now.Sub(m.said) < messagePause {
		return
	}
	m.said, m.percent = now, percent
	perSecond := float64(done) / now.Sub(m.since).Seconds()
	left := time.Duration(float64(total-done) / perSecond * float64(time.Second))
	m.log.Info().Int64("percent", percent).Str("of", iec(total)).Str("rate", iec(int64(perSecond))+"/s").
		Stringer("left", left.Round(time.Second)).Msg("under way")
}

func (m *messages) end() { *m = messages{log: m.log} }

// A bar is drawn when there is something to watch.
const (
	barDelay = 300 * time.Millisecond
	barPause = 100 * time.Millisecond
	barWidth = 78 // characters
)

const barTemplate = pb.ProgressBarTemplate(`{{counters .}} {{bar . "[" "=" ">" " " "]"}} {{percent .}} {{speed . "%s/s" "?/s"}} {{rtime . "%s left" "%s" "? left"}}`)

// bar is for terminals.
type bar struct {
	line  bottom
	since time.Time
	drawn time.Time
	bar   *pb.ProgressBar // nil until it is drawn
}

func (b *bar) show(done, total int64) {
	now := time.Now()
	if b.since.IsZero() {
		b.since = now
	}
	if now.Sub(b.since) < barDelay || now.Sub(b.drawn) < barPause {
		return
	}
	if b.bar == nil {
		// It is drawn when there is something to show, and not by a clock of its own.
		b.bar = barTemplate.New(0).Set(pb.Bytes, true).Set(pb.Static, true).SetWriter(b.line).Start()
	}
	b.drawn = now
	b.bar.SetWidth(min(barWidth, b.line.width())).SetTotal(total).SetCurrent(done).Write()
}

func (b *bar) end() {
	if b.bar != nil {
		b.line.clear()
	}
	*b = bar{line: b.line}
}
