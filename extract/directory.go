package extract

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
)

// The central directory is read by our own parser rather than by a library's:
// the planner needs the offsets of local headers, which zip readers keep to
// themselves, and what is checked here is what keeps a workspace safe: exactly
// one end record, counts and sizes that agree, no two entries that share bytes.

// Signatures and fixed lengths: APPNOTE 4.3.
const (
	sigLocal       = 0x04034b50
	sigCentral     = 0x02014b50
	sigEnd         = 0x06054b50
	sigEnd64       = 0x06064b50
	sigEnd64Locate = 0x07064b50

	lenLocal       = 30
	lenCentral     = 46
	lenEnd         = 22
	lenEnd64       = 56
	lenEnd64Locate = 20
	maxComment     = math.MaxUint16
)

// maxDirectory bounds the memory for the central directory, in bytes: 500,000
// entries of 250 bytes.
const maxDirectory = 128 << 20

var le = binary.LittleEndian

// errNoEnd reports that there is no end of central directory record, so that
// the archive is no zip, or lacks its end.
var errNoEnd = errors.New("no end of central directory record")

// endRecord says where the central directory is: APPNOTE 4.3.16, 4.3.14.
type endRecord struct {
	entries int64
	size    int64 // of the directory
	offset  int64 // of the directory in the file
	base    int64 // what lies in front of the archive, such as a self-extractor
}

// readDirectory returns the entries in the order of the central directory. It
// reads the end of the archive once, and the directory once unless that read
// had it.
func readDirectory(src io.ReaderAt, size int64, o Options) ([]*entry, error) {
	tail := make([]byte, min(size, lenEnd+maxComment+lenEnd64Locate+lenEnd64))
	if err := readFull(src, tail, size-int64(len(tail))); err != nil {
		return nil, err
	}
	end, err := findEnd(src, tail, size)
	if err != nil {
		return nil, err
	}
	switch {
	case end.entries > int64(o.MaxFiles):
		return nil, &LimitError{"entries", int64(o.MaxFiles), "--max-files"}
	case end.size > maxDirectory:
		return nil, &LimitError{"bytes of central directory", maxDirectory, "--include to take less: there is no flag"}
	}
	var directory []byte
	if at := end.offset - (size - int64(len(tail))); at >= 0 {
		directory = tail[at : at+end.size]
	} else {
		directory = make([]byte, end.size)
		if err := readFull(src, directory, end.offset); err != nil {
			return nil, err
		}
	}
	entries, err := parseDirectory(directory, end)
	if err != nil {
		return nil, err
	}
	return entries, layOut(entries, end.offset)
}

// readFull reads all of p. The size of an archive is known, so that its end
// where more should be is damage.
func readFull(src io.ReaderAt, p []byte, off int64) error {
	n, err := src.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return corrupt("", "it ends at byte %d", off+int64(n))
	}
	return err
}

// findEnd finds the end record: the one whose comment ends where the file does.
func findEnd(src io.ReaderAt, tail []byte, size int64) (endRecord, error) {
	for i := len(tail) - lenEnd; i >= 0; i-- {
		if le.Uint32(tail[i:]) != sigEnd || i+lenEnd+int(le.Uint16(tail[i+20:])) != len(tail) {
			continue
		}
		r := tail[i:]
		if le.Uint16(r[4:]) != 0 && le.Uint16(r[4:]) != math.MaxUint16 {
			return endRecord{}, corrupt("", "it is one part of several")
		}
		end := endRecord{entries: int64(le.Uint16(r[10:])), size: int64(le.Uint32(r[12:])), offset: int64(le.Uint32(r[16:]))}
		at := size - int64(len(tail)) + int64(i)
		if end.entries == math.MaxUint16 || end.size == math.MaxUint32 || end.offset == math.MaxUint32 {
			if found, err := findEnd64(src, &end, at); err != nil || found {
				return end, err
			}
		}
		return end, end.place(at)
	}
	return endRecord{}, &CorruptError{Err: errNoEnd}
}

// findEnd64 reads the zip64 record, if the locator in front of the end record
// points to one.
func findEnd64(src io.ReaderAt, end *endRecord, at int64) (bool, error) {
	if at < lenEnd64Locate {
		return false, nil
	}
	var locator [lenEnd64Locate]byte
	if err := readFull(src, locator[:], at-lenEnd64Locate); err != nil {
		return false, err
	}
	if le.Uint32(locator[:]) != sigEnd64Locate {
		return false, nil
	}
	// The record is right in front of its locator; the locator's own word for
	// it would be off in an archive with something in front.
	at64 := at - lenEnd64Locate - lenEnd64
	var r [lenEnd64]byte
	if at64 < 0 {
		return false, corrupt("", "the zip64 end record is missing")
	}
	if err := readFull(src, r[:], at64); err != nil {
		return false, err
	}
	if le.Uint32(r[:]) != sigEnd64 {
		return false, corrupt("", "the zip64 end record is missing")
	}
	entries, size, offset := le.Uint64(r[32:]), le.Uint64(r[40:]), le.Uint64(r[48:])
	if max(entries, size, offset) > math.MaxInt64 {
		return false, corrupt("", "the zip64 end record holds impossible sizes")
	}
	*end = endRecord{entries: int64(entries), size: int64(size), offset: int64(offset)}
	return true, end.place(at64)
}

// place works out where the directory really is: right in front of its end
// record. What that differs from what the record says lies in front of the
// archive.
func (end *endRecord) place(at int64) error {
	if end.size > at || end.entries*lenCentral > end.size {
		return corrupt("", "the central directory does not fit into it")
	}
	end.base = at - end.size - end.offset
	if end.base < 0 {
		return corrupt("", "it lacks %d bytes", -end.base)
	}
	end.offset = at - end.size
	return nil
}

func parseDirectory(directory []byte, end endRecord) ([]*entry, error) {
	all := make([]entry, end.entries)
	entries := make([]*entry, end.entries)
	for i := range all {
		n, err := parseHeader(directory, &all[i], end)
		if err != nil {
			return nil, err
		}
		directory = directory[n:]
		entries[i] = &all[i]
	}
	if len(directory) > 0 && !bytes.HasPrefix(directory, []byte{'P', 'K', 5, 5}) { // a digital signature may follow
		return nil, corrupt("", "%d bytes of the central directory are left over", len(directory))
	}
	return entries, nil
}

// parseHeader reads one file header and returns its length.
func parseHeader(b []byte, e *entry, end endRecord) (int, error) {
	if len(b) < lenCentral || le.Uint32(b) != sigCentral {
		return 0, corrupt("", "the central directory is damaged")
	}
	nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	n := lenCentral + nameLen + extraLen + commentLen
	if len(b) < n {
		return 0, corrupt("", "the central directory is damaged")
	}
	e.name = string(b[lenCentral : lenCentral+nameLen])
	e.flags, e.method, e.crc = le.Uint16(b[8:]), le.Uint16(b[10:]), le.Uint32(b[16:])
	packed, size, offset := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[42:]))
	e.modTime = dosTime(le.Uint16(b[14:]), le.Uint16(b[12:]))
	x := extraFields{size: &size, packed: &packed, offset: &offset, modTime: &e.modTime}
	if err := x.read(b[lenCentral+nameLen : lenCentral+nameLen+extraLen]); err != nil {
		return 0, &CorruptError{e.name, err}
	}
	if max(packed, size, offset) > math.MaxInt64/4 {
		return 0, corrupt(e.name, "impossible sizes")
	}
	e.packed, e.size, e.offset = int64(packed), int64(size), int64(offset)+end.base
	e.mode = fileMode(b[5], le.Uint32(b[38:]), e.name)
	return n, nil
}

// layOut finds where each entry ends, and refuses entries that overlap: a few
// bytes could be unpacked to many files.
func layOut(entries []*entry, directory int64) error {
	byOffset := slices.SortedFunc(slices.Values(entries), func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
	for i, e := range byOffset {
		e.end = directory
		if i+1 < len(byOffset) {
			e.end = byOffset[i+1].offset
		}
		if least := e.offset + lenLocal + int64(len(e.name)) + e.packed; least > e.end {
			if e.end == directory {
				return corrupt(e.name, "it reaches into the central directory")
			}
			return &UnsafeError{e.name, "it overlaps the next entry"}
		}
	}
	return nil
}
