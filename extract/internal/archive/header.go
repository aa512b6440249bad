package archive

import (
	"io/fs"
	"time"
)

// Header describes a file, directory or symbolic link in an archive of any format,
// as the archive has it.
type Header struct {
	Name    string
	Mode    fs.FileMode // type and permission bits
	ModTime time.Time   // zero if unknown
	Size    int64       // bytes, uncompressed
	CRC32   uint32      // of the content
	Summed  bool        // CRC32 is known
}

// IsDir reports whether it is a directory.
func (h *Header) IsDir() bool { return h.Mode.IsDir() }

// IsLink reports whether it is a symbolic link.
func (h *Header) IsLink() bool { return h.Mode&fs.ModeSymlink != 0 }

// MaxPath is how long a name or the target of a link may be, in bytes: PATH_MAX of
// Linux.
const MaxPath = 4096

// DefaultMode is the mode of files whose mode is unknown.
const DefaultMode fs.FileMode = 0o644

// UnixMode translates st_mode. It drops setuid, setgid and sticky bits.
func UnixMode(st uint32) fs.FileMode {
	mode := fs.FileMode(st & 0o777)
	switch st & 0xf000 {
	case 0, 0x8000:
	case 0x4000:
		mode |= fs.ModeDir
	case 0xa000:
		mode |= fs.ModeSymlink
	case 0x1000:
		mode |= fs.ModeNamedPipe
	case 0xc000:
		mode |= fs.ModeSocket
	case 0x2000:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	default:
		mode |= fs.ModeDevice
	}
	return mode
}

// WindowsTime translates a FILETIME, which counts 100 ns since 1601.
func WindowsTime(ticks uint64) time.Time {
	const (
		perSecond = 10_000_000
		from1601  = 11_644_473_600
	)
	return time.Unix(int64(ticks/perSecond)-from1601, int64(ticks%perSecond*100)).UTC()
}

// Budget limits what reading an archive's directory may take.
type Budget interface {
	// Entries returns an error if an archive may not have n entries.
	Entries(n int64) error
	// Name takes the bytes of a name before it is kept in memory.
	Name(bytes int) error
}
