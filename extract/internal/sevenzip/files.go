package sevenzip

import (
	"encoding/binary"
	"io/fs"
	"math"
	"unicode/utf16"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// main reads the header that lists the files.
func (h *parser) main() {
	h.expect(idHeader)
	id := h.byte()
	if id == idProperties {
		for h.byte() != idEnd && !h.bad {
			h.take(h.number())
		}
		id = h.byte()
	}
	if id == idMainStreams {
		h.readStreams()
		id = h.byte()
	}
	if id == idFiles {
		h.readFiles()
		id = h.byte()
	} else if len(h.streams) > 0 {
		h.fail()
	}
	if id != idEnd || len(h.b) > 0 {
		h.fail()
	}
}

// properties are what the header says of the files.
type properties struct {
	names      []byte   // in UTF-16, each with a zero at its end
	units      []uint16 // of one name
	empty      bits     // files without content
	emptyFile  bits     // which of these are files, and not directories
	anti       bits     // which of these delete a file
	modTime    column
	attributes column
}

// column is a property that some files have.
type column struct {
	defined bits
	b       []byte // their values, one after the other
}

// readFiles reads the properties of all files.
func (h *parser) readFiles() {
	n := h.count(2) // at least the zero at the end of its name
	if h.tooMany(n) {
		return
	}
	var f properties
	var seen [256]bool
	for !h.bad {
		id := h.byte()
		if id == idEnd {
			break
		}
		p := &parser{b: h.take(h.number())}
		known := f.read(p, id, n)
		if p.bad || known && (len(p.b) > 0 || seen[id]) {
			h.fail()
		}
		seen[id] = known
	}
	if !h.bad {
		h.makeEntries(f, n)
	}
}

// read reads one property, and reports whether it knows that.
func (f *properties) read(p *parser, id byte, n int) bool {
	switch id {
	case idEmptyStream:
		f.empty = p.bits(n, false)
	case idEmptyFile:
		f.emptyFile = p.bits(f.empty.count(), false)
	case idAnti:
		f.anti = p.bits(f.empty.count(), false)
	case idNames:
		p.expect(0) // they aren't stored elsewhere
		f.names = p.take(uint64(len(p.b)))
	case idModTime:
		f.modTime = p.column(n, 8)
	case idAttributes:
		f.attributes = p.column(n, 4)
	default:
		return false
	}
	return true
}

// column reads a property of so many bytes a file.
func (h *parser) column(n, bytes int) column {
	c := column{defined: h.bits(n, true)}
	h.expect(0) // they aren't stored elsewhere
	c.b = h.take(uint64(c.defined.count() * bytes))
	return c
}

// next returns the bytes of file i, or nil. It must be called for all files in order.
func (c *column) next(i, bytes int) []byte {
	if !c.defined.has(i) {
		return nil
	}
	value := c.b[:bytes]
	c.b = c.b[bytes:]
	return value
}

// makeEntries makes the entries of n files.
func (h *parser) makeEntries(f properties, n int) {
	h.entries = make([]archive.Header, n)
	streams := streamsLeft{parser: h}
	empty := 0
	for i := range h.entries {
		e := &h.entries[i]
		if !f.empty.has(i) {
			streams.next(e, i)
		} else {
			if !f.emptyFile.has(empty) {
				e.Mode = fs.ModeDir
			}
			empty++
		}
		if e.Name = f.nextName(); e.Name == "" {
			h.fail()
		}
		if h.bad {
			return
		}
		if err := h.budget.Name(len(e.Name)); err != nil {
			h.refuse(err)
			return
		}
		if t := f.modTime.next(i, 8); t != nil {
			e.ModTime = archive.WindowsTime(binary.LittleEndian.Uint64(t))
		}
		e.Mode = fileMode(f.attributes.next(i, 4), e.IsDir())
		h.judge(e)
	}
	if streams.used < len(h.streams) || len(f.names) > 0 || f.anti.count() > 0 {
		h.fail()
	}
}

// streamsLeft hands out the streams of the folders to the files that have content.
type streamsLeft struct {
	*parser
	used   int
	folder int // whose files are next
}

// next gives file i the next stream.
func (s *streamsLeft) next(e *archive.Header, i int) {
	if s.used == len(s.streams) || s.streams[s.used].size > math.MaxInt64/4 {
		s.fail()
		return
	}
	content := s.streams[s.used]
	s.used++
	e.Size, e.CRC32, e.Summed = int64(content.size), content.crc, content.summed
	for len(s.folders[s.folder].Files) == s.folders[s.folder].streams {
		s.folder++
	}
	s.folders[s.folder].Files = append(s.folders[s.folder].Files, i)
}

// judge refuses entries that can't be unpacked.
func (h *parser) judge(e *archive.Header) {
	switch kind := e.Mode.Type(); {
	case kind&^(fs.ModeDir|fs.ModeSymlink) != 0:
		h.refuse(&archive.UnsafeError{Entry: e.Name, Reason: "it is a device, a pipe or a socket"})
	case e.IsDir() && e.Size > 0:
		h.refuse(archive.Corrupt(e.Name, "it is a directory, but has content"))
	}
}

// nextName takes the next name, or "" at the end.
func (f *properties) nextName() string {
	f.units = f.units[:0]
	for i := 0; i+1 < len(f.names); i += 2 {
		unit := binary.LittleEndian.Uint16(f.names[i:])
		if unit == 0 {
			f.names = f.names[i+2:]
			return string(utf16.Decode(f.units))
		}
		f.units = append(f.units, unit)
	}
	return ""
}
