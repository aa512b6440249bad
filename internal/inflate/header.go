package inflate

import "fmt"

func (s *stream) dynamicHeader() error {
	if !s.need(14) {
		return errPause
	}
	d := s.d
	d.nlit = int(s.bits&31) + 257
	d.ndist = int(s.bits>>5&31) + 1
	d.nclen = int(s.bits>>10&15) + 4
	s.drop(14)
	if d.nlit > maxLitCodes || d.ndist > maxDistCodes {
		return fmt.Errorf("%w: more codes than symbols", ErrCorrupt)
	}
	d.have = 0
	d.state = inCodeLens
	return nil
}

// codeOrder is the order in which the lengths of the code length code are
// stored: RFC 1951 §3.2.7.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (s *stream) codeLengthCode() error {
	d := s.d
	for d.have < d.nclen {
		if !s.need(3) {
			return errPause
		}
		d.lengths[codeOrder[d.have]] = uint8(s.bits & 7)
		s.drop(3)
		d.have++
	}
	for _, i := range codeOrder[d.have:] {
		d.lengths[i] = 0
	}
	// The table of distances is free until the lengths are read.
	if !build(d.own.dist[:], codeLenBits, d.lengths[:19], codeLenSymbols[:]) {
		return fmt.Errorf("%w: code lengths of the code length code", ErrCorrupt)
	}
	d.have = 0
	d.state = inLengths
	return nil
}

func (s *stream) codeLengths() error {
	d := s.d
	for total := d.nlit + d.ndist; d.have < total; {
		value, repeat, err := s.codeLength()
		if err != nil {
			return err
		}
		if d.have+repeat > total {
			return fmt.Errorf("%w: more code lengths than codes", ErrCorrupt)
		}
		for range repeat {
			d.lengths[d.have] = value
			d.have++
		}
	}
	if !build(d.own.lit[:], litBits, d.lengths[:d.nlit], litSymbols[:]) || !build(d.own.dist[:], distBits, d.lengths[d.nlit:d.nlit+d.ndist], distSymbols[:]) {
		return fmt.Errorf("%w: code lengths", ErrCorrupt)
	}
	d.tables = &d.own
	d.state = inBlock
	return nil
}

// codeLength decodes one code length, or a run of them (RFC 1951 §3.2.7).
func (s *stream) codeLength() (value uint8, repeat int, err error) {
	s.fill()
	e := s.d.own.dist[s.bits&(1<<codeLenBits-1)]
	if e == 0 && s.nbits >= codeLenBits {
		return 0, 0, errCode
	}
	n := uint(e & 0xff)
	if e == 0 || s.nbits < n {
		return 0, 0, errPause
	}
	value, repeat = uint8(e>>16), 1
	switch value {
	case 16:
		if s.d.have == 0 {
			return 0, 0, fmt.Errorf("%w: repeats a length before the first", ErrCorrupt)
		}
		value, repeat = s.d.lengths[s.d.have-1], 3+int(s.bits>>n&3)
		n += 2
	case 17:
		value, repeat = 0, 3+int(s.bits>>n&7)
		n += 3
	case 18:
		value, repeat = 0, 11+int(s.bits>>n&127)
		n += 7
	}
	if s.nbits < n {
		return 0, 0, errPause
	}
	s.drop(n)
	return value, repeat, nil
}
