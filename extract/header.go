package extract

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"time"
)

// fileMode reads type and permissions as the creator meant them: APPNOTE 4.4.2,
// 4.4.15. setuid, setgid and sticky bits are dropped. A mode without any bit is none
// at all; one that only lacks permissions is meant.
func fileMode(creator byte, attributes uint32, name string) fs.FileMode {
	const unix, darwin = 3, 19
	isDir := strings.HasSuffix(name, "/")
	if creator == unix || creator == darwin {
		if st := attributes >> 16; st != 0 {
			mode := unixMode(st)
			if isDir && mode.IsRegular() {
				mode |= fs.ModeDir
			}
			return mode
		}
	}
	if isDir || attributes&0x10 != 0 {
		return fs.ModeDir | 0o755
	}
	return defaultMode
}

// defaultMode is that of files of which no mode is known.
const defaultMode fs.FileMode = 0o644

// unixMode translates st_mode.
func unixMode(st uint32) fs.FileMode {
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

// dosTime reads a date and time of two seconds' resolution: APPNOTE 4.4.6. It
// has no time zone; UTC makes every machine agree.
func dosTime(date, clock uint16) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31),
		int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}

// extraFields is what extra fields tell better than the header: APPNOTE 4.5.
type extraFields struct {
	stored               string // the name, as its bytes stand in the header
	unicode              string // the name that the Unicode path field has for that one, or ""
	size, packed, offset *uint64
	modTime              *time.Time
}

// Header ids: APPNOTE 4.5.2, 4.6.1.
const (
	extraZip64    = 0x0001
	extraNTFS     = 0x000a
	extraUnixTime = 0x5455 // "extended timestamp"
	extraUnixOld  = 0x5855 // "Info-ZIP Unix, original", which macOS writes
	extraUnicode  = 0x7075 // "Info-ZIP Unicode Path"
)

func (x *extraFields) read(b []byte) error {
	for len(b) >= 4 {
		id, n := le.Uint16(b), int(le.Uint16(b[2:]))
		if len(b) < 4+n {
			return nil // some writers pad with less than a field
		}
		field := b[4 : 4+n]
		b = b[4+n:]
		switch id {
		case extraZip64:
			if err := x.zip64(field); err != nil {
				return err
			}
		case extraUnixTime:
			if n >= 5 && field[0]&1 != 0 {
				*x.modTime = unixTime(le.Uint32(field[1:]), *x.modTime)
			}
		case extraUnixOld:
			if n >= 8 { // behind the time of the last access
				*x.modTime = unixTime(le.Uint32(field[4:]), *x.modTime)
			}
		case extraNTFS:
			x.ntfs(field)
		case extraUnicode:
			x.unicodePath(field)
		}
	}
	return nil
}

// unixTime reads seconds since 1970. The field has 32 bits with a sign: APPNOTE
// 4.5.3 of Info-ZIP's extrafld.txt, "extended timestamp". What is later than 2038 looks
// like a time before 1970 then; the year in the header, which ends with 2107 and
// begins with 1980, tells which of them is meant.
func unixTime(seconds uint32, dos time.Time) time.Time {
	const lastYear = 2037 // that fits wholly
	if dos.Year() > lastYear {
		return time.Unix(int64(seconds), 0).UTC()
	}
	return time.Unix(int64(int32(seconds)), 0).UTC()
}

// zip64 holds those of the three that do not fit into the header, in this
// order: APPNOTE 4.5.3.
func (x *extraFields) zip64(field []byte) error {
	for _, value := range []*uint64{x.size, x.packed, x.offset} {
		if *value != math.MaxUint32 {
			continue
		}
		if len(field) < 8 {
			return errors.New("the zip64 field is too short")
		}
		*value = le.Uint64(field)
		field = field[8:]
	}
	return nil
}

// ntfs holds times in units of 100 ns since 1601: APPNOTE 4.5.5.
func (x *extraFields) ntfs(field []byte) {
	const (
		reserved     = 4
		lenFileTimes = 4 + 24
	)
	if len(field) < reserved+lenFileTimes || le.Uint16(field[reserved:]) != 1 {
		return
	}
	*x.modTime = fileTime(le.Uint64(field[reserved+4:]))
}

// fileTime reads a time of Windows, in units of 100 ns since 1601.
func fileTime(ticks uint64) time.Time {
	const (
		perSecond = 10_000_000
		from1601  = 11_644_473_600
	)
	return time.Unix(int64(ticks/perSecond)-from1601, int64(ticks%perSecond*100)).UTC()
}
