package extract

import (
	"hash/crc32"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// flagUTF8 says that the name is UTF-8: APPNOTE 4.4.4, bit 11.
const flagUTF8 = 1 << 11

// entryName is the name that the bytes of a header mean. The Unicode path field
// counts before them, as for unzip and bsdtar. Without it, and without the flag
// for UTF-8, a name from MS-DOS is code page 437 (APPNOTE, appendix D), unless it
// is UTF-8 for all that: some writers forget the flag. Other systems' names are
// taken as they are, as both of these do.
func entryName(stored, unicode string, flags uint16, creator byte) string {
	const dos = 0
	switch {
	case unicode != "":
		return unicode
	case flags&flagUTF8 != 0 || creator != dos || utf8.ValidString(stored):
		return stored
	}
	name, err := charmap.CodePage437.NewDecoder().String(stored)
	if err != nil { // every byte has a meaning
		return stored
	}
	return name
}

// unicodePath reads the name in UTF-8, which holds for the name in the header
// whose CRC-32 it carries: a program that knows nothing of the field may have
// changed that (APPNOTE 4.6.9).
func (x *extraFields) unicodePath(field []byte) {
	const head = 1 + 4
	if len(field) <= head || field[0] != 1 || le.Uint32(field[1:]) != crc32.ChecksumIEEE([]byte(x.stored)) || !utf8.Valid(field[head:]) {
		return
	}
	x.unicode = string(field[head:])
}
