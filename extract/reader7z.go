package extract

import "math"

// header7z reads a header. Its first error stays.
type header7z struct {
	b    []byte // what is left of it
	size int64  // of the archive
	opts Options

	err error // why the archive is refused
	bad bool  // the header ends too early, or makes no sense

	packAt  uint64   // where the packed streams begin
	packs   []uint64 // their sizes
	folders []folder7z
	streams []stream7z
	entries []*entry
	files   []*entry
}

// stream7z is the content of one file.
type stream7z struct {
	size   uint64
	crc    uint32
	summed bool
}

func (h *header7z) verdict() error {
	switch {
	case h.err != nil:
		return h.err
	case h.bad:
		return corrupt("", "7z: %w", errHeader7z)
	}
	return nil
}

// fail ends the reading: no bytes are left.
func (h *header7z) fail() {
	h.bad, h.b = true, nil
}

func (h *header7z) refuse(err error) {
	if h.err == nil && !h.bad {
		h.err = err
	}
	h.fail()
}

// take takes n bytes. What does not have them gets none, and never fewer.
func (h *header7z) take(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.fail()
		return nil
	}
	taken := h.b[:n]
	h.b = h.b[n:]
	return taken
}

func (h *header7z) byte() byte {
	if b := h.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (h *header7z) expect(id byte) {
	if h.byte() != id {
		h.fail()
	}
}

// number reads an integer whose first byte tells, by its leading ones, how many
// bytes follow.
func (h *header7z) number() uint64 {
	first := h.byte()
	var n uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(h.byte()) << (8 * i)
	}
	return n
}

// count is a number of things that take so many bytes each, at least.
func (h *header7z) count(bytes int) int {
	n := h.number()
	if n > uint64(len(h.b)/bytes) {
		h.fail()
		return 0
	}
	return int(n)
}

// sizes reads so many sizes.
func (h *header7z) sizes(n int) []uint64 {
	if n > len(h.b) {
		h.fail()
		return nil
	}
	sizes := make([]uint64, n)
	var sum uint64
	for i := range sizes {
		sizes[i] = h.number()
		if sizes[i] > math.MaxInt64/2-sum {
			h.fail()
			return nil
		}
		sum += sizes[i]
	}
	return sizes
}

// bits reads so many bits, or, where they may all be set, one byte for them.
func (h *header7z) bits(n int, all bool) bits7z {
	if all && h.byte() != 0 {
		return bits7z{n: n}
	}
	return bits7z{n: n, b: h.take(uint64((n + 7) / 8))}
}

// bits7z is a row of bits, the first of them the highest of a byte.
type bits7z struct {
	n int
	b []byte // nil if all are set
}

func (b bits7z) has(i int) bool {
	return i < b.n && (b.b == nil || b.b[i/8]&(0x80>>(i%8)) != 0)
}

func (b bits7z) count() int {
	set := 0
	for i := range b.n {
		if b.has(i) {
			set++
		}
	}
	return set
}

// digests reads checksums, and passes on those that are defined.
func (h *header7z) digests(n int, set func(i int, crc uint32)) {
	defined := h.bits(n, true)
	for i := range n {
		if h.bad {
			return
		}
		if defined.has(i) {
			if crc := h.take(4); crc != nil {
				set(i, le.Uint32(crc))
			}
		}
	}
}
