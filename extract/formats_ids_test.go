package extract

import (
	"encoding/binary"

	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// Format constants for tests that write archives.

var le = binary.LittleEndian

const maxWindow = codec.MaxWindow

// Compression methods of zip: APPNOTE 4.4.5.
const (
	methodLZMA = 14
	methodZstd = 93
	methodXz   = 95
)

// lenStart7z is the length of the start header of a 7z archive.
const lenStart7z = 32

// Property ids of 7z: 7zFormat.txt in the LZMA SDK.
const (
	id7zEnd         = 0x00
	id7zHeader      = 0x01
	id7zMainStreams = 0x04
	id7zFiles       = 0x05
	id7zPack        = 0x06
	id7zUnpack      = 0x07
	id7zSubStreams  = 0x08
	id7zSize        = 0x09
	id7zCRC         = 0x0a
	id7zFolder      = 0x0b
	id7zUnpackSize  = 0x0c
	id7zStreams     = 0x0d
	id7zEmptyStream = 0x0e
	id7zEmptyFile   = 0x0f
	id7zNames       = 0x11
	id7zEncoded     = 0x17
)

// append7z appends numbers, each in nine bytes, which is enough for any.
func append7z(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = le.AppendUint64(append(b, 0xff), n)
	}
	return b
}
