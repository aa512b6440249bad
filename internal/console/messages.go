package console

import "time"

// The first message is printed when a run has taken a while: a silent log looks stuck.
// Another one is printed after this much more progress and at least this much time:
// GitLab truncates logs at 4 MiB, and shows the last 500 kB of them.
const (
	messageDelay = 3 * time.Second
	messageStep  = 10 // percent
	messagePause = 15 * time.Second
)

// messages reports progress in logs, where lines can't be erased. Its clock starts when
// an archive is planned: before that, a run only makes small requests or waits for a job.
type messages struct {
	say         func(Pace)
	since, said time.Time
	percent     int64 // of the last message
}

func (m *messages) show(p *Progress) {
	done, total := p.sum()
	if total == 0 {
		return
	}
	now, percent := p.now(), done*100/total
	if m.since.IsZero() {
		m.since = now
	}
	m.percent = min(m.percent, percent) // another archive has lowered it
	if done == total || !m.due(now, percent) {
		return
	}
	m.said, m.percent = now, percent
	perSecond := float64(done) / now.Sub(m.since).Seconds()
	left := time.Duration(float64(total-done) / perSecond * float64(time.Second))
	m.say(Pace{percent, total, int64(perSecond), left.Round(time.Second)})
}

func (m *messages) due(now time.Time, percent int64) bool {
	if m.said.IsZero() {
		return percent > 0 && now.Sub(m.since) >= messageDelay
	}
	return percent >= m.percent+messageStep && now.Sub(m.said) >= messagePause
}

func (m *messages) end() { *m = messages{say: m.say} }
