package zipfile

import (
	"errors"
	"io"
	"math"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// errNoEnd reports that the end of central directory record is missing: the archive
// isn't a zip, or is truncated.
var errNoEnd = errors.New("no end of central directory record")

// endRecord says where the central directory is: APPNOTE 4.3.16, 4.3.14.
type endRecord struct {
	entries int64
	size    int64 // of the directory
	offset  int64 // of the directory in the file
	base    int64 // bytes that precede the archive, such as a self-extractor
}

// HasEnd reports whether src ends as a zip archive does: with an end of central
// directory record.
func HasEnd(src io.ReaderAt, size int64) (bool, error) {
	tail, err := readTail(src, size)
	if err != nil {
		return false, err
	}
	i, err := locateEnd(tail.bytes, size)
	return i >= 0 || err != nil, nil
}

// CheckEnd returns an error if the end records don't say where the directory is. It
// doesn't read the directory.
func CheckEnd(src io.ReaderAt, size int64) error {
	tail, err := readTail(src, size)
	if err == nil {
		_, err = findEnd(tail, size)
	}
	return err
}

// tail is the part of an archive in which an end record and its comment must lie.
// Reads from there don't reach the source again.
type tail struct {
	io.ReaderAt
	off   int64 // of bytes in the source
	bytes []byte
}

func readTail(src io.ReaderAt, size int64) (*tail, error) {
	n := min(size, lenEnd+maxComment+lenEnd64Locate+lenEnd64)
	t := &tail{src, size - n, make([]byte, n)}
	return t, archive.ReadFull(src, t.bytes, t.off)
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

// locateEnd returns the index of the end record, or -1. It prefers the record whose
// comment ends at the end of the file. Otherwise, because something follows the archive
// or its comment is truncated, it takes the one that directly follows a directory. It
// refuses an archive with two candidates: programs disagree on which one counts, so they
// would see different archives.
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
		return endRecord{}, &archive.CorruptError{Err: errNoEnd}
	}
	r := tail.bytes[i:]
	if !oneDisk(le.Uint16(r[4:])) || !oneDisk(le.Uint16(r[6:])) || le.Uint16(r[8:]) != le.Uint16(r[10:]) {
		return endRecord{}, archive.Corrupt("", "it is one part of several")
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

// soleDirectory refuses an archive with data in front of it if there is also a
// directory at the offset that its end record states: some programs use that one
// instead of the one that precedes the record.
func soleDirectory(src io.ReaderAt, found, stated int64) error {
	var signatures [2][4]byte
	for i, at := range []int64{stated, found} {
		if err := archive.ReadFull(src, signatures[i][:], at); err != nil {
			return err
		}
	}
	switch {
	case le.Uint32(signatures[0][:]) != sigCentral:
		return nil
	case le.Uint32(signatures[1][:]) != sigCentral:
		return archive.Corrupt("", "the central directory is not as long as its end record says")
	}
	return errTwoDirectories
}

var errTwoDirectories = &archive.UnsafeError{Reason: "it has two central directories"}

// oneDisk reports whether a disk number belongs to an archive on a single disk.
func oneDisk(n uint16) bool { return n == 0 || n == math.MaxUint16 }

// lastEnd returns the index of the last end record at or before i that fits, or -1.
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

// followsDirectory reports whether a directory directly precedes the end record at
// i. If the tail doesn't reach back to it, the record's own offset must agree.
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

// place computes where the directory really is: directly before its end record. The
// difference to the stated offset is what precedes the archive.
func (end *endRecord) place(at int64) error {
	if end.size > at || end.entries > end.size/lenCentral {
		return archive.Corrupt("", "the central directory does not fit into it")
	}
	end.base = at - end.size - end.offset
	if end.base < 0 {
		return archive.Corrupt("", "it lacks %d bytes", -end.base)
	}
	end.offset = at - end.size
	return nil
}
