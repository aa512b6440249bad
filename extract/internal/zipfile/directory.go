package zipfile

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

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

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

// ReadDirectory returns the entries in the order of the central directory. It reads
// the end of the archive once, and the directory once unless that read included it.
func ReadDirectory(src io.ReaderAt, size int64, budget archive.Budget) ([]Entry, error) {
	tail, err := readTail(src, size)
	if err != nil {
		return nil, err
	}
	end, err := findEnd(tail, size)
	if err != nil {
		return nil, err
	}
	if err := budget.Entries(end.entries); err != nil {
		return nil, err
	}
	if end.size > maxDirectory {
		return nil, &archive.LimitError{What: "bytes of central directory", Limit: maxDirectory}
	}
	r := bufio.NewReaderSize(io.NewSectionReader(tail, end.offset, end.size), int(min(end.size, directoryBuffer)))
	entries, err := parseDirectory(r, end, budget)
	if err != nil {
		return nil, err
	}
	return entries, layOut(entries, end.offset)
}

func parseDirectory(r *bufio.Reader, end endRecord, budget archive.Budget) ([]Entry, error) {
	entries := make([]Entry, end.entries)
	var read int64
	for i := range entries {
		header, err := peekHeader(r)
		if err != nil {
			return nil, err
		}
		if err := entries[i].parse(header, end); err != nil {
			return nil, err
		}
		if err := budget.Name(entries[i].nameBytes()); err != nil {
			return nil, err
		}
		_, _ = r.Discard(len(header)) // it was peeked at
		read += int64(len(header))
	}
	if left := end.size - read; left > 0 {
		signature, err := r.Peek(int(min(left, 4)))
		if err != nil {
			return nil, readingDirectory(err)
		}
		if !bytes.Equal(signature, []byte{'P', 'K', 5, 5}) { // a digital signature may follow
			return nil, archive.Corrupt("", "%d bytes of the central directory are left over", left)
		}
	}
	return entries, nil
}

// peekHeader returns the next file header with its name, extra fields and comment.
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

var errDirectory = archive.Corrupt("", "the central directory is damaged")

// readingDirectory tells damage from an interrupted transfer.
func readingDirectory(err error) error {
	if archive.AtEnd(err) || errors.Is(err, bufio.ErrBufferFull) {
		return errDirectory
	}
	return err
}

// parse reads one file header.
func (e *Entry) parse(b []byte, end endRecord) error {
	nameLen, extraLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:]))
	e.stored = string(b[lenCentral : lenCentral+nameLen])
	e.Flags, e.Method, e.CRC32 = le.Uint16(b[8:]), le.Uint16(b[10:]), le.Uint32(b[16:])
	packed, size, offset := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[42:]))
	e.ModTime = dosTime(le.Uint16(b[14:]), le.Uint16(b[12:]))
	e.Summed = true
	x := extraFields{stored: e.stored, size: &size, packed: &packed, offset: &offset, modTime: &e.ModTime}
	if err := x.read(b[lenCentral+nameLen : lenCentral+nameLen+extraLen]); err != nil {
		return &archive.CorruptError{Entry: e.stored, Err: err}
	}
	e.Name = entryName(e.stored, x.unicode, e.Flags, b[5])
	if max(packed, size, offset) > math.MaxInt64/4 {
		return archive.Corrupt(e.Name, "impossible sizes")
	}
	e.Packed, e.Size, e.Offset = int64(packed), int64(size), int64(offset)+end.base
	e.Mode = fileMode(b[5], le.Uint32(b[38:]), e.Name)
	if e.Mode.Type() == fs.ModeNamedPipe && e.Size > 0 { // Info-ZIP has read it from a pipe
		e.Mode = e.Mode.Perm()
	}
	return nil
}

// layOut works out where each entry ends. It refuses entries that overlap: a few
// bytes could be unpacked to many files.
func layOut(entries []Entry, directory int64) error {
	byOffset := make([]*Entry, len(entries))
	for i := range entries {
		byOffset[i] = &entries[i]
	}
	slices.SortFunc(byOffset, func(a, b *Entry) int { return cmp.Compare(a.Offset, b.Offset) })
	for i, e := range byOffset {
		e.End = directory
		if i+1 < len(byOffset) {
			e.End = byOffset[i+1].Offset
		}
		if least := e.Offset + lenLocal + int64(len(e.stored)) + e.Packed; least > e.End {
			if e.End == directory {
				return archive.Corrupt(e.Name, "it reaches into the central directory")
			}
			return &archive.UnsafeError{Entry: e.Name, Reason: "it overlaps the next entry"}
		}
	}
	return nil
}
