package zipfile

import (
	"io/fs"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// Entry is a file, directory or link as the central directory has it.
type Entry struct {
	archive.Header
	Method uint16 // of compression: APPNOTE 4.4.5
	Flags  uint16 // APPNOTE 4.4.4
	Packed int64  // compressed size, in bytes
	Offset int64  // of the local header, in the file
	End    int64  // where the next header, or the directory, begins

	stored string // the bytes of the name in the header
}

// nameBytes is how much memory the name takes.
func (e *Entry) nameBytes() int {
	if e.Name == e.stored {
		return len(e.Name)
	}
	return len(e.Name) + len(e.stored)
}

// General purpose flags: APPNOTE 4.4.4.
const (
	flagEncrypted       = 1 << 0
	flagDescriptor      = 1 << 3 // CRC and sizes follow the data
	flagStrongEncrypted = 1 << 6
	flagUTF8            = 1 << 11 // the name is UTF-8
	flagMaskedHeaders   = 1 << 13
)

// Encrypted reports whether the data or the headers are encrypted.
func (e *Entry) Encrypted() bool {
	return e.Flags&(flagEncrypted|flagStrongEncrypted|flagMaskedHeaders) != 0
}

// MinBuffer is the size of the buffer that [Entry.ReadLocalHeader] needs, in bytes:
// a name and extra fields of 65,535 bytes each.
const MinBuffer = 128 << 10

// CheckKind returns an error if the entry is a directory with content, or anything
// other than a file, directory or symbolic link.
func (e *Entry) CheckKind() error {
	if e.IsDir() && e.Size != 0 {
		return archive.Corrupt(e.Name, "it is a directory, but has content")
	}
	if e.Mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0 {
		return &archive.UnsafeError{Entry: e.Name, Reason: "it is a device, a pipe or a socket"}
	}
	return nil
}
