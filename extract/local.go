package extract

import (
	"io"
	"math"
	"time"
)

// What stands around an entry's data says again what the central directory says.
// Programs that read an archive from its beginning go by it, so that both must
// agree: else one would see other files than the other.

// flagDescriptor says that CRC and sizes follow the data: APPNOTE 4.4.4, bit 3.
const flagDescriptor = 1 << 3

// localHeader reads the header in front of the data. It must agree with the
// central directory in what another program might go by.
func (w *worker) localHeader(e *entry) error {
	var h [lenLocal]byte
	if _, err := io.ReadFull(w.in, h[:]); err != nil {
		return ended(e, err)
	}
	if le.Uint32(h[:]) != sigLocal {
		return corrupt(e.name, "its local header is missing")
	}
	lenName, lenExtra := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	w.dataEnd = e.offset + lenLocal + int64(lenName) + int64(lenExtra) + e.packed
	if w.dataEnd > e.end {
		return corrupt(e.name, "it reaches into the next entry")
	}
	rest, err := w.in.Peek(lenName + lenExtra) // at most 128 KiB, which fit
	if err != nil {
		return ended(e, err)
	}
	if string(rest[:lenName]) != e.stored || !e.agrees(h[:], rest[lenName:]) {
		return corrupt(e.name, "its local header says something else than the central directory")
	}
	return skip(w.in, int64(len(rest)))
}

// agrees checks a local header against the directory. With a descriptor behind the
// data, CRC and sizes may be zero here; sizes of 4 GiB and more stand in an extra
// field, and so may another name.
func (e *entry) agrees(h, extra []byte) bool {
	flags := le.Uint16(h[6:])
	if le.Uint16(h[8:]) != e.method || (flags^e.flags)&(flagEncrypted|flagDescriptor) != 0 {
		return false
	}
	packed, size, offset, modTime := uint64(le.Uint32(h[18:])), uint64(le.Uint32(h[22:])), uint64(0), time.Time{}
	x := extraFields{stored: e.stored, size: &size, packed: &packed, offset: &offset, modTime: &modTime}
	if err := x.read(extra); err != nil || x.unicode != "" && x.unicode != e.name {
		return false
	}
	described := flags&flagDescriptor != 0
	same := func(here uint64, there int64) bool {
		return here == uint64(there) || described && (here == 0 || here == math.MaxUint32)
	}
	crc := le.Uint32(h[14:])
	return (crc == e.crc || crc == 0 && described) && same(packed, e.packed) && same(size, e.size)
}

// descriptor checks what follows the data, which ends so many bytes ahead: CRC and
// sizes, these of four or eight bytes, with or without a signature (APPNOTE 4.3.9).
func (w *worker) descriptor(e *entry, ahead int64) error {
	const sig, longest = 0x08074b50, 4 + 4 + 8 + 8
	if e.flags&flagDescriptor == 0 || e.isDir() {
		return nil
	}
	if err := skip(w.in, ahead); err != nil {
		return ended(e, err)
	}
	b, err := w.in.Peek(int(min(longest, e.end-w.dataEnd)))
	if err != nil {
		return ended(e, err)
	}
	if len(b) >= 4 && le.Uint32(b) == sig && e.describedBy(b[4:]) || e.describedBy(b) {
		return nil
	}
	return corrupt(e.name, "its data descriptor says something else than the central directory")
}

func (e *entry) describedBy(b []byte) bool {
	const short, long = 4 + 4 + 4, 4 + 8 + 8
	if len(b) < short || le.Uint32(b) != e.crc {
		return false
	}
	return le.Uint32(b[4:]) == uint32(e.packed) && le.Uint32(b[8:]) == uint32(e.size) || //nolint:gosec // their lower halves
		len(b) >= long && le.Uint64(b[4:]) == uint64(e.packed) && le.Uint64(b[12:]) == uint64(e.size)
}
