//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
)

// asked is a request in nginx's log.
type asked struct {
	from, to time.Time // nginx's, in whole milliseconds
	server   string    // its port
	client   int       // the client's port
	status   int
	body     int64 // bytes of the body
	resumed  bool  // the TLS session was resumed
	kind     string
	span     string // the Range header
	path     string
}

// brings reports whether the answer contains bytes of the archive.
func (a asked) brings() bool {
	return (a.status == 200 || a.status == 206) && strings.HasPrefix(a.kind, "application/octet-stream")
}

// parseAsked parses a log line in instanceConf's format.
func parseAsked(line string) (asked, error) {
	f := strings.SplitN(strings.TrimSpace(line), "|", 10)
	if len(f) != 10 {
		return asked{}, fmt.Errorf("nginx logged %q", line)
	}
	var numbers [5]float64
	for i, text := range []string{f[0], f[2], f[3], f[4], f[5]} {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return asked{}, fmt.Errorf("nginx logged %q: %w", line, err)
		}
		numbers[i] = n
	}
	to := time.UnixMilli(int64(numbers[0] * 1000))
	return asked{
		from: to.Add(-time.Duration(numbers[4] * float64(time.Second))), to: to, server: f[1], client: int(numbers[1]), status: int(numbers[2]), body: int64(numbers[3]),
		resumed: f[6] == "r", kind: f[7], span: f[8], path: f[9],
	}, nil
}

// traffic is the requests and connections of a visit.
type traffic struct {
	conns []slownet.Connection // in the order in which they were opened
	asked []asked
}

// traffic waits until everything has ended, and returns what happened since the last
// call.
func (i *instance) traffic(ctx context.Context) (traffic, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var t traffic
	for _, proxy := range i.proxies {
		conns, err := proxy.Take(ctx)
		if err != nil {
			return t, err
		}
		t.conns = append(t.conns, conns...)
	}
	slices.SortFunc(t.conns, func(a, b slownet.Connection) int { return a.Opened.Compare(b.Opened) })
	time.Sleep(20 * time.Millisecond) // nginx writes its log after the answer
	text, err := os.ReadFile(i.log)
	if err != nil {
		return t, err
	}
	for line := range strings.Lines(string(text)) {
		a, err := parseAsked(line)
		if err != nil {
			return t, err
		}
		t.asked = append(t.asked, a)
	}
	return t, os.Truncate(i.log, 0)
}

// count adds the traffic to v.
func (t traffic) count(v *visit) {
	for _, a := range t.asked {
		if a.brings() {
			v.bodies++
		} else {
			v.api++
		}
	}
	v.connections = len(t.conns)
	for _, c := range t.conns {
		v.bytes += c.Down
	}
}

// unsigned returns an address without its signature.
func unsigned(path string) string {
	path, _, _ = strings.Cut(path, "?X-Amz-")
	return path
}

// timeline lists the requests with their connection and time, in milliseconds since the
// start. A request starts when its answer could begin to arrive, one round trip after it
// left the client (slownet delays only requests), and ends when nginx had sent the
// answer.
func (t traffic) timeline(start time.Time, storage string) string {
	at := func(when time.Time) string {
		if when.IsZero() {
			return "-"
		}
		return fmt.Sprintf("%.0f", float64(when.Sub(start))/float64(time.Millisecond))
	}
	slices.SortStableFunc(t.asked, func(a, b asked) int { return a.from.Compare(b.from) })
	var b strings.Builder
	for n, c := range t.conns {
		name := "gitlab"
		if c.Server == storage {
			name = "storage"
		}
		_, _ = fmt.Fprintf(&b, "  #%d %s: opened %s, first byte down %s, closed %s, %.1f kB down\n", n+1, name, at(c.Opened), at(c.FirstDown), at(c.Closed), float64(c.Down)/1000)
		for _, a := range t.asked {
			if a.client == c.Port {
				_, _ = fmt.Fprintf(&b, "      %s-%s %d %s %s %.1f kB\n", at(a.from), at(a.to), a.status, unsigned(a.path), cmp.Or(a.span, "-"), float64(a.body)/1000)
			}
		}
	}
	return b.String()
}
