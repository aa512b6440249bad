// Package inflate decompresses DEFLATE streams (RFC 1951), from slices into
// slices.
//
// Readers in the style of io.Reader copy every byte into a window and out of it
// again, and ask for their input byte by byte. This decoder does neither. The
// caller owns the output: a match is copied from earlier in the very slice that
// is written, and for a file that fits into memory nothing is ever moved.
//
// How it works, for someone who has read RFC 1951 once:
//
// The bits of the input pass through a 64-bit buffer. One load of eight bytes
// refills it to at least 56 bits without a branch, which is enough for a
// literal/length code with its extra bits, and again for a distance code with
// its own: the two longest together have 48.
//
// A code is looked up in a table by its next 11 bits (8 for distances). An entry
// says all there is to know: a literal and how many bits it took; the base of a
// length or distance, how many bits the code took and how many extra bits
// follow; or, for the few codes that are longer, where their second table is. An
// entry of zero is a code that does not exist.
//
// There are two loops over a block. The fast one runs while at least eight bytes
// of input and room for the longest match are left, so that it need not ask
// again for each symbol; it may write up to 15 bytes of rubbish behind its
// output, which the next symbol overwrites. The careful one takes one symbol at
// a time and nothing of a symbol that is not wholly there: it runs at the end of
// each piece of input and output. A symbol has at most 48 bits, so that the bit
// buffer alone carries it from one piece of input to the next; a match that does
// not fit is remembered with what is left of it.
//
// It accepts what compress/flate accepts, bit for bit: code lengths
// must neither leave codes unused nor need more than there are, except for a single
// code of one bit; a distance must not reach behind the first byte.
package inflate

import (
	"errors"
	"fmt"
)

// WindowSize is how far back a match may reach, in bytes.
const WindowSize = 32 << 10

// ErrCorrupt reports input that isn't a DEFLATE stream.
var ErrCorrupt = errors.New("corrupt DEFLATE stream")

var (
	errCode     = fmt.Errorf("%w: no such code", ErrCorrupt)
	errDistance = fmt.Errorf("%w: a distance reaches behind the first byte", ErrCorrupt)
)

const (
	maxLitCodes  = 286 // RFC 1951 §3.2.5; the fixed code has two more, which are invalid
	maxDistCodes = 30
	maxMatch     = 258
	maxCodeLen   = 15

	// fastInput and fastOutput are what the fast loop needs to take one more
	// round: two refills; four literals and the longest match, which is written
	// in words of eight bytes.
	fastInput  = 24
	fastOutput = 4 + maxMatch + 14
)

type state uint8

const (
	atBlock    state = iota // at the header of a block
	atStored                // at the length of a stored block
	inStored                // inside of one
	atDynamic               // at the counts of a dynamic block
	inCodeLens              // in the lengths of the code length code
	inLengths               // in the lengths of the two codes
	inBlock                 // at a symbol
	atEnd                   // behind the last block
)

// Decoder decodes one stream at a time. The zero value is ready to use; it holds
// about 22 KiB and never allocates. Not safe for concurrent use.
type Decoder struct {
	bits  uint64 // not yet used bits of the input, the next one lowest
	nbits uint   // how many; the bits above may hold input that was not taken yet

	state  state
	last   bool // the block is the last one
	stored int  // bytes left of a stored block

	matchLen, matchDist int // of a match that did not fit into the output

	// of the header of a dynamic block
	nlit, ndist, nclen int
	have               int // how many lengths were read
	lengths            [maxLitCodes + maxDistCodes + 4]uint8

	tables *tables // of the block; the fixed codes', or own
	own    tables
}

// tables are what the codes of a block are looked up in.
type tables struct {
	lit  [litTableSize]uint32
	dist [distTableSize]uint32
}

// Reset makes d ready for another stream.
func (d *Decoder) Reset() {
	d.bits, d.nbits = 0, 0
	d.state, d.last, d.stored = atBlock, false, 0
	d.matchLen, d.matchDist = 0, 0
	d.have = 0
}

// Done reports whether the last block has ended.
func (d *Decoder) Done() bool { return d.state == atEnd }

// Decode decompresses src into dst[pos:]. In front of pos, dst must hold what
// was written before, or the last [WindowSize] bytes of that. It returns the new
// position and how many bytes of src it took.
//
// Without an error, Decode returns when the stream is done, when dst is full, or
// when all of src is taken, whichever comes first. Bytes of dst behind the
// returned position may have been overwritten.
//
// The error is [ErrCorrupt] if src cannot continue what came before. Only the caller
// knows whether the input ended too early: it has no more, but isn't [Done].
func (d *Decoder) Decode(dst []byte, pos int, src []byte) (newPos, taken int, err error) {
	s := stream{d: d, src: src, dst: dst, op: pos, bits: d.bits, nbits: d.nbits}
	err = s.run()
	d.bits, d.nbits = s.bits, s.nbits
	return s.op, s.ip, err
}

// stream is a Decoder at work on one piece of input and output.
type stream struct {
	d     *Decoder
	src   []byte
	dst   []byte
	ip    int
	op    int
	bits  uint64
	nbits uint
}

// errPause ends a run for want of input or of room for output.
var errPause = errors.New("pause")

func (s *stream) run() error {
	for {
		var err error
		switch s.d.state {
		case atBlock:
			err = s.blockHeader()
		case atStored:
			err = s.storedHeader()
		case inStored:
			err = s.copyStored()
		case atDynamic:
			err = s.dynamicHeader()
		case inCodeLens:
			err = s.codeLengthCode()
		case inLengths:
			err = s.codeLengths()
		case inBlock:
			err = s.block()
		case atEnd:
			return nil
		}
		if errors.Is(err, errPause) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// need fills the bit buffer up to n bits, at most 56, and reports whether the
// input had them.
func (s *stream) need(n uint) bool {
	for s.nbits < n {
		if s.ip >= len(s.src) {
			return false
		}
		s.bits |= uint64(s.src[s.ip]) << s.nbits
		s.ip++
		s.nbits += 8
	}
	return true
}

func (s *stream) drop(n uint) {
	s.bits >>= n
	s.nbits -= n
}

// endBlock continues with the next block, or the end.
func (s *stream) endBlock() {
	s.d.state = atBlock
	if s.d.last {
		s.d.state = atEnd
	}
}

func (s *stream) blockHeader() error {
	if !s.need(3) {
		return errPause
	}
	header := s.bits & 7
	s.drop(3)
	s.d.last = header&1 != 0
	switch header >> 1 {
	case 0:
		s.drop(s.nbits % 8) // to the next byte
		s.d.state = atStored
	case 1:
		s.d.tables = fixed()
		s.d.state = inBlock
	case 2:
		s.d.state = atDynamic
	default:
		return fmt.Errorf("%w: block type 3", ErrCorrupt)
	}
	return nil
}

func (s *stream) storedHeader() error {
	if !s.need(32) {
		return errPause
	}
	n := uint16(s.bits)
	if uint16(s.bits>>16) != ^n {
		return fmt.Errorf("%w: lengths of a stored block do not agree", ErrCorrupt)
	}
	s.drop(32)
	s.d.stored = int(n)
	s.d.state = inStored
	return nil
}

func (s *stream) copyStored() error {
	d := s.d
	for d.stored > 0 && s.nbits >= 8 { // bytes that are in the bit buffer already
		if s.op == len(s.dst) {
			return errPause
		}
		s.dst[s.op] = byte(s.bits)
		s.op++
		s.drop(8)
		d.stored--
	}
	n := min(d.stored, len(s.src)-s.ip)
	n = copy(s.dst[s.op:], s.src[s.ip:s.ip+n])
	s.ip += n
	s.op += n
	if d.stored -= n; d.stored > 0 {
		return errPause
	}
	s.endBlock()
	return nil
}

// fill takes as many bytes as the bit buffer has room for.
func (s *stream) fill() {
	for s.nbits < 56 && s.ip < len(s.src) {
		s.bits |= uint64(s.src[s.ip]) << s.nbits
		s.ip++
		s.nbits += 8
	}
}
