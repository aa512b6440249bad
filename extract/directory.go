package extract

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
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

// maxDirectory bounds the length of the central directory, in bytes: 500,000
// entries of 250 bytes.
const maxDirectory = 128 << 20

// directoryBuffer is how much of a directory is in memory at a time, in bytes. A
// header has at most 46, and three times 65,535.
const directoryBuffer = 8 << 20

var le = binary.LittleEndian

// readDirectory returns the entries in the order of the central directory. It
// reads the end of the archive once, and the directory once unless that read
// had it.
func readDirectory(src io.ReaderAt, size int64, o Options) ([]*entry, error) {
	tail, err := readTail(src, size)
	if err != nil {
		return nil, err
	}
	end, err := findEnd(tail, size)
	if err != nil {
		return nil, err
	}
	switch {
	case end.entries > int64(o.MaxFiles):
		return nil, tooManyEntries(o)
	case end.size > maxDirectory:
		return nil, &LimitError{What: "bytes of central directory", Limit: maxDirectory}
	}
	r := bufio.NewReaderSize(io.NewSectionReader(tail, end.offset, end.size), int(min(end.size, directoryBuffer)))
	entries, err := parseDirectory(r, end, o.spent)
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
	if err == nil || err == io.EOF { // itself: the end of a connection is wrapped
		return corrupt("", "it ends at byte %d", off+int64(n))
	}
	return err
}

func parseDirectory(r *bufio.Reader, end endRecord, spent *spent) ([]*entry, error) {
	all := make([]entry, end.entries)
	entries := make([]*entry, end.entries)
	var read int64
	for i := range all {
		header, err := peekHeader(r)
		if err != nil {
			return nil, err
		}
		if err := parseHeader(header, &all[i], end); err != nil {
			return nil, err
		}
		if err := spent.name(all[i].nameBytes()); err != nil {
			return nil, err
		}
		_, _ = r.Discard(len(header)) // it was peeked at
		read += int64(len(header))
		entries[i] = &all[i]
	}
	if left := end.size - read; left > 0 {
		signature, err := r.Peek(int(min(left, 4)))
		if err != nil {
			return nil, readingDirectory(err)
		}
		if !bytes.Equal(signature, []byte{'P', 'K', 5, 5}) { // a digital signature may follow
			return nil, corrupt("", "%d bytes of the central directory are left over", left)
		}
	}
	return entries, nil
}

// peekHeader returns the next file header, with all that belongs to it.
func peekHeader(r *bufio.Reader) ([]byte, error) {
	b, err := r.Peek(lenCentral)
	if err != nil {
		return nil, readingDirectory(err)
	}
	if le.Uint32(b) != sigCentral {
		return nil, errDirectory
	}
	b, err = r.Peek(lenCentral + int(le.Uint16(b[28:])) + int(le.Uint16(b[30:])) + int(le.Uint16(b[32:])))
	if err != nil {
		return nil, readingDirectory(err)
	}
	return b, nil
}

var errDirectory = corrupt("", "the central directory is damaged")

// readingDirectory tells damage from bytes that do not come.
func readingDirectory(err error) error {
	if atEnd(err) || errors.Is(err, bufio.ErrBufferFull) {
		return errDirectory
	}
	return err
}

// parseHeader reads one file header.
func parseHeader(b []byte, e *entry, end endRecord) error {
	nameLen, extraLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:]))
	e.stored = string(b[lenCentral : lenCentral+nameLen])
	e.flags, e.method, e.crc = le.Uint16(b[8:]), le.Uint16(b[10:]), le.Uint32(b[16:])
	packed, size, offset := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[42:]))
	e.modTime = dosTime(le.Uint16(b[14:]), le.Uint16(b[12:]))
	x := extraFields{stored: e.stored, size: &size, packed: &packed, offset: &offset, modTime: &e.modTime}
	if err := x.read(b[lenCentral+nameLen : lenCentral+nameLen+extraLen]); err != nil {
		return &CorruptError{e.stored, err}
	}
	e.name = entryName(e.stored, x.unicode, e.flags, b[5])
	if max(packed, size, offset) > math.MaxInt64/4 {
		return corrupt(e.name, "impossible sizes")
	}
	e.packed, e.size, e.offset = int64(packed), int64(size), int64(offset)+end.base
	e.mode = fileMode(b[5], le.Uint32(b[38:]), e.name)
	if e.mode.Type() == fs.ModeNamedPipe && e.size > 0 { // what Info-ZIP has read from a pipe
		e.mode = e.mode.Perm()
	}
	return nil
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
		if least := e.offset + lenLocal + int64(len(e.stored)) + e.packed; least > e.end {
			if e.end == directory {
				return corrupt(e.name, "it reaches into the central directory")
			}
			return &UnsafeError{e.name, "it overlaps the next entry"}
		}
	}
	return nil
}
