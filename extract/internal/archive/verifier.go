package archive

import (
	"hash/crc32"
	"io"
)

// Verifier checks the size and the CRC-32 of an entry while its content passes to
// Next. It never passes on more bytes than the entry says it has.
type Verifier struct {
	Header *Header
	Next   io.Writer
	CRC32  uint32 // of the content so far
	NoSum  bool   // don't compute CRC32; if the caller doesn't set it either, it is zero

	read int64
}

// Write implements [io.Writer].
func (v *Verifier) Write(p []byte) (int, error) {
	v.read += int64(len(p))
	if v.read > v.Header.Size {
		return 0, Corrupt(v.Header.Name, "it has more bytes than it says: %d", v.Header.Size)
	}
	if !v.NoSum {
		v.CRC32 = crc32.Update(v.CRC32, crc32.IEEETable, p)
	}
	return v.Next.Write(p)
}

// Finish returns a [CorruptError] if the content wasn't what the header says.
func (v *Verifier) Finish() error {
	switch {
	case v.read < v.Header.Size:
		return Corrupt(v.Header.Name, "it has %d bytes, not %d", v.read, v.Header.Size)
	case v.CRC32 != v.Header.CRC32:
		return Corrupt(v.Header.Name, "its CRC-32 is %08x, not %08x", v.CRC32, v.Header.CRC32)
	}
	return nil
}
