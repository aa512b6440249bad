package zipfile

import (
	"io"
	"math"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// findEnd64 reads the zip64 end record if a locator precedes the end record, and
// returns the offset of the first of these records. The locator counts whatever the
// end record says: Info-ZIP writes both as soon as one entry needs zip64, and still
// puts every value that fits into the end record.
func findEnd64(src io.ReaderAt, end *endRecord, at int64) (int64, error) {
	if at < lenEnd64Locate {
		return at, nil
	}
	var locator [lenEnd64Locate]byte
	if err := archive.ReadFull(src, locator[:], at-lenEnd64Locate); err != nil {
		return 0, err
	}
	if le.Uint32(locator[:]) != sigEnd64Locate {
		return at, nil
	}
	// The record directly precedes its locator. The offset in the locator would be
	// wrong if data precedes the archive.
	at64 := at - lenEnd64Locate - lenEnd64
	var r [lenEnd64]byte
	if at64 < 0 {
		return 0, errNoEnd64
	}
	if err := archive.ReadFull(src, r[:], at64); err != nil {
		return 0, err
	}
	found, err := parseEnd64(r[:])
	if err != nil {
		return 0, err
	}
	if !end.agrees(found) {
		return 0, &archive.UnsafeError{Reason: "its two end records disagree"}
	}
	*end = found
	return at64, nil
}

var errNoEnd64 = archive.Corrupt("", "the zip64 end record is missing")

// parseEnd64 reads the zip64 record: APPNOTE 4.3.14.
func parseEnd64(r []byte) (endRecord, error) {
	if le.Uint32(r) != sigEnd64 || le.Uint64(r[4:]) != lenEnd64-12 {
		return endRecord{}, errNoEnd64
	}
	if le.Uint32(r[16:]) != 0 || le.Uint32(r[20:]) != 0 || le.Uint64(r[24:]) != le.Uint64(r[32:]) {
		return endRecord{}, archive.Corrupt("", "it is one part of several")
	}
	entries, size, offset := le.Uint64(r[32:]), le.Uint64(r[40:]), le.Uint64(r[48:])
	if max(entries, size, offset) > math.MaxInt64 {
		return endRecord{}, archive.Corrupt("", "the zip64 end record holds impossible sizes")
	}
	return endRecord{entries: int64(entries), size: int64(size), offset: int64(offset)}, nil
}

// agrees reports whether a zip64 end record matches the short one in every value
// that fits into that: APPNOTE 4.4.1.4.
func (end *endRecord) agrees(long endRecord) bool {
	return (end.entries == long.entries || end.entries == math.MaxUint16) &&
		(end.size == long.size || end.size == math.MaxUint32) &&
		(end.offset == long.offset || end.offset == math.MaxUint32)
}
