package unzip

import (
	"fmt"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// Compression methods that can be unpacked: APPNOTE 4.4.5.
const (
	methodStore   = 0
	methodDeflate = 8
	methodBzip2   = 12
	methodLZMA    = 14
	methodZstd    = 93
	methodXz      = 95
)

// supported reports whether a method can be unpacked.
func supported(method uint16) bool {
	switch method {
	case methodStore, methodDeflate, methodBzip2, methodLZMA, methodZstd, methodXz:
		return true
	}
	return false
}

// methodName names a method in messages.
func methodName(method uint16) string {
	names := map[uint16]string{
		methodStore: "no", methodDeflate: "Deflate", methodBzip2: "bzip2", methodLZMA: "LZMA", methodZstd: "zstd", methodXz: "xz",
		1: "shrink", 2: "reduce", 3: "reduce", 4: "reduce", 5: "reduce", 6: "implode", 9: "Deflate64",
		10: "DCL implode", 16: "z/OS CMPSC", 18: "IBM TERSE", 19: "IBM LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES encryption",
	}
	if name, ok := names[method]; ok {
		return name
	}
	return fmt.Sprintf("method %d", method)
}

// Check returns an error if an entry can't be decoded. It looks only at what the
// central directory says.
func Check(e *zipfile.Entry) error {
	if e.Encrypted() {
		return &archive.UnsafeError{Entry: e.Name, Reason: "it is encrypted"}
	}
	if !supported(e.Method) {
		return &archive.UnsafeError{Entry: e.Name, Reason: "it is compressed by " + methodName(e.Method) + ", which is not supported"}
	}
	if e.Method == methodStore && e.Packed != e.Size {
		return archive.Corrupt(e.Name, "it is stored, but has two sizes")
	}
	return e.CheckKind()
}
