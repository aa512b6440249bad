package console

import (
	"time"

	"github.com/cheggaaa/pb/v3"
)

// A bar is drawn when there is something to watch.
const (
	barDelay = 300 * time.Millisecond
	barPause = 100 * time.Millisecond
	barWidth = 78 // characters
)

const barTemplate = pb.ProgressBarTemplate(`{{counters .}} {{bar . "[" "=" ">" " " "]"}} {{percent .}} {{speed . "%s/s" "?/s"}} {{rtime . "%s left" "%s" "? left"}}`)

// bar is the progress on a terminal.
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
		// Static: it is drawn when bytes arrive, and has no clock of its own.
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
