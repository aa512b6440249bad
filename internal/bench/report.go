//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// report builds tables in Markdown.
type report struct{ strings.Builder }

var nets = map[string]string{
	"loop": "loopback", "tls": "loopback, TLS", "rtt": "20 ms round trip, slow start", "lim": "100 MB/s for each connection",
}

// table is the measurements of one archive on one network. The first row is ours, the
// last the transfer alone.
type table struct {
	name, net string
	limits    limits
	rows      []peer
	samples   [][]sample
}

// table writes medians, and the ratio of our wall time to each.
func (r *report) table(t table) {
	_, _ = fmt.Fprintf(r, "\n### %s: %s (%d MB), %s\n\n", t.name, archives[t.name].what, t.limits.Size/1e6, nets[t.net])
	_, _ = fmt.Fprintln(r, "| command | wall s (min–max) | ours / this | CPU s | server CPU s | peak MiB | MB sent | requests |\n|---|---|---|---|---|---|---|---|")
	wall := func(s sample) time.Duration { return s.wall }
	ours := median(t.samples[0], wall).Seconds()
	for i, p := range t.rows {
		s := t.samples[i]
		least := slices.MinFunc(s, func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
		most := slices.MaxFunc(s, func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
		_, _ = fmt.Fprintf(r, "| %s | %.2f (%.2f–%.2f) | %.2f | %.2f | %.2f | %d | %.1f | %d |\n", p.name,
			median(s, wall).Seconds(), least.wall.Seconds(), most.wall.Seconds(),
			ours/median(s, wall).Seconds(),
			median(s, func(s sample) time.Duration { return s.cpu }).Seconds(),
			median(s, func(s sample) time.Duration { return s.server }).Seconds(),
			median(s, func(s sample) int64 { return s.rss })>>20,
			float64(median(s, func(s sample) int64 { return s.bytes }))/1e6,
			median(s, func(s sample) int { return s.requests }))
	}
	if t.net != "loop" {
		return
	}
	line := t.samples[len(t.rows)-1]
	middle := sample{cpu: median(line, func(s sample) time.Duration { return s.cpu }), server: median(line, func(s sample) time.Duration { return s.server })}
	all := t.limits.least(middle)
	for _, l := range []struct {
		name string
		took time.Duration
	}{{"limit: decompression, one CPU", t.limits.Inflate}, {"limit: writing, one CPU", t.limits.Write}, {"limit: all of it, all CPUs", all}} {
		_, _ = fmt.Fprintf(r, "| %s | %.2f | %.2f | | | | | |\n", l.name, l.took.Seconds(), ours/l.took.Seconds())
	}
}

func median[S any, T cmp.Ordered](samples []S, of func(S) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
