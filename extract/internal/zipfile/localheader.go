package zipfile

import (
	"bufio"
	"io"
	"math"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// The headers around an entry's data repeat what the central directory says.
// Programs that read an archive from its beginning use them, so both must agree:
// otherwise those programs would see different files.

// ReadLocalHeader reads the header that precedes the data, and returns the offset at
// which the data ends. The header must agree with the central directory in
// everything that another program might use.
func (e *Entry) ReadLocalHeader(in *bufio.Reader) (dataEnd int64, err error) {
	var h [lenLocal]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return 0, archive.Ended(e.Name, err)
	}
	if le.Uint32(h[:]) != sigLocal {
		return 0, archive.Corrupt(e.Name, "its local header is missing")
	}
	lenName, lenExtra := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	dataEnd = e.Offset + lenLocal + int64(lenName) + int64(lenExtra) + e.Packed
	if dataEnd > e.End {
		return 0, archive.Corrupt(e.Name, "it reaches into the next entry")
	}
	rest, err := in.Peek(lenName + lenExtra) // at most 128 KiB: see MinBuffer
	if err != nil {
		return 0, archive.Ended(e.Name, err)
	}
	if string(rest[:lenName]) != e.stored || !e.agrees(h[:], rest[lenName:]) {
		return 0, archive.Corrupt(e.Name, "its local header disagrees with the central directory")
	}
	return dataEnd, archive.Skip(in, int64(len(rest)))
}

// agrees checks a local header against the directory. If a descriptor follows the
// data, CRC and sizes may be zero here. An extra field holds sizes of 4 GiB and
// more, and may hold another name.
func (e *Entry) agrees(h, extra []byte) bool {
	flags := le.Uint16(h[6:])
	if le.Uint16(h[8:]) != e.Method || (flags^e.Flags)&(flagEncrypted|flagDescriptor) != 0 {
		return false
	}
	packed, size, offset, modTime := uint64(le.Uint32(h[18:])), uint64(le.Uint32(h[22:])), uint64(0), time.Time{}
	x := extraFields{stored: e.stored, size: &size, packed: &packed, offset: &offset, modTime: &modTime}
	if err := x.read(extra); err != nil || x.unicode != "" && x.unicode != e.Name {
		return false
	}
	described := flags&flagDescriptor != 0
	same := func(here uint64, there int64) bool {
		return here == uint64(there) || described && (here == 0 || here == math.MaxUint32)
	}
	crc := le.Uint32(h[14:])
	return (crc == e.CRC32 || crc == 0 && described) && same(packed, e.Packed) && same(size, e.Size)
}

// ReadDescriptor checks the data descriptor, if the entry has one: CRC and sizes,
// of four or eight bytes each, with or without a signature (APPNOTE 4.3.9). dataEnd
// is the offset at which the data ends, which is ahead bytes further on.
func (e *Entry) ReadDescriptor(in *bufio.Reader, dataEnd, ahead int64) error {
	const sig, longest = 0x08074b50, 4 + 4 + 8 + 8
	if e.Flags&flagDescriptor == 0 || e.IsDir() {
		return nil
	}
	if err := archive.Skip(in, ahead); err != nil {
		return archive.Ended(e.Name, err)
	}
	b, err := in.Peek(int(min(longest, e.End-dataEnd)))
	if err != nil {
		return archive.Ended(e.Name, err)
	}
	if len(b) >= 4 && le.Uint32(b) == sig && e.describedBy(b[4:]) || e.describedBy(b) {
		return nil
	}
	return archive.Corrupt(e.Name, "its data descriptor disagrees with the central directory")
}

func (e *Entry) describedBy(b []byte) bool {
	const short, long = 4 + 4 + 4, 4 + 8 + 8
	if len(b) < short || le.Uint32(b) != e.CRC32 {
		return false
	}
	return le.Uint32(b[4:]) == uint32(e.Packed) && le.Uint32(b[8:]) == uint32(e.Size) || //nolint:gosec // the short form only has the lower 32 bits
		len(b) >= long && le.Uint64(b[4:]) == uint64(e.Packed) && le.Uint64(b[12:]) == uint64(e.Size)
}
