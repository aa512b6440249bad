package fetch

// The first request has no end: its connection, the first one to become fast, delivers as
// much as it can. Meanwhile, other connections deliver the end of the file. How much each
// of them should deliver depends on how a connection gets faster: its window doubles with
// each round trip (RFC 5681 §3.1), so a connection that starts d round trips later has
// delivered about 2^-d as much.

const (
	firstWindow = 14600   // bytes: ten segments, RFC 6928
	fullWindow  = 3 << 20 // bytes per round trip; the model's windows grow no further
	minShare    = 256 << 10
	// shareOfModel favors the first connection: it delivers what the others don't.
	shareOfModel = 0.95
)

// share returns how many bytes each of n other connections should deliver of a file of
// size bytes, if they start delay round trips after the first.
func share(size int64, n, delay int) int64 {
	part, _ := model(size, n, delay)
	return part
}

// model also returns how many round trips the file takes.
func model(size int64, n, delay int) (part int64, trips int) {
	var first, other, window, others int64 = 0, 0, firstWindow, firstWindow
	for ; first+int64(n)*other < size; trips++ {
		first += window
		window = min(2*window, fullWindow)
		if trips >= delay {
			other += others
			others = min(2*others, fullWindow)
		}
	}
	return min(int64(float64(other)*shareOfModel), size/int64(n+1)), trips
}

const (
	oneIsBest = 2 << 20   // up to this size, one connection delivers the whole file
	oneEarly  = 512 << 10 // the same, if others can start with the first
	minTail   = 128 << 10 // bytes
	maxTail   = 2 << 20   // bytes: a directory with twenty thousand entries
)

// sizes says how much of a file to keep in memory, in bytes.
type sizes struct {
	whole int64 // files up to this size stay in memory
	ahead int64 // of a larger file, this much of its beginning
}

// sizesOf returns the sizes if that many files share the memory.
func sizesOf(files int) sizes {
	n := int64(max(files, 1))
	return sizes{whole: 16 << 20 / n, ahead: 4 << 20 / n}
}

// others returns how many connections to use in addition to the first one, at most that
// many, if they start delay round trips after it. Doubling the number of connections that
// start together saves a small file one round trip. GitLab's own requests all go through
// its application server, so there are few: size / 4 MiB + 2 in all, including those for
// the regions of a large file.
func (s sizes) others(size int64, most int, redirected bool, delay int) int {
	n := size >> 20
	switch {
	case redirected && delay == 0 && size > oneEarly:
		n = min(size/oneEarly, 7)
	case size <= oneIsBest:
		return 0
	case redirected:
		n = min(n, 7)
	case size > s.whole:
		n = min(max(size>>22-3, 1), 3)
	default:
		n = min(size>>22+1, 3)
	}
	return max(min(int(n), most), 0)
}

// parts returns how many of n other connections are worth it, and how many bytes each of
// them delivers. They are if they save a round trip; otherwise the first connection is as
// fast. The directory is worth one in any case: extraction can't start without it.
func parts(size int64, n, delay int) (int, int64) {
	_, alone := model(size, 0, delay)
	for ; n > 0; n-- {
		if part, trips := model(size, n, delay); part >= minShare && trips < alone {
			return n, part
		}
	}
	return 1, minTail
}

// layout says how to read a file into memory.
type layout struct {
	front  int64   // bytes of the beginning, which the first answer delivers
	others []int64 // where the other parts begin; each ends where the next one begins
}

// layout distributes a file of size bytes over the first connection and n others, which
// start delay round trips after it. There may be a gap between the first answer's part and
// the others, which is read when it's needed.
func (s sizes) layout(size int64, n, delay int) layout {
	if size > s.whole {
		tail := min(max(size/16, minTail), maxTail, size-s.ahead)
		n = max(min(n, int(tail/minShare)), 1)
		return layout{s.ahead, places(size, n, tail/int64(n))}
	}
	if n == 0 {
		return layout{front: size}
	}
	n, part := parts(size, n, delay)
	l := layout{others: places(size, n, part)}
	l.front = l.others[0]
	return l
}

// places returns where n parts of that many bytes begin at the end of the file.
func places(size int64, n int, part int64) (list []int64) {
	for i := range int64(n) {
		list = append(list, size-(int64(n)-i)*part)
	}
	return list
}

func (r *remote) layout(o Options, size int64, delay int) layout {
	return r.sizes.layout(size, r.sizes.others(size, o.Connections-1, r.redirected(), delay), delay)
}
