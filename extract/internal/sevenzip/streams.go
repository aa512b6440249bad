package sevenzip

import (
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// Folder is a run of files that were compressed together.
type Folder struct {
	Files []int // indexes in Entries, in the order of their content

	coded   []byte   // its methods and their connections, as in the header
	sizes   []uint64 // of the output of each method
	packs   []uint64 // sizes of its packed streams, which are contiguous
	at      uint64   // offset of the first, from the end of the start header
	main    int      // the method whose output is the content
	size    uint64   // of the content
	streams int      // files
	crc     uint32
	summed  bool
}

// Packed returns its size in the archive, in bytes.
func (f *Folder) Packed() int64 {
	var n int64
	for _, size := range f.packs {
		n += int64(size)
	}
	return n
}

// readStreams reads where the packed streams are, how they are packed, and which
// files are in them.
func (h *parser) readStreams() {
	id := h.byte()
	if id == idPack {
		h.readPacks()
		id = h.byte()
	}
	if id == idUnpack {
		h.readFolders()
		id = h.byte()
	}
	for i := range h.folders {
		h.folders[i].streams = 1
	}
	if id == idSubStreams {
		h.readSubStreams()
		id = h.byte()
	} else {
		h.splitFolders(nil)
	}
	if id != idEnd {
		h.fail()
	}
}

const (
	maxInputs   = 32 // streams that go into the methods of one folder: 7-Zip makes seven
	usualInputs = 4  // of those that are packed streams, with a filter for x86 (BCJ2)
)

func (h *parser) readPacks() {
	h.packAt = h.number()
	n := h.count(1)
	if h.tooMany(n / usualInputs) {
		return
	}
	id := h.byte()
	if id == idSize {
		h.packs = h.sizes(n)
		id = h.byte()
	}
	if id == idCRC {
		h.digests(n, func(int, uint32) {})
		id = h.byte()
	}
	if id != idEnd || len(h.packs) != n {
		h.fail()
	}
}

// readFolders reads how the streams are packed.
func (h *parser) readFolders() {
	h.expect(idFolder)
	n := h.count(1)
	if h.tooMany(n) {
		return
	}
	h.expect(0) // they aren't stored elsewhere
	h.folders = make([]Folder, n)
	packs := h.packs
	at := h.packAt
	for i := range h.folders {
		f := &h.folders[i]
		before := h.b
		coders, inputs := h.coders()
		if h.bad || inputs > len(packs) {
			h.fail()
			return
		}
		f.coded, f.sizes, f.main = before[:len(before)-len(h.b)], make([]uint64, len(coders.list)), coders.main
		f.packs, packs = packs[:inputs], packs[inputs:]
		f.at = at
		at += uint64(f.Packed())
	}
	if room := uint64(h.size) - lenStart; len(packs) > 0 || at < h.packAt || at > room {
		h.fail()
	}
	h.expect(idUnpackSize)
	for i := range h.folders {
		h.sizeFolder(&h.folders[i])
	}
	id := h.byte()
	if id == idCRC {
		h.digests(n, func(i int, crc uint32) { h.folders[i].crc, h.folders[i].summed = crc, true })
		id = h.byte()
	}
	if id != idEnd {
		h.fail()
	}
}

// sizeFolder reads the output sizes of a folder's methods, and refuses a folder that takes
// too much memory.
func (h *parser) sizeFolder(f *Folder) {
	copy(f.sizes, h.sizes(len(f.sizes)))
	if h.bad {
		return
	}
	f.size = f.sizes[f.main]
	_, memory, err := f.recode()
	if err == nil && memory > codec.MaxWindow {
		err = codec.WindowLimit("7z")
	}
	if err != nil {
		h.refuse(err)
	}
}

// readSubStreams reads which files are in the folders.
func (h *parser) readSubStreams() {
	id := h.byte()
	if id == idStreams {
		for i := range h.folders {
			h.folders[i].streams = h.count(1)
		}
		id = h.byte()
	}
	files, more := 0, 0 // with a size: the last of a folder gets the rest
	for _, f := range h.folders {
		if files += f.streams; h.tooMany(files) {
			return
		}
		more += max(f.streams-1, 0)
	}
	var sizes []uint64
	if id == idSize {
		sizes = h.sizes(more)
		id = h.byte()
	}
	h.splitFolders(sizes)
	if id == idCRC {
		h.sumStreams()
		id = h.byte()
	}
	if id != idEnd {
		h.fail()
	}
}

// splitFolders makes the streams. The last one in a folder gets the bytes that the others
// leave.
func (h *parser) splitFolders(sizes []uint64) {
	for _, f := range h.folders {
		left := f.size
		for i := range f.streams {
			s := stream{size: left}
			if i < f.streams-1 {
				if len(sizes) == 0 || sizes[0] > left {
					h.fail()
					return
				}
				s.size, sizes = sizes[0], sizes[1:]
			}
			left -= s.size
			if f.streams == 1 {
				s.crc, s.summed = f.crc, f.summed
			}
			h.streams = append(h.streams, s)
		}
	}
}

// sumStreams reads the checksums of the streams that have none yet.
func (h *parser) sumStreams() {
	var unknown []int
	for i, s := range h.streams {
		if !s.summed {
			unknown = append(unknown, i)
		}
	}
	h.digests(len(unknown), func(i int, crc uint32) {
		h.streams[unknown[i]].crc, h.streams[unknown[i]].summed = crc, true
	})
}
