package extract

import (
	"io/fs"
	"math"
	"unicode/utf16"
)

// main reads the header.
func (h *header7z) main() {
	h.expect(id7zHeader)
	id := h.byte()
	if id == id7zProperties {
		for h.byte() != id7zEnd && !h.bad {
			h.take(h.number())
		}
		id = h.byte()
	}
	if id == id7zMainStreams {
		h.readStreams()
		id = h.byte()
	}
	if id == id7zFiles {
		h.readFiles()
		id = h.byte()
	} else if len(h.streams) > 0 {
		h.fail()
	}
	if id != id7zEnd || len(h.b) > 0 {
		h.fail()
	}
}

// files7z is what the header says of the files.
type files7z struct {
	names      []byte   // in UTF-16, each with a zero at its end
	units      []uint16 // of one name
	empty      bits7z   // which have no content
	emptyFile  bits7z   // which of these are files, and not directories
	anti       bits7z   // which of these are to be deleted
	modTime    column7z
	attributes column7z
}

// column7z is a property that some files have.
type column7z struct {
	defined bits7z
	b       []byte // of those, one behind the other
}

// readFiles reads the properties of all files.
func (h *header7z) readFiles() {
	n := h.count(2) // the zero at the end of its name
	if n > h.opts.MaxFiles {
		h.refuse(tooManyEntries(h.opts))
		return
	}
	var f files7z
	var seen [256]bool
	for !h.bad {
		id := h.byte()
		if id == id7zEnd {
			break
		}
		p := &header7z{b: h.take(h.number())}
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

// read reads one property, and reports whether it is one that counts.
func (f *files7z) read(p *header7z, id byte, n int) bool {
	switch id {
	case id7zEmptyStream:
		f.empty = p.bits(n, false)
	case id7zEmptyFile:
		f.emptyFile = p.bits(f.empty.count(), false)
	case id7zAnti:
		f.anti = p.bits(f.empty.count(), false)
	case id7zNames:
		p.expect(0) // they do not lie elsewhere
		f.names = p.take(uint64(len(p.b)))
	case id7zModTime:
		f.modTime = p.column(n, 8)
	case id7zAttributes:
		f.attributes = p.column(n, 4)
	default:
		return false
	}
	return true
}

// column reads a property of so many bytes a file.
func (h *header7z) column(n, bytes int) column7z {
	c := column7z{defined: h.bits(n, true)}
	h.expect(0) // idem
	c.b = h.take(uint64(c.defined.count() * bytes))
	return c
}

// next gives the bytes of file i, or nil. It has to be called for all in order.
func (c *column7z) next(i, bytes int) []byte {
	if !c.defined.has(i) {
		return nil
	}
	value := c.b[:bytes]
	c.b = c.b[bytes:]
	return value
}

// makeEntries makes the entries.
func (h *header7z) makeEntries(f files7z, n int) {
	all := make([]entry, n)
	h.entries = make([]*entry, 0, n)
	streams, empty := h.streams, 0
	for i := range all {
		e := &all[i]
		h.entries = append(h.entries, e)
		if !f.empty.has(i) {
			if len(streams) == 0 || streams[0].size > math.MaxInt64/4 {
				h.fail()
				return
			}
			e.size, e.crc, e.summed = int64(streams[0].size), streams[0].crc, streams[0].summed
			streams = streams[1:]
			h.files = append(h.files, e)
		} else {
			if !f.emptyFile.has(empty) {
				e.mode = fs.ModeDir
			}
			empty++
		}
		if e.name = f.nextName(); e.name == "" {
			h.fail()
			return
		}
		if err := h.opts.spent.name(len(e.name)); err != nil {
			h.refuse(err)
			return
		}
		if t := f.modTime.next(i, 8); t != nil {
			e.modTime = fileTime(le.Uint64(t))
		}
		e.mode = mode7z(f.attributes.next(i, 4), e.isDir())
		h.judge(e)
	}
	if len(streams) > 0 || len(f.names) > 0 || f.anti.count() > 0 {
		h.fail()
	}
}

// judge refuses entries that cannot be unpacked.
func (h *header7z) judge(e *entry) {
	switch kind := e.mode.Type(); {
	case kind&^(fs.ModeDir|fs.ModeSymlink) != 0:
		h.refuse(&UnsafeError{e.name, "it is a device, a pipe or a socket"})
	case e.isDir() && e.size > 0:
		h.refuse(corrupt(e.name, "it is a directory, but has content"))
	}
}

// nextName takes the next name, or "" if there is none.
func (f *files7z) nextName() string {
	f.units = f.units[:0]
	for i := 0; i+1 < len(f.names); i += 2 {
		unit := le.Uint16(f.names[i:])
		if unit == 0 {
			f.names = f.names[i+2:]
			return string(utf16.Decode(f.units))
		}
		f.units = append(f.units, unit)
	}
	return ""
}

// mode7z reads attributes, which are those of Windows. Programs of Unix put a mode
// above them, and say so by a bit.
func mode7z(attributes []byte, isDir bool) fs.FileMode {
	const readOnly, directory, unixExtension = 0x01, 0x10, 0x8000
	var a uint32
	if attributes != nil {
		a = le.Uint32(attributes)
	}
	mode := fileMode(0, a&directory, "")
	if st := a >> 16; a&unixExtension != 0 && st != 0 {
		mode = unixMode(st)
	} else if a&readOnly != 0 && !mode.IsDir() {
		mode &^= 0o222
	}
	if isDir && !mode.IsDir() {
		return fs.ModeDir | 0o755
	}
	return mode
}
