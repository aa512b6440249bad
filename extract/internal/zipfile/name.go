package zipfile

import (
	"hash/crc32"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// entryName decodes the name in a header. As in unzip and bsdtar, the Unicode path
// field takes precedence, and names from systems other than MS-DOS are taken as they
// are. A name from MS-DOS without the flag for UTF-8 is in code page 437 (APPNOTE,
// appendix D), unless it is valid UTF-8: some writers forget the flag.
func entryName(stored, unicode string, flags uint16, creator byte) string {
	const dos = 0
	switch {
	case unicode != "":
		return unicode
	case flags&flagUTF8 != 0 || creator != dos || utf8.ValidString(stored):
		return stored
	}
	name, err := charmap.CodePage437.NewDecoder().String(stored)
	if err != nil { // never: code page 437 defines every byte
		return stored
	}
	return name
}

// unicodePath reads the name in UTF-8. It is valid only for the name whose CRC-32 it
// carries: a program that doesn't know the field may have renamed the entry
// (APPNOTE 4.6.9).
func (x *extraFields) unicodePath(field []byte) {
	const head = 1 + 4
	if len(field) <= head || field[0] != 1 || le.Uint32(field[1:]) != crc32.ChecksumIEEE([]byte(x.stored)) || !utf8.Valid(field[head:]) {
		return
	}
	x.unicode = string(field[head:])
}
