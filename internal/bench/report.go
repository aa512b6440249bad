//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// report is tables in Markdown.
type report struct{ strings.Builder }

var nets = map[string]string{
	"loop": "loopback", "tls": "loopback, TLS", "rtt": "20 ms round trip, slow start", "lim": "100 MB/s for each connection",
}

// table writes medians, and the ratio of the first command's wall time to each.
func (r *report) table(title string, all []peer, samples [][]sample) {
	_, _ = fmt.Fprintf(r, "\n### %s\n\n", title)
	_, _ = fmt.Fprintln(r, "| command | wall s (min–max) | ours / this | CPU s | peak MiB | MB sent | requests |\n|---|---|---|---|---|---|---|")
	wall := func(s sample) time.Duration { return s.wall }
	ours := median(samples[0], wall)
	for i, p := range all {
		s := samples[i]
		least := slices.MinFunc(s, func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
		most := slices.MaxFunc(s, func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
		_, _ = fmt.Fprintf(r, "| %s | %.2f (%.2f–%.2f) | %.2f | %.2f | %d | %.1f | %d |\n", p.name,
			median(s, wall).Seconds(), least.wall.Seconds(), most.wall.Seconds(),
			ours.Seconds()/median(s, wall).Seconds(),
			median(s, func(s sample) time.Duration { return s.cpu }).Seconds(),
			median(s, func(s sample) int64 { return s.rss })>>20,
			float64(median(s, func(s sample) int64 { return s.bytes }))/1e6,
			median(s, func(s sample) int { return s.requests }))
	}
}

func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
