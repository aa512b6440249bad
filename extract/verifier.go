package extract

import "hash/crc32"

// verifier checks the size and the CRC-32 of an entry while its content passes.
// It never lets more bytes through than the entry says it has.
type verifier struct {
	entry *entry
	next  func([]byte) error
	read  int64
	crc   uint32
	later bool // the CRC is somebody else's business until finish
}

func (v *verifier) write(p []byte) error {
	v.read += int64(len(p))
	if v.read > v.entry.size {
		return corrupt(v.entry.name, "it has more bytes than it says: %d", v.entry.size)
	}
	if !v.later {
		v.crc = crc32.Update(v.crc, crc32.IEEETable, p)
	}
	return v.next(p)
}

func (v *verifier) finish() error {
	switch {
	case v.read < v.entry.size:
		return corrupt(v.entry.name, "it has %d bytes, not %d", v.read, v.entry.size)
	case v.crc != v.entry.crc:
		return corrupt(v.entry.name, "its CRC-32 is %08x, not %08x", v.crc, v.entry.crc)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
