package inflate

import "encoding/binary"

// fast decodes symbols while there is plenty of input and output. It reports
// whether the block ended. All that changes is held in local variables, which
// the compiler keeps in registers.
func (s *stream) fast() (end bool, err error) { //nolint:gocognit,revive // one loop, whose parts share a dozen registers
	src, dst := s.src, s.dst
	ip, op := s.ip, s.op
	b, n := s.bits, s.nbits
	lit, dist := &s.d.tables.lit, &s.d.tables.dist
	inEnd, outEnd := len(src)-fastInput, len(dst)-fastOutput
	// Refill to 56 bits or more: the byte that is only half taken comes again.
	b |= binary.LittleEndian.Uint64(src[ip:]) << (n & 63)
	ip += int(63-n) >> 3
	n |= 56
	e := lit[b&litMask]
	for ip <= inEnd && op <= outEnd {
		// Three literals take at most 33 bits; a length fits behind them.
		if e&literal != 0 {
			b, n = b>>(e&63), n-uint(e&63)
			dst[op] = byte(e >> 16)
			op++
			e = lit[b&litMask]
			if e&literal != 0 {
				b, n = b>>(e&63), n-uint(e&63)
				dst[op] = byte(e >> 16)
				op++
				e = lit[b&litMask]
				if e&literal != 0 {
					b, n = b>>(e&63), n-uint(e&63)
					dst[op] = byte(e >> 16)
					op++
					e = lit[b&litMask]
				}
			}
		}
		if e&subtable != 0 {
			e = lit[sub(e, b, litBits)&(litTableSize-1)]
		}
		code := b
		b, n = b>>(e&63), n-uint(e&63)
		if e&literal != 0 {
			dst[op] = byte(e >> 16)
			op++
			b |= binary.LittleEndian.Uint64(src[ip:]) << (n & 63)
			ip += int(63-n) >> 3
			n |= 56
			e = lit[b&litMask]
			continue
		}
		if e&endOfBlock != 0 {
			end = true
			break
		}
		if e == 0 {
			err = errCode
			break
		}
		length := int(e>>16&0x1ff) + extra(code, e)
		b |= binary.LittleEndian.Uint64(src[ip:]) << (n & 63)
		ip += int(63-n) >> 3
		n |= 56
		e = dist[b&distMask]
		if e&subtable != 0 {
			e = dist[sub(e, b, distBits)&(distTableSize-1)]
		}
		distance := int(e>>16&0x7fff) + 1 + extra(b, e)
		b, n = b>>(e&63), n-uint(e&63)
		from := op - distance
		if e == 0 || from < 0 {
			err = errDistance
			break
		}
		b |= binary.LittleEndian.Uint64(src[ip:]) << (n & 63)
		ip += int(63-n) >> 3
		n |= 56
		e = lit[b&litMask]
		if distance >= 8 && length <= 32 {
			binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[from:]))
			binary.LittleEndian.PutUint64(dst[op+8:], binary.LittleEndian.Uint64(dst[from+8:]))
			if length > 16 {
				binary.LittleEndian.PutUint64(dst[op+16:], binary.LittleEndian.Uint64(dst[from+16:]))
				binary.LittleEndian.PutUint64(dst[op+24:], binary.LittleEndian.Uint64(dst[from+24:]))
			}
		} else {
			copyMatch(dst, op, from, length)
		}
		op += length
	}
	// Bits above n are of the byte that is only half taken.
	s.ip, s.op, s.bits, s.nbits = ip, op, b&(1<<(n&63)-1), n
	return end, err
}

// copyMatch copies length bytes from from to op. It may write up to 7 bytes more.
func copyMatch(dst []byte, op, from, length int) {
	distance, to := op-from, op+length
	switch {
	case distance >= length:
		copy(dst[op:to], dst[from:])
	case distance >= 8:
		for ; op < to; op, from = op+8, from+8 {
			binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[from:]))
		}
	case distance == 1: // a run of one byte
		word := uint64(dst[from]) * 0x0101010101010101
		for ; op < to; op += 8 {
			binary.LittleEndian.PutUint64(dst[op:], word)
		}
	default:
		for ; op < to; op, from = op+1, from+1 {
			dst[op] = dst[from]
		}
	}
}
