package fetch

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// everySize returns sizes around every change of the layout.
func everySize() []int64 {
	var list []int64
	for mib := int64(0); mib <= 200; mib++ {
		for _, more := range []int64{-1, 0, 1, 300_000, 700_000} {
			if size := mib<<20 + more; size > 0 {
				list = append(list, size)
			}
		}
	}
	return list
}

// What every layout guarantees, however large the file is, and however far away its
// server.
func TestLayout(t *testing.T) {
	t.Parallel()
	for _, size := range everySize() {
		for _, files := range []int{1, 3} {
			for _, most := range []int{0, 1, 3, 7, 15} {
				for _, redirected := range []bool{false, true} {
					for _, delay := range []int{0, 1, 3, 6, 20, 1000} {
						s := sizesOf(files)
						n := s.others(size, most, redirected, delay)
						l := s.layout(size, n, delay)
						name := fmt.Sprintf("size %d, files %d, most %d, redirected %v, delay %d: %d others, %+v", size, files, most, redirected, delay, n, l)
						checkOthers(t, name, size, most, n, redirected && delay == 0, redirected)
						checkLayout(t, name, s, size, n, l)
					}
				}
			}
		}
	}
}

// checkOthers checks the number of connections: one for a small file, four if GitLab
// itself serves it, and no more than allowed.
func checkOthers(t *testing.T, name string, size int64, most, n int, early, redirected bool) {
	t.Helper()
	oneIsBest := int64(oneIsBest)
	if early {
		oneIsBest = oneEarly
	}
	switch requests := int64(n + 1); {
	case n < 0 || n > most || n > 7:
		t.Errorf("%s: too many", name)
	case size <= oneIsBest && n > 0:
		t.Errorf("%s: a small file needs no others", name)
	case size > oneIsBest && most > 0 && n == 0:
		t.Errorf("%s: no others", name)
	case !redirected && (requests > 4 || requests > max(2, size>>22+2)):
		t.Errorf("%s: %d requests to GitLab", name, requests)
	}
}

// checkLayout checks that the parts are in order, don't overlap, and have the right size.
func checkLayout(t *testing.T, name string, s sizes, size int64, n int, l layout) {
	t.Helper()
	if len(l.others) > max(n, 1) || !slices.IsSorted(l.others) || l.front <= 0 || l.front > size {
		t.Errorf("%s: not in order", name)
	}
	if len(l.others) == 0 {
		if l.front != size || size > s.whole {
			t.Errorf("%s: without others, the first answer is the file", name)
		}
		return
	}
	others := size - l.others[0]
	large := size > s.whole
	switch part := others / int64(len(l.others)); {
	case l.front > l.others[0]:
		t.Errorf("%s: they overlap", name)
	case !large && l.front != l.others[0]:
		t.Errorf("%s: there is a gap", name)
	case !large && part > size/int64(len(l.others)+1):
		t.Errorf("%s: another connection brings more than the first", name)
	case part < minShare && len(l.others) > 1:
		t.Errorf("%s: parts of %d bytes are too small", name, part)
	case part < min(minTail, size-s.ahead):
		t.Errorf("%s: %d bytes are too few for the directory", name, part)
	case large && (l.front != s.ahead || others > maxTail):
		t.Errorf("%s: too much memory", name)
	}
}

// Several files share the memory of one.
func TestSizesAreShared(t *testing.T) {
	t.Parallel()
	for files := range 10 {
		s := sizesOf(files)
		if n := int64(max(files, 1)); s.whole*n > 16<<20 || s.ahead*n > 4<<20 || s.ahead > s.whole || s.ahead <= 0 {
			t.Errorf("%d files: %+v", files, s)
		}
	}
}

// The later another connection starts, the less it delivers; those that start with the
// first deliver the same.
func TestShare(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{3 << 20, 10 << 20, 16 << 20, 200 << 20} {
		for n := 1; n <= 7; n++ {
			equal := size / int64(n+1)
			if got := share(size, n, 0); got < equal*9/10 || got > equal {
				t.Errorf("share(%d, %d, 0) = %d, want almost %d", size, n, got, equal)
			}
			for delay := range 12 {
				if sooner, later := share(size, n, delay), share(size, n, delay+1); later > sooner {
					t.Errorf("share(%d, %d, %d) = %d, but %d for a later one", size, n, delay, sooner, later)
				}
			}
		}
	}
	if got := share(10<<20, 3, 1000); got != 0 {
		t.Errorf("a connection that comes too late brings %d bytes", got)
	}
}

// Connections that don't save a round trip only deliver the directory: the first one is
// as fast with the rest.
func TestPartsSaveTrips(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size     int64
		n, delay int
		want     int
	}{{10_000_000, 3, 5, 1}, {10_300_000, 3, 5, 3}, {10_000_000, 7, 0, 7}, {10_000_000, 7, 3, 7}} {
		if n, part := parts(tt.size, tt.n, tt.delay); n != tt.want || n == 1 && part != minTail {
			t.Errorf("%+v: %d others with %d bytes each", tt, n, part)
		}
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	tests := []struct {
		name         string
		trip, answer time.Duration
		want         int
	}{
		{"the server answers at once", 100 * ms, 100 * ms, 3},
		{"it takes half a round trip", 100 * ms, 150 * ms, 4},
		{"it takes much longer", 10 * ms, 200 * ms, 22},
		{"the answer was there before the trip was measured", 100 * ms, 10 * ms, 3},
		{"the connection was there already", 0, 100 * ms, 4},
		{"nothing was measured", 0, 0, 3},
	}
	for _, tt := range tests {
		var m timing
		m.trip.Store(int64(tt.trip))
		m.answer.Store(int64(tt.answer))
		if got := m.delay(); got != tt.want {
			t.Errorf("%s: %d round trips late, want %d", tt.name, got, tt.want)
		}
	}
}
