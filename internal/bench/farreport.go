//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

func wallOf(v visit) time.Duration { return v.wall }

// ms is a time in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// spread formats the median, the minimum and the maximum.
func spread(visits []visit, format string) string {
	byWall := func(a, b visit) int { return cmp.Compare(a.wall, b.wall) }
	return fmt.Sprintf(format+" ("+format+"–"+format+")", ms(median(visits, wallOf)), ms(slices.MinFunc(visits, byWall).wall), ms(slices.MaxFunc(visits, byWall).wall))
}

// far writes a table for each cell, and one of our ratios.
func (r *report) far(selected []cell, results map[cell][]farRow, serverTime time.Duration) {
	var last cell
	for _, c := range selected {
		if place := (cell{rtt: c.rtt, redirect: c.redirect}); place != last {
			last = place
			_, _ = fmt.Fprintf(r, "\n### Small archives, %s, TLS, %d ms round trip, %d ms for each request to GitLab\n\n", from(c.redirect), c.rtt.Milliseconds(), serverTime.Milliseconds())
			_, _ = fmt.Fprintln(r, "| archive | by | command | wall ms (min–max) | of curl + unzip | API requests | requests for bytes | connections | MB received |\n|---|---|---|---|---|---|---|---|---|")
		}
		r.cell(c, results[c])
	}
	r.ratios(selected, results)
}

func from(redirect bool) string {
	if redirect {
		return "behind a redirect to object storage"
	}
	return "served by GitLab"
}

func by(ref bool) string {
	if ref {
		return "ref"
	}
	return "id"
}

func (r *report) cell(c cell, rows []farRow) {
	base := median(rows[1].visits, wallOf)
	for _, row := range rows {
		_, _ = fmt.Fprintf(r, "| %s | %s | %s | %s | %.2f | %d | %d | %d | %.2f |\n", c.size, by(c.byRef), row.name, spread(row.visits, "%.0f"),
			median(row.visits, wallOf).Seconds()/base.Seconds(),
			median(row.visits, func(v visit) int { return v.api }), median(row.visits, func(v visit) int { return v.bodies }),
			median(row.visits, func(v visit) int { return v.connections }), float64(median(row.visits, func(v visit) int64 { return v.bytes }))/1e6)
	}
}

// ratios writes our wall time divided by that of curl + unzip, and the round trips of
// both: how much the wall time grows with each millisecond of distance.
func (r *report) ratios(selected []cell, results map[cell][]farRow) {
	_, _ = fmt.Fprint(r, "\n### Small archives: artifetch of curl + unzip\n\n| bytes | round trip | by |")
	for _, size := range smallSizes {
		_, _ = fmt.Fprintf(r, " %s |", size.name)
	}
	_, _ = fmt.Fprint(r, "\n|---|---|---|---|---|---|---|\n")
	done := map[cell]bool{}
	for _, c := range selected {
		line := c
		line.size = ""
		if done[line] {
			continue
		}
		done[line] = true
		_, _ = fmt.Fprintf(r, "| %s | %d ms | %s |", from(c.redirect), c.rtt.Milliseconds(), by(c.byRef))
		for _, size := range smallSizes {
			line.size = size.name
			_, _ = fmt.Fprintf(r, " %s |", ratio(results[line]))
		}
		_, _ = fmt.Fprintln(r)
	}
	r.roundTrips(selected, results)
}

func ratio(rows []farRow) string {
	if rows == nil {
		return ""
	}
	return fmt.Sprintf("%.2f", median(rows[0].visits, wallOf).Seconds()/median(rows[1].visits, wallOf).Seconds())
}

// roundTrips writes by how many milliseconds the wall time grows with each millisecond of
// distance.
func (r *report) roundTrips(selected []cell, results map[cell][]farRow) {
	title := "\nRound trips in the wall time, by how much it grows with the distance (artifetch / curl + unzip):\n\n| archive | bytes | by | artifetch | curl + unzip |\n|---|---|---|---|---|\n"
	for _, c := range selected {
		near, far := c, c
		near.rtt, far.rtt = farRTTs[0], farRTTs[1]
		if c != far || results[near] == nil {
			continue
		}
		_, _ = fmt.Fprint(r, title)
		title = ""
		_, _ = fmt.Fprintf(r, "| %s | %s | %s |", c.size, from(c.redirect), by(c.byRef))
		for row := range 2 {
			grown := median(results[far][row].visits, wallOf) - median(results[near][row].visits, wallOf)
			_, _ = fmt.Fprintf(r, " %.1f |", float64(grown)/float64(far.rtt-near.rtt))
		}
		_, _ = fmt.Fprintln(r)
	}
}

// start writes the table of start-up times.
func (r *report) start(rows [][]visit) {
	_, _ = fmt.Fprintf(r, "\n### Start and end: one file of 1 kB, loopback, TLS\n\n%d runs of each.\n\n", len(rows[0]))
	_, _ = fmt.Fprintln(r, "| command | wall ms (min–max) | CPU ms |\n|---|---|---|")
	for i, s := range starts {
		_, _ = fmt.Fprintf(r, "| %s | %s | %.1f |\n", s.name, spread(rows[i], "%.1f"), ms(median(rows[i], func(v visit) time.Duration { return v.cpu })))
	}
}
