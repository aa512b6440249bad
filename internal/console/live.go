package console

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// When and how to draw lines of progress.
const (
	liveDelay = 300 * time.Millisecond
	livePause = 100 * time.Millisecond
	liveParts = 8  // maximum of lines
	unknown   = 78 // columns of a terminal of unknown width
)

// live draws progress below the messages of a terminal, with a line for each unfinished
// archive. It has its own clock, so it can also show that nothing arrives.
type live struct {
	lines bottom
	ended chan struct{} // nil if nothing is drawn
	since time.Time
}

func (l *live) show(p *Progress) {
	if l.ended != nil {
		return
	}
	l.ended, l.since = make(chan struct{}), p.now()
	go l.run(p, l.ended)
}

// run draws until ended is closed.
func (l *live) run(p *Progress, ended <-chan struct{}) {
	clock := time.NewTimer(liveDelay)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			l.draw(p, ended)
			clock.Reset(livePause)
		case <-ended:
			return
		}
	}
}

func (l *live) draw(p *Progress, ended <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-ended: // in the meantime
	default:
		l.lines.draw(p.draw(p.now(), l.since, l.lines.width()))
	}
}

func (l *live) end() {
	if l.ended != nil {
		close(l.ended)
		l.ended = nil
		l.lines.clear()
	}
}

// draw returns the lines of a run that started at since, no wider than columns.
func (p *Progress) draw(now, since time.Time, columns int) []string {
	if _, total := p.sum(); total == 0 {
		return []string{cut(spinner(now.Sub(since))+" "+p.wait(now), columns)}
	}
	shown := p.unfinished()
	more := len(shown) - liveParts
	if more > 0 {
		shown = shown[:liveParts]
	}
	names := 0
	for _, a := range shown {
		names = max(names, columnsOf(a.name))
	}
	var lines []string
	for _, a := range shown {
		lines = append(lines, a.line(now, names, columns))
	}
	if more > 0 {
		lines = append(lines, cut(fmt.Sprintf("and %d more", more), columns))
	}
	return lines
}

// unfinished returns the archives that aren't finished, or the last one if all are.
func (p *Progress) unfinished() (list []*Part) {
	for _, a := range p.parts {
		if a.done < a.total {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		list = p.parts[len(p.parts)-1:]
	}
	return list
}

func spinner(d time.Duration) string { return string(`|/-\`[d/livePause%4]) }

// wait says what the run is waiting for, and for how long if it takes long.
func (p *Progress) wait(now time.Time) string {
	if d := now.Sub(p.since).Truncate(time.Second); d >= stall {
		return p.doing + ", " + d.String()
	}
	return p.doing
}

// Fields of a line. If there isn't room for all, the bar is removed first, then the
// remaining time, then the rate, or the bytes if nothing arrives; the name is truncated
// last.
const (
	barLeast = 10 // minimum columns of the bar
	barMost  = 40
	nameMost = 30
)

// line returns one line of progress. All names get the same width, so bars are aligned.
func (a *Part) line(now time.Time, names, columns int) string {
	fields := a.fields(now)
	names = min(names, nameMost)
	if room := columns - names - columnsOf(join(fields)) - len("  []  "); room >= barLeast {
		return pad(a.name, names) + "  " + bar(a.done, a.total, min(room, barMost)) + "  " + strings.TrimRight(join(fields), " ")
	}
	for i, field := range fields {
		fields[i] = strings.TrimSpace(field)
	}
	for len(fields) > 2 && names+len("  ")+columnsOf(join(fields)) > columns {
		drop := len(fields) - 1
		if a.rate.stalled(now) > 0 {
			drop = 1
		}
		fields = slices.Delete(fields, drop, drop+1)
	}
	names = max(min(names, columns-len("  ")-columnsOf(join(fields))), 1)
	return cut(pad(a.name, names)+"  "+join(fields), columns)
}

func join(fields []string) string { return strings.Join(fields, "  ") }

// pad makes text exactly that wide.
func pad(text string, columns int) string {
	text = cut(text, columns)
	return text + strings.Repeat(" ", columns-columnsOf(text))
}

// fields returns an archive's progress: percent, bytes, and the rate and the remaining
// time, or for how long nothing has arrived. Their width doesn't change.
func (a *Part) fields(now time.Time) []string {
	percent := int64(100)
	if a.total > 0 {
		percent = int64(float64(min(a.done, a.total)) / float64(a.total) * 100)
	}
	fields := []string{fmt.Sprintf("%3d %%", percent), fmt.Sprintf("%15s", sizes(a.done, a.total))}
	if a.done >= a.total {
		return fields
	}
	if d := a.rate.stalled(now); d > 0 {
		return append(fields, "stalled for "+d.String())
	}
	fields = append(fields, fmt.Sprintf("%10s/s", Size(a.rate.perSecond(now))))
	if left := a.rate.left(a.total-a.done, now); left > 0 {
		fields = append(fields, fmt.Sprintf("%-12s", left.String()+" left"))
	}
	return fields
}

// sizes formats how much of total is done, in the unit of total: "1.5/29.8 MiB".
func sizes(done, total int64) string {
	all := Size(total)
	value, unit, _ := strings.Cut(all, " ")
	per := float64(1)
	for i := strings.Index("KMGTPE", unit[:1]); i >= 0; i-- {
		per *= 1024
	}
	if per == 1 {
		return fmt.Sprintf("%*d/%s", len(value), done, all)
	}
	return fmt.Sprintf("%*.1f/%s", len(value), float64(done)/per, all)
}

// bar returns a bar of that width.
func bar(done, total int64, columns int) string {
	full := int(float64(min(done, total)) / float64(total) * float64(columns))
	head := ""
	if full < columns {
		head = ">"
	}
	return "[" + strings.Repeat("=", full) + head + strings.Repeat(" ", columns-full-len(head)) + "]"
}
