package extract

import (
	"errors"
	"io"
	"math"
)

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

// endsAsZip reports whether there is an end record.
func endsAsZip(src Source) (bool, error) {
	tail, err := readTail(src, src.Size())
	if err != nil {
		return false, err
	}
	i, err := locateEnd(tail.bytes, src.Size())
	return i >= 0 || err != nil, nil
}

// tail is the end of an archive, where an end record may lie with what belongs to
// it. What is read from there on does not ask the source again.
type tail struct {
	io.ReaderAt
	off   int64 // of bytes in the source
	bytes []byte
}

func readTail(src io.ReaderAt, size int64) (*tail, error) {
	n := min(size, lenEnd+maxComment+lenEnd64Locate+lenEnd64)
	t := &tail{src, size - n, make([]byte, n)}
	return t, readFull(src, t.bytes, t.off)
}

// ReadAt implements [io.ReaderAt].
func (t *tail) ReadAt(p []byte, off int64) (int, error) {
	if off < t.off {
		return t.ReaderAt.ReadAt(p, off)
	}
	n := 0
	if at := off - t.off; at < int64(len(t.bytes)) {
		n = copy(p, t.bytes[at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// locateEnd finds the end record, or -1: the one whose comment ends where the file
// does; else, with something behind the archive or a comment that was cut short,
// the one whose directory is right in front of it. There must be no second one:
// programs do not agree on which of them counts, so that one could look at another
// archive than the other.
func locateEnd(tail []byte, size int64) (int, error) {
	fits := func(i int) bool { return endsFile(tail, i) }
	i := lastEnd(tail, len(tail)-lenEnd, fits)
	if i < 0 {
		fits = func(i int) bool { return followsDirectory(tail, i, size) }
		i = lastEnd(tail, len(tail)-lenEnd, fits)
	}
	if i >= 0 && lastEnd(tail, i-1, fits) >= 0 {
		return -1, errTwoDirectories
	}
	return i, nil
}

// findEnd reads the end record.
func findEnd(tail *tail, size int64) (endRecord, error) {
	i, err := locateEnd(tail.bytes, size)
	switch {
	case err != nil:
		return endRecord{}, err
	case i < 0:
		return endRecord{}, &CorruptError{Err: errNoEnd}
	}
	r := tail.bytes[i:]
	if !oneDisk(le.Uint16(r[4:])) || !oneDisk(le.Uint16(r[6:])) || le.Uint16(r[8:]) != le.Uint16(r[10:]) {
		return endRecord{}, corrupt("", "it is one part of several")
	}
	end := endRecord{entries: int64(le.Uint16(r[10:])), size: int64(le.Uint32(r[12:])), offset: int64(le.Uint32(r[16:]))}
	at := tail.off + int64(i)
	if at, err = findEnd64(tail, &end, at); err != nil {
		return end, err
	}
	stated := end.offset
	if err = end.place(at); err == nil && end.base > 0 {
		err = soleDirectory(tail, end.offset, stated)
	}
	return end, err
}

// soleDirectory refuses an archive with something in front, if there is a directory
// where its record says that its own is: some programs take that one, and not what is
// right in front of the record.
func soleDirectory(src io.ReaderAt, found, stated int64) error {
	var signatures [2][4]byte
	for i, at := range []int64{stated, found} {
		if err := readFull(src, signatures[i][:], at); err != nil {
			return err
		}
	}
	switch {
	case le.Uint32(signatures[0][:]) != sigCentral:
		return nil
	case le.Uint32(signatures[1][:]) != sigCentral:
		return corrupt("", "the central directory is not as long as its end record says")
	}
	return errTwoDirectories
}

var errTwoDirectories = &UnsafeError{"", "it has two central directories"}

// oneDisk reports whether a number of a disk is that of an archive that has no
// other.
func oneDisk(n uint16) bool { return n == 0 || n == math.MaxUint16 }

// lastEnd returns where the last end record begins that is not behind i and fits;
// or -1.
func lastEnd(tail []byte, i int, fits func(i int) bool) int {
	for ; i >= 0; i-- {
		if le.Uint32(tail[i:]) == sigEnd && fits(i) {
			return i
		}
	}
	return -1
}

// endsFile reports whether the end record at i, with its comment, ends where the
// tail does.
func endsFile(tail []byte, i int) bool {
	return i+lenEnd+int(le.Uint16(tail[i+20:])) == len(tail)
}

// followsDirectory reports whether a directory is right in front of the end record
// at i. Where that is too far away to be seen, it has to be where the record says.
func followsDirectory(tail []byte, i int, size int64) bool {
	r := tail[i:]
	if i >= lenEnd64Locate && le.Uint32(tail[i-lenEnd64Locate:]) == sigEnd64Locate {
		return true
	}
	length, offset := int64(le.Uint32(r[12:])), int64(le.Uint32(r[16:]))
	if at := int64(i) - length; at >= 0 && length > 0 {
		return le.Uint32(tail[at:]) == sigCentral
	}
	return le.Uint16(r[8:]) == le.Uint16(r[10:]) && offset+length == size-int64(len(tail))+int64(i)
}

// findEnd64 reads the zip64 record, if there is a locator in front of the end
// record, and returns where the first of the two is. Info-ZIP writes both as soon as
// one entry needs zip64, and lets the end record say all that it can say: a locator
// counts whatever that says.
func findEnd64(src io.ReaderAt, end *endRecord, at int64) (int64, error) {
	if at < lenEnd64Locate {
		return at, nil
	}
	var locator [lenEnd64Locate]byte
	if err := readFull(src, locator[:], at-lenEnd64Locate); err != nil {
		return 0, err
	}
	if le.Uint32(locator[:]) != sigEnd64Locate {
		return at, nil
	}
	// The record is right in front of its locator; the locator's own word for
	// it would be off in an archive with something in front.
	at64 := at - lenEnd64Locate - lenEnd64
	var r [lenEnd64]byte
	if at64 < 0 {
		return 0, errNoEnd64
	}
	if err := readFull(src, r[:], at64); err != nil {
		return 0, err
	}
	found, err := parseEnd64(r[:])
	if err != nil {
		return 0, err
	}
	if !end.agrees(found) {
		return 0, &UnsafeError{"", "its two end records say different things"}
	}
	*end = found
	return at64, nil
}

var errNoEnd64 = corrupt("", "the zip64 end record is missing")

// parseEnd64 reads the zip64 record: APPNOTE 4.3.14.
func parseEnd64(r []byte) (endRecord, error) {
	if le.Uint32(r) != sigEnd64 || le.Uint64(r[4:]) != lenEnd64-12 {
		return endRecord{}, errNoEnd64
	}
	if le.Uint32(r[16:]) != 0 || le.Uint32(r[20:]) != 0 || le.Uint64(r[24:]) != le.Uint64(r[32:]) {
		return endRecord{}, corrupt("", "it is one part of several")
	}
	entries, size, offset := le.Uint64(r[32:]), le.Uint64(r[40:]), le.Uint64(r[48:])
	if max(entries, size, offset) > math.MaxInt64 {
		return endRecord{}, corrupt("", "the zip64 end record holds impossible sizes")
	}
	return endRecord{entries: int64(entries), size: int64(size), offset: int64(offset)}, nil
}

// agrees reports whether a zip64 end record says the same as the short one,
// where that could say it: APPNOTE 4.4.1.4.
func (end *endRecord) agrees(long endRecord) bool {
	return (end.entries == long.entries || end.entries == math.MaxUint16) &&
		(end.size == long.size || end.size == math.MaxUint32) &&
		(end.offset == long.offset || end.offset == math.MaxUint32)
}

// place works out where the directory really is: right in front of its end
// record. What that differs from what the record says lies in front of the
// archive.
func (end *endRecord) place(at int64) error {
	if end.size > at || end.entries > end.size/lenCentral {
		return corrupt("", "the central directory does not fit into it")
	}
	end.base = at - end.size - end.offset
	if end.base < 0 {
		return corrupt("", "it lacks %d bytes", -end.base)
	}
	end.offset = at - end.size
	return nil
}
