package zipfile

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// fileMode decodes type and permissions as the creator meant them: APPNOTE 4.4.2, 4.4.15.
// If no bit is set, the mode is unknown; a type without permissions is taken literally.
func fileMode(creator byte, attributes uint32, name string) fs.FileMode {
	const unix, darwin = 3, 19
	isDir := strings.HasSuffix(name, "/")
	if creator == unix || creator == darwin {
		if st := attributes >> 16; st != 0 {
			mode := archive.UnixMode(st)
			if isDir && mode.IsRegular() {
				mode |= fs.ModeDir
			}
			return mode
		}
	}
	if isDir || attributes&0x10 != 0 {
		return fs.ModeDir | 0o755
	}
	return archive.DefaultMode
}

// dosTime reads a date and time with a resolution of two seconds: APPNOTE 4.4.6. It
// has no time zone; UTC gives every machine the same result.
func dosTime(date, clock uint16) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31),
		int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}

// extraFields are values that extra fields state better than the header: APPNOTE 4.5.
type extraFields struct {
	stored               string // the bytes of the name in the header
	unicode              string // the name in the Unicode path field, or ""
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
			return nil // some writers add padding that is shorter than a field
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
			if n >= 8 { // it follows the time of the last access
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

// unixTime decodes seconds since 1970. The field is a signed 32-bit number (Info-ZIP's
// extrafld.txt, "extended timestamp"), in which a time after 2038 looks like one before
// 1970. The year in the header, from 1980 to 2107, shows which one is right.
func unixTime(seconds uint32, dos time.Time) time.Time {
	const lastYear = 2037 // that fits wholly
	if dos.Year() > lastYear {
		return time.Unix(int64(seconds), 0).UTC()
	}
	return time.Unix(int64(int32(seconds)), 0).UTC()
}

// zip64 reads those of the three values that don't fit into the header, in this
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

// ntfs reads the modification time: APPNOTE 4.5.5.
func (x *extraFields) ntfs(field []byte) {
	const (
		reserved     = 4
		lenFileTimes = 4 + 24
	)
	if len(field) < reserved+lenFileTimes || le.Uint16(field[reserved:]) != 1 {
		return
	}
	*x.modTime = archive.WindowsTime(le.Uint64(field[reserved+4:]))
}
