package sevenzip

import (
	"encoding/binary"
	"io/fs"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// fileMode reads attributes, which are those of Windows. Programs on Unix put a mode
// above them, and set a bit to say so.
func fileMode(attributes []byte, isDir bool) fs.FileMode {
	const readOnly, directory, unixExtension = 0x01, 0x10, 0x8000
	var a uint32
	if attributes != nil {
		a = binary.LittleEndian.Uint32(attributes)
	}
	mode := archive.DefaultMode
	if a&directory != 0 {
		mode = fs.ModeDir | 0o755
	}
	if st := a >> 16; a&unixExtension != 0 && st != 0 {
		mode = archive.UnixMode(st)
	} else if a&readOnly != 0 && !mode.IsDir() {
		mode &^= 0o222
	}
	if isDir && !mode.IsDir() {
		return fs.ModeDir | 0o755
	}
	return mode
}
