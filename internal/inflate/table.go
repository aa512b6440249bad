package inflate

import (
	"bytes"
	"math"
	"math/bits"
	"sync"
)

// Format of a table entry; 0 isn't a code.
//
//	bits  0–7   how many bits the symbol takes, extra bits included; for a
//	            pointer to a second table, how many bits index that
//	bits  8–11  how many of them are the code
//	bits 16–30  literal, base of the length, base of the distance - 1, or where
//	            the second table begins
const (
	literal    = 1 << 31
	subtable   = 1 << 15
	endOfBlock = 1 << 14
)

const (
	litBits     = 11
	distBits    = 8
	codeLenBits = 7
	litMask     = 1<<litBits - 1
	distMask    = 1<<distBits - 1

	// The tables need at most 2342 and 402 entries (zlib's examples/enough.c for
	// 286 symbols, 11 and 15 bits, and for 30 symbols, 8 and 15 bits); powers of
	// two let an index be masked instead of checked.
	litTableSize  = 4096
	distTableSize = 512
)

// sub is the index into the second table that e points to.
func sub(e uint32, bits uint64, first uint) uint32 {
	return e>>16&0x7fff + uint32(bits>>first)&(1<<(e&0x1f)-1)
}

// extra gives the value of the extra bits that follow the code of e.
func extra(bits uint64, e uint32) int {
	return int(bits & (1<<(e&0x3f) - 1) >> (e >> 8 & 15))
}

// invalid stands for a symbol that doesn't exist.
const invalid = math.MaxUint32

// symbols are the table entries of all symbols, except for the lengths of their
// codes: the fixed code has two of either kind that mean nothing.
var (
	codeLenSymbols = func() (s [19]uint32) {
		for i := range s {
			s[i] = uint32(i) << 16
		}
		return s
	}()
	litSymbols = func() (s [maxLitCodes + 2]uint32) {
		for i := range s {
			switch {
			case i < 256:
				s[i] = literal | uint32(i)<<16
			case i == 256:
				s[i] = endOfBlock
			case i < maxLitCodes:
				s[i] = uint32(lengthBase[i-257])<<16 | uint32(lengthExtra[i-257])
			default:
				s[i] = invalid
			}
		}
		return s
	}()
	distSymbols = func() (s [maxDistCodes + 2]uint32) {
		for i := range s {
			s[i] = invalid
			if i < maxDistCodes {
				s[i] = uint32(distBase[i]-1)<<16 | uint32(distExtra[i])
			}
		}
		return s
	}()
)

// withLength is the entry of a symbol whose code has n bits.
func withLength(symbol uint32, n int) uint32 {
	if symbol == invalid {
		return 0
	}
	return symbol + uint32(n)<<8 + uint32(n)
}

// RFC 1951 §3.2.5.
var (
	lengthBase = [29]uint16{
		3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
		35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
	}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{
		1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
	}
	distExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// build makes the table of a canonical Huffman code (RFC 1951 §3.2.2) from the
// lengths of its codes, with first bits of index. It reports whether the lengths
// make a code: one that uses all there is, or a single code of one bit, or none
// at all, as in a block of literals alone.
func build(table []uint32, first int, lengths []uint8, symbols []uint32) bool {
	var c code
	if !c.read(lengths) {
		return false
	}
	// Codes are stored with their first bit lowest, so that the entries of a
	// short one are spread over the table. It is filled by doubling: a table of
	// n bits is two copies of that of n-1 bits, and the codes of n bits.
	table[0] = 0
	size, i := 1, 0
	for n := 1; n <= first; n++ {
		copy(table[size:2*size], table[:size])
		size *= 2
		next := c.next[n]
		for _, sym := range c.symbols[i : i+c.count[n]] {
			table[reverse(next, n)] = withLength(symbols[sym], n)
			next++
		}
		i += c.count[n]
	}
	if c.longest > first {
		c.second(table, first, i, symbols)
	}
	return true
}

// code is a canonical Huffman code.
type code struct {
	count   [maxCodeLen + 1]int // of codes of each length
	next    [maxCodeLen + 1]int // the first code of each length
	symbols [288]uint16         // in the order of their codes
	longest int
}

// read works out the code that has these lengths.
func (c *code) read(lengths []uint8) (ok bool) {
	for _, n := range lengths {
		c.count[n&maxCodeLen]++
	}
	c.count[0] = 0
	var place [maxCodeLen + 2]int // of the next symbol of each length in symbols
	last := 0
	for n := 1; n <= maxCodeLen; n++ {
		last <<= 1
		c.next[n] = last
		last += c.count[n]
		place[n+1] = place[n] + c.count[n]
		if c.count[n] > 0 {
			c.longest = n
		}
	}
	for sym, n := range lengths {
		if n != 0 {
			c.symbols[place[n]] = uint16(sym)
			place[n]++
		}
	}
	// last is how much of all there is the codes use.
	single := c.longest == 1 && c.count[1] == 1
	return last == 1<<maxCodeLen || single || c.longest == 0
}

// second makes the tables of the codes that are longer than first bits, behind
// the first table, from symbol i on. Codes with the same first bits share one,
// as large as the longest of them needs.
func (c *code) second(table []uint32, first, i int, symbols []uint32) {
	start, end, width, prefix := 0, 1<<first, 0, -1
	for n := first + 1; n <= c.longest; n++ {
		for k := range c.count[n] {
			rev := reverse(c.next[n]+k, n)
			if p := rev & (1<<first - 1); p != prefix {
				prefix, width = p, c.width(n, first, c.count[n]-k)
				start = end
				end += 1 << width
				table[p] = subtable | uint32(start)<<16 | uint32(width)
			}
			e := withLength(symbols[c.symbols[i]], n)
			i++
			for j := rev >> first; j < 1<<width; j += 1 << (n - first) {
				table[start+j] = e
			}
		}
	}
}

// width is how many bits index a second table whose shortest code has n bits, of
// which left are still to come: as many as it takes for its codes to fill it.
func (c *code) width(n, first, left int) int {
	w := n - first
	for used := left; used < 1<<w && n < c.longest; {
		n++
		w++
		used = used<<1 + c.count[n]
	}
	return w
}

func reverse(code, n int) int { return int(bits.Reverse16(uint16(code)) >> (16 - n)) }

// fixed are the tables of the fixed codes of RFC 1951 §3.2.6. They are made once:
// most streams end in an empty block with these codes.
var fixed = sync.OnceValue(func() *tables {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	t := new(tables)
	build(t.lit[:], litBits, lengths[:], litSymbols[:])
	build(t.dist[:], distBits, bytes.Repeat([]byte{5}, 32), distSymbols[:])
	return t
})
