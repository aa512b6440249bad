package sevenzip

import (
	"encoding/binary"
	"math"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// parser reads a header. It keeps its first error.
type parser struct {
	b      []byte // the rest of it
	size   int64  // of the archive
	budget archive.Budget

	err error // why the archive is refused
	bad bool  // the header ends too early, or makes no sense

	packAt  uint64   // where the packed streams begin
	packs   []uint64 // their sizes
	folders []Folder
	streams []stream
	entries []archive.Header
}

// stream is the content of one file.
type stream struct {
	size   uint64
	crc    uint32
	summed bool
}

func (h *parser) verdict() error {
	switch {
	case h.err != nil:
		return h.err
	case h.bad:
		return archive.Corrupt("", "7z: %w", errHeader)
	}
	return nil
}

// fail ends reading: no bytes are left.
func (h *parser) fail() {
	h.bad, h.b = true, nil
}

// tooMany refuses an archive that has too many entries.
func (h *parser) tooMany(n int) bool {
	err := h.budget.Entries(int64(n))
	if err != nil {
		h.refuse(err)
	}
	return err != nil
}

func (h *parser) refuse(err error) {
	if h.err == nil && !h.bad {
		h.err = err
	}
	h.fail()
}

// take takes n bytes, or none if fewer are left.
func (h *parser) take(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.fail()
		return nil
	}
	taken := h.b[:n]
	h.b = h.b[n:]
	return taken
}

func (h *parser) byte() byte {
	if b := h.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (h *parser) expect(id byte) {
	if h.byte() != id {
		h.fail()
	}
}

// number reads an integer. The leading ones of its first byte say how many bytes
// follow.
func (h *parser) number() uint64 {
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

// count reads a number of things that take at least so many bytes each.
func (h *parser) count(bytes int) int {
	n := h.number()
	if n > uint64(len(h.b)/bytes) {
		h.fail()
		return 0
	}
	return int(n)
}

// sizes reads n sizes.
func (h *parser) sizes(n int) []uint64 {
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

// bits reads n bits. If all may be set, a byte before them says whether they are.
func (h *parser) bits(n int, all bool) bits {
	if all && h.byte() != 0 {
		return bits{n: n}
	}
	return bits{n: n, b: h.take(uint64((n + 7) / 8))}
}

// bits is a bit vector. The first bit is the highest of a byte.
type bits struct {
	n int
	b []byte // nil if all are set
}

func (b bits) has(i int) bool {
	return i < b.n && (b.b == nil || b.b[i/8]&(0x80>>(i%8)) != 0)
}

func (b bits) count() int {
	set := 0
	for i := range b.n {
		if b.has(i) {
			set++
		}
	}
	return set
}

// digests reads checksums, and calls set for those that are defined.
func (h *parser) digests(n int, set func(i int, crc uint32)) {
	defined := h.bits(n, true)
	for i := range n {
		if h.bad {
			return
		}
		if defined.has(i) {
			if crc := h.take(4); crc != nil {
				set(i, binary.LittleEndian.Uint32(crc))
			}
		}
	}
}
