package sevenzip

import (
	"bytes"
	"encoding/binary"
	"math"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// methods are those that the library can undo, by their ids, with the memory that they
// take, in bytes: Methods.txt in the LZMA SDK. It has no limit for zstd and brotli, which
// are missing here.
func methods() map[string]uint64 {
	const little = 64 << 10
	return map[string]uint64{
		"00": little, "03": little, // copy; delta
		"03030103": little, "0303011b": 4 * little, "03030205": little, "03030501": little, "03030805": little, // filters for programs
		"040108": little, "040202": codec.Bzip2Memory, "04f71104": 16 << 20, // Deflate, bzip2, LZ4
	}
}

// methodName names a method in messages.
func methodName(method string) string {
	names := map[string]string{
		"030401": "PPMd", "040109": "Deflate64", "04f71101": "zstd", "04f71102": "brotli", "0a": "ARM64", "03030701": "ARMT", "03030401": "IA64",
	}
	if name, ok := names[method]; ok {
		return name
	}
	return "7z method " + method
}

// judge returns how much memory a method takes for content of so many bytes, and the
// properties that limit it to this. It refuses methods that the library can't undo.
func judge(c coder, size uint64) (props []byte, memory uint64, err error) {
	const lzma, lzma2, encrypted = "030101", "21", "06f10701"
	switch {
	case c.method == lzma && len(c.props) == 5:
		dictionary := min(uint64(binary.LittleEndian.Uint32(c.props[1:])), max(size, 1<<12))
		return binary.LittleEndian.AppendUint32(c.props[:1:1], uint32(min(dictionary, math.MaxUint32))), dictionary, nil
	case c.method == lzma2 && len(c.props) == 1 && c.props[0] <= 40:
		p := byte(0)
		for p < c.props[0] && codec.LZMA2Dictionary(p) < size {
			p++
		}
		return []byte{p}, codec.LZMA2Dictionary(p), nil
	case c.method == lzma, c.method == lzma2:
		return nil, 0, archive.Corrupt("", "7z: %w", errHeader)
	case c.method == encrypted:
		return nil, 0, &archive.UnsafeError{Reason: "it is encrypted"}
	}
	memory, known := methods()[c.method]
	if !known {
		return nil, 0, &archive.UnsafeError{Reason: "it is compressed by " + methodName(c.method) + ", which is not supported"}
	}
	return nil, memory, nil
}

// recode returns the methods of a folder, with dictionaries no larger than their content,
// and the memory that unpacking takes, in bytes.
func (f *Folder) recode() (coded []byte, memory uint64, err error) {
	h := &parser{b: f.coded}
	coders, _ := h.coders() // they were read before
	coded = bytes.Clone(f.coded)
	for i, c := range coders.list {
		props, takes, err := judge(c, f.sizes[i])
		if err != nil {
			return nil, 0, err
		}
		memory += takes
		copy(coded[c.at:], props)
	}
	return coded, memory, nil
}

// header returns the header of an archive that has only this folder, with its content as
// one file. The library takes the size of a single file from the last method, which may
// not be the one whose output is the content; so there is a second file, which is empty.
func (f *Folder) header() ([]byte, error) {
	coded, _, err := f.recode()
	if err != nil {
		return nil, err
	}
	b := []byte{idHeader, idMainStreams, idPack}
	b = appendNumbers(b, 0, uint64(len(f.packs)))
	b = appendNumbers(append(b, idSize), f.packs...)
	b = append(b, idEnd, idUnpack, idFolder, 1, 0)
	b = append(append(b, coded...), idUnpackSize)
	b = appendNumbers(b, f.sizes...)
	b = append(b, idEnd, idSubStreams, idStreams, 2, idSize)
	b = appendNumbers(b, f.size)
	b = append(b, idCRC, 1, 0, 0, 0, 0, 0, 0, 0, 0, idEnd, idEnd)
	names := []byte{0, 'a', 0, 0, 0, 'b', 0, 0, 0}
	b = append(b, idFiles, 2, idNames, byte(len(names)))
	return append(append(b, names...), idEnd, idEnd), nil
}

// appendNumbers appends numbers, each in nine bytes, which is enough for any.
func appendNumbers(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(append(b, 0xff), n)
	}
	return b
}
