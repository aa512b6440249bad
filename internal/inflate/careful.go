package inflate

func (s *stream) block() error {
	if s.d.matchLen > 0 && !s.finishMatch() {
		return errPause
	}
	for {
		if len(s.src)-s.ip >= fastInput && len(s.dst)-s.op >= fastOutput {
			done, err := s.fast()
			if err != nil {
				return err
			}
			if done {
				s.endBlock()
				return nil
			}
		}
		done, err := s.symbol()
		if err != nil {
			return err
		}
		if done {
			s.endBlock()
			return nil
		}
	}
}

// symbol decodes one literal or match, and takes nothing of one that is not
// wholly there.
func (s *stream) symbol() (end bool, err error) {
	s.fill()
	e := s.d.tables.lit[s.bits&litMask]
	if e&subtable != 0 {
		e = s.d.tables.lit[sub(e, s.bits, litBits)&(litTableSize-1)]
	}
	n := uint(e & 0xff)
	switch {
	case e == 0 || n > s.nbits:
		return false, missing(e, s.nbits)
	case e&literal != 0:
		if s.op == len(s.dst) {
			return false, errPause
		}
		s.dst[s.op] = byte(e >> 16)
		s.op++
		s.drop(n)
		return false, nil
	case e&endOfBlock != 0:
		s.drop(n)
		return true, nil
	}
	return false, s.match(e)
}

// match decodes the distance behind the length of e, and copies.
func (s *stream) match(e uint32) error {
	n := uint(e & 0xff)
	rest := s.bits >> n
	de := s.d.tables.dist[rest&distMask]
	if de&subtable != 0 {
		de = s.d.tables.dist[sub(de, rest, distBits)&(distTableSize-1)]
	}
	dn := uint(de & 0xff)
	if de == 0 || n+dn > s.nbits {
		return missing(de, s.nbits-n)
	}
	distance := int(de>>16&0x7fff) + 1 + extra(rest, de)
	if distance > s.op {
		return errDistance
	}
	s.d.matchLen, s.d.matchDist = int(e>>16&0x1ff)+extra(s.bits, e), distance
	s.drop(n + dn)
	if !s.finishMatch() {
		return errPause
	}
	return nil
}

// missing says why n bits aren't a symbol: the code doesn't exist, or the next piece
// of input may complete it. If n is less than the longest code has, the bits that were
// looked up weren't all from the input.
func missing(e uint32, n uint) error {
	if e == 0 && n >= maxCodeLen {
		return errCode
	}
	return errPause
}

// finishMatch copies as much of the match as fits and reports whether all did.
func (s *stream) finishMatch() bool {
	d := s.d
	n := min(d.matchLen, len(s.dst)-s.op)
	for range n {
		s.dst[s.op] = s.dst[s.op-d.matchDist]
		s.op++
	}
	d.matchLen -= n
	return d.matchLen == 0
}
