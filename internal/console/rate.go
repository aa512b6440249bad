package console

import "time"

// The rate is measured over the last seconds; after a while without bytes, it stalls.
const (
	rateStep  = 500 * time.Millisecond
	rateSteps = 8
	stall     = 3 * time.Second
)

// rate measures how fast an archive arrives.
type rate struct {
	since time.Time // the start
	moved time.Time // the arrival of the last byte
	done  int64
	marks []mark // oldest first
}

// mark is the progress at a time.
type mark struct {
	at   time.Time
	done int64
}

// note records the number of finished bytes. A smaller number starts over.
func (r *rate) note(done int64, now time.Time) {
	if r.since.IsZero() || done < r.done {
		*r = rate{since: now, moved: now, done: done, marks: []mark{{now, done}}}
		return
	}
	if done > r.done {
		r.moved, r.done = now, done
	}
	if now.Sub(r.marks[len(r.marks)-1].at) < rateStep {
		return
	}
	if r.marks = append(r.marks, mark{now, done}); len(r.marks) > rateSteps {
		r.marks = r.marks[1:]
	}
}

// perSecond returns the bytes per second, or 0 if that isn't known yet.
func (r *rate) perSecond(now time.Time) int64 {
	oldest := r.marks[0]
	if took := now.Sub(oldest.at).Seconds(); took > 0 {
		return int64(float64(r.done-oldest.done) / took)
	}
	return 0
}

// left returns the remaining time, or 0 if that isn't known.
func (r *rate) left(bytes int64, now time.Time) time.Duration {
	perSecond := r.perSecond(now)
	if perSecond <= 0 || bytes/perSecond > maxSpan {
		return 0
	}
	return time.Duration(float64(bytes) / float64(perSecond) * float64(time.Second)).Round(time.Second)
}

// stalled returns for how long nothing has arrived, or 0 if that isn't long.
func (r *rate) stalled(now time.Time) time.Duration {
	if d := now.Sub(r.moved).Truncate(time.Second); d >= stall {
		return d
	}
	return 0
}
