package extract

// folder7z is a run of files that were compressed together.
type folder7z struct {
	coded   []byte   // methods and how they are connected, as the header has it
	sizes   []uint64 // what comes out of each method
	packs   []uint64 // sizes of the packed streams, which lie one behind the other
	at      uint64   // where the first is, behind the start header
	main    int      // the method whose output is the content
	size    uint64   // of the content
	memory  uint64   // that unpacking takes, in bytes
	streams int      // files
	crc     uint32
	summed  bool
}

func (f *folder7z) packed() uint64 {
	var n uint64
	for _, size := range f.packs {
		n += size
	}
	return n
}

// readStreams reads where the packed streams are, how they are packed, and which
// files are in them.
func (h *header7z) readStreams() {
	id := h.byte()
	if id == id7zPack {
		h.readPacks()
		id = h.byte()
	}
	if id == id7zUnpack {
		h.readFolders()
		id = h.byte()
	}
	for i := range h.folders {
		h.folders[i].streams = 1
	}
	if id == id7zSubStreams {
		h.readSubStreams()
		id = h.byte()
	} else {
		h.splitFolders(nil)
	}
	if id != id7zEnd {
		h.fail()
	}
}

const (
	maxInputs   = 32 // streams that go into the methods of one folder: 7-Zip makes seven
	usualInputs = 4  // of them, for a program for x86 (BCJ2), packed streams
)

func (h *header7z) readPacks() {
	h.packAt = h.number()
	n := h.count(1)
	if n/usualInputs > h.opts.MaxFiles {
		h.refuse(tooManyEntries(h.opts))
		return
	}
	id := h.byte()
	if id == id7zSize {
		h.packs = h.sizes(n)
		id = h.byte()
	}
	if id == id7zCRC {
		h.digests(n, func(int, uint32) {})
		id = h.byte()
	}
	if id != id7zEnd || len(h.packs) != n {
		h.fail()
	}
}

// readFolders reads how the streams are packed.
func (h *header7z) readFolders() {
	h.expect(id7zFolder)
	n := h.count(1)
	if n > h.opts.MaxFiles {
		h.refuse(tooManyEntries(h.opts))
		return
	}
	h.expect(0) // they do not lie elsewhere
	h.folders = make([]folder7z, n)
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
		at += f.packed()
	}
	if room := uint64(h.size) - lenStart7z; len(packs) > 0 || at < h.packAt || at > room {
		h.fail()
	}
	h.expect(id7zUnpackSize)
	for i := range h.folders {
		h.sizeFolder(&h.folders[i])
	}
	id := h.byte()
	if id == id7zCRC {
		h.digests(n, func(i int, crc uint32) { h.folders[i].crc, h.folders[i].summed = crc, true })
		id = h.byte()
	}
	if id != id7zEnd {
		h.fail()
	}
}

// sizeFolder reads what comes out of each method of a folder, which decides about
// the memory that it takes.
func (h *header7z) sizeFolder(f *folder7z) {
	copy(f.sizes, h.sizes(len(f.sizes)))
	if h.bad {
		return
	}
	f.size = f.sizes[f.main]
	_, memory, err := f.recode()
	if err == nil && memory > maxWindow {
		err = windowLimit("7z")
	}
	if err != nil {
		h.refuse(err)
	}
	f.memory = memory
}

// readSubStreams reads which files are in the folders.
func (h *header7z) readSubStreams() {
	id := h.byte()
	if id == id7zStreams {
		for i := range h.folders {
			h.folders[i].streams = h.count(1)
		}
		id = h.byte()
	}
	files, more := 0, 0 // whose size is given: the last of a folder has what is left
	for _, f := range h.folders {
		if files += f.streams; files > h.opts.MaxFiles {
			h.refuse(tooManyEntries(h.opts))
			return
		}
		more += max(f.streams-1, 0)
	}
	var sizes []uint64
	if id == id7zSize {
		sizes = h.sizes(more)
		id = h.byte()
	}
	h.splitFolders(sizes)
	if id == id7zCRC {
		h.sumStreams()
		id = h.byte()
	}
	if id != id7zEnd {
		h.fail()
	}
}

// splitFolders makes the streams. The size of the last one in a folder is what the
// others leave of it.
func (h *header7z) splitFolders(sizes []uint64) {
	for _, f := range h.folders {
		left := f.size
		for i := range f.streams {
			s := stream7z{size: left}
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
func (h *header7z) sumStreams() {
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
