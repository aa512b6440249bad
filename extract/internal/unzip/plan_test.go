package unzip

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	type span struct{ off, end int64 }
	const mib = 1 << 20
	spans := func(n, size int64) (list []span) {
		for i := range n {
			list = append(list, span{i * size, (i + 1) * size})
		}
		return list
	}
	tests := []struct {
		name        string
		entries     []span // in the order of the directory
		connections int
		want        []span
	}{
		{"nothing", nil, 1, nil},
		{"neighbours together", []span{{0, 100}, {100, 200}}, 1, []span{{0, 200}}},
		{"in the order of offsets", []span{{100, 200}, {0, 100}}, 1, []span{{0, 200}}},
		{"a small gap is read over", []span{{0, 100}, {100 + maxGap, 300 + maxGap}}, 1, []span{{0, 300 + maxGap}}},
		{"a large one is not", []span{{0, 100}, {101 + maxGap, 300 + maxGap}}, 1, []span{{0, 100}, {101 + maxGap, 300 + maxGap}}},
		{"no more than a region", []span{{0, 9 * mib}, {9 * mib, 18 * mib}, {18 * mib, 25 * mib}, {25 * mib, 26 * mib}}, 1, []span{{0, 9 * mib}, {9 * mib, 25 * mib}, {25 * mib, 26 * mib}}},
		{"a large entry by itself", []span{{0, 100}, {100, 40 * mib}, {40 * mib, 40*mib + 100}}, 1, []span{{0, 100}, {100, 40 * mib}, {40 * mib, 40*mib + 100}}},
		{"something for each connection", []span{{0, 3 * mib}, {3 * mib, 6 * mib}, {6 * mib, 9 * mib}, {9 * mib, 12 * mib}}, 4, []span{{0, 3 * mib}, {3 * mib, 6 * mib}, {6 * mib, 9 * mib}, {9 * mib, 12 * mib}}},
		{"the first quarter in smaller ones", spans(16, mib), 4, []span{{0, 2 * mib}, {2 * mib, 4 * mib}, {4 * mib, 9 * mib}, {9 * mib, 14 * mib}, {14 * mib, 16 * mib}}},
		{"but no crumbs", []span{{0, 1000}, {1000, 2000}, {2000, 3000}}, 16, []span{{0, 3000}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entries := []*zipfile.Entry{{Offset: 5, End: 7, Header: archive.Header{Mode: fs.ModeDir}}} // needs no bytes
			for _, s := range tt.entries {
				entries = append(entries, &zipfile.Entry{Offset: s.off, End: s.end})
			}
			var got []span
			count := 0
			for _, r := range plan(entries, Pace{Connections: tt.connections}, 0) {
				got = append(got, span{r.off, r.end})
				count += len(r.entries)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(span{})); diff != "" {
				t.Error(diff)
			}
			if count != len(tt.entries) {
				t.Errorf("%d entries, want %d", count, len(tt.entries))
			}
		})
	}
}

// The first worker takes regions from the front, all others from the end.
func TestRegionsFromBothEnds(t *testing.T) {
	t.Parallel()
	front, other, third := new(worker), new(worker), new(worker)
	var q queue
	for i := range 6 {
		q.left = append(q.left, region{off: int64(i), end: int64(i + 1)})
	}
	for i, step := range []struct {
		by   *worker
		want int64
	}{{front, 0}, {other, 5}, {third, 4}, {front, 1}, {other, 3}, {front, 2}} {
		r, more := q.take(step.by)
		if !more || r.off != step.want || q.waiting() != 5-i {
			t.Errorf("step %d: region %d, %v, %d left; want %d", i, r.off, more, q.waiting(), step.want)
		}
	}
	if _, more := q.take(other); more {
		t.Error("a seventh region")
	}
}

// BenchmarkPlan plans the regions of an archive of 100,000 entries, all of them
// and every tenth.
func BenchmarkPlan(b *testing.B) {
	for _, step := range []int{1, 10} {
		b.Run(fmt.Sprintf("every-%d", step), func(b *testing.B) {
			var entries []*zipfile.Entry
			for i := 0; i < 100_000; i += step {
				entries = append(entries, &zipfile.Entry{Offset: int64(i) * 5000, End: int64(i+1) * 5000})
			}
			for b.Loop() {
				if len(plan(entries, Pace{Connections: 16}, 0)) == 0 {
					b.Fatal("no regions")
				}
			}
		})
	}
}

// No region crosses the end of what the first connection delivers.
func TestRegionsEndWithTheFirstConnection(t *testing.T) {
	t.Parallel()
	var entries []*zipfile.Entry
	for i := range int64(16) {
		entries = append(entries, &zipfile.Entry{Offset: i << 20, End: (i + 1) << 20})
	}
	for _, tt := range []struct{ onward, want int64 }{{0, 8 << 20}, {5 << 20, 5 << 20}, {5<<20 + 1000, 5 << 20}, {100 << 20, 8 << 20}} {
		regions := plan(entries, Pace{Connections: 1}, tt.onward)
		if last := regions[len(regions)-1]; regions[0].end != tt.want || last.end != 16<<20 {
			t.Errorf("onward %d: the first of %d regions ends at %d", tt.onward, len(regions), regions[0].end)
		}
	}
}
