package extract

import (
	"bytes"
	"math"
)

// methods7z are the methods that the library knows how to undo, by their ids, and
// the memory that they take, in bytes: Methods.txt in the LZMA SDK. What zstd and
// brotli take there has no bound.
func methods7z() map[string]uint64 {
	const little = 64 << 10
	return map[string]uint64{
		"00": little, "03": little, // as it is; delta
		"03030103": little, "0303011b": 4 * little, "03030205": little, "03030501": little, "03030805": little, // filters for programs
		"040108": little, "040202": bzip2Memory, "04f71104": 16 << 20, // Deflate, bzip2, LZ4
	}
}

// names7z are methods that people may have heard of.
func names7z(method string) string {
	names := map[string]string{
		"030401": "PPMd", "040109": "Deflate64", "04f71101": "zstd", "04f71102": "brotli", "0a": "ARM64", "03030701": "ARMT", "03030401": "IA64",
	}
	if name, ok := names[method]; ok {
		return name
	}
	return "7z method " + method
}

// judge7z says how much memory a method takes, for content of so many bytes, and
// which properties make it take no more than that. It refuses what cannot be
// unpacked.
func judge7z(c coder7z, size uint64) (props []byte, memory uint64, err error) {
	const lzma, lzma2, encrypted = "030101", "21", "06f10701"
	switch {
	case c.method == lzma && len(c.props) == 5:
		dictionary := min(uint64(le.Uint32(c.props[1:])), max(size, 1<<12))
		return le.AppendUint32(c.props[:1:1], uint32(min(dictionary, math.MaxUint32))), dictionary, nil
	case c.method == lzma2 && len(c.props) == 1 && c.props[0] <= 40:
		p := byte(0)
		for p < c.props[0] && lzma2Dictionary(p) < size {
			p++
		}
		return []byte{p}, lzma2Dictionary(p), nil
	case c.method == lzma, c.method == lzma2:
		return nil, 0, corrupt("", "7z: %w", errHeader7z)
	case c.method == encrypted:
		return nil, 0, &UnsafeError{"", "it is encrypted"}
	}
	memory, known := methods7z()[c.method]
	if !known {
		return nil, 0, &UnsafeError{"", "it is compressed by " + names7z(c.method) + ", which is not supported"}
	}
	return nil, memory, nil
}

// recode returns the methods of a folder with dictionaries that are no larger than
// what they are for, and the memory that unpacking takes, in bytes.
func (f *folder7z) recode() (coded []byte, memory uint64, err error) {
	h := &header7z{b: f.coded}
	coders, _ := h.coders() // they were read before
	coded = bytes.Clone(f.coded)
	for i, c := range coders.list {
		props, takes, err := judge7z(c, f.sizes[i])
		if err != nil {
			return nil, 0, err
		}
		memory += takes
		copy(coded[c.at:], props)
	}
	return coded, memory, nil
}

// header makes the header of an archive that has this folder alone. All of its
// content is one file. The library takes the size of an only file from the last
// method, which need not be the one that makes it; so there is another one, which is
// empty.
func (f *folder7z) header() ([]byte, error) {
	coded, _, err := f.recode()
	if err != nil {
		return nil, err
	}
	b := []byte{id7zHeader, id7zMainStreams, id7zPack}
	b = append7z(b, 0, uint64(len(f.packs)))
	b = append7z(append(b, id7zSize), f.packs...)
	b = append(b, id7zEnd, id7zUnpack, id7zFolder, 1, 0)
	b = append(append(b, coded...), id7zUnpackSize)
	b = append7z(b, f.sizes...)
	b = append(b, id7zEnd, id7zSubStreams, id7zStreams, 2, id7zSize)
	b = append7z(b, f.size)
	b = append(b, id7zCRC, 1, 0, 0, 0, 0, 0, 0, 0, 0, id7zEnd, id7zEnd)
	names := []byte{0, 'a', 0, 0, 0, 'b', 0, 0, 0}
	b = append(b, id7zFiles, 2, id7zNames, byte(len(names)))
	return append(append(b, names...), id7zEnd, id7zEnd), nil
}

// append7z appends numbers, each in the nine bytes that any takes.
func append7z(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = le.AppendUint64(append(b, 0xff), n)
	}
	return b
}
