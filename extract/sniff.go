package extract

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// recognize returns the format of an archive, or nil for a zip. A zip is recognized by
// its end: its beginning may be far away from everything needed.
func recognize(ctx context.Context, src Source) (*format, error) {
	if isZip, err := zipfile.HasEnd(src, src.Size()); err != nil || isZip {
		return nil, err
	}
	return sniff(ctx, src)
}

// Summed reports whether every file of an archive has a checksum, so that bytes of
// another archive can't pass for its own: whether it is a zip. It is also true if nothing
// of it can be extracted. With head, it doesn't wait for the archive's end if its
// beginning suffices.
func Summed(ctx context.Context, src Source, head bool) (bool, error) {
	if head {
		if begins, err := beginsLikeZip(ctx, src); err != nil || begins {
			return begins, err
		}
	}
	f, err := recognize(ctx, src)
	_, other := errors.AsType[*NotArchiveError](err)
	if _, unsupported := errors.AsType[*UnsupportedError](err); unsupported || other {
		return true, nil
	}
	return f == nil, err
}

// beginsLikeZip reports whether src is a zip by its first bytes. It may still be damaged.
func beginsLikeZip(ctx context.Context, src Source) (bool, error) {
	var head [4]byte
	n, err := src.ReadAt(head[:], 0)
	if err != nil && !archive.AtEnd(err) {
		return false, err
	}
	return isZipHead(ctx, head[:n]), nil
}

// sniffSize is how many bytes are examined: a tar's first header has 512.
const sniffSize = 1 << 10

// sniff recognizes an archive by its first bytes. It returns nil for a zip that lacks its
// end, so that it will be reported as damaged.
func sniff(ctx context.Context, src Source) (*format, error) {
	at, err := skipFrames(src)
	if err != nil {
		return nil, err
	}
	head := make([]byte, min(src.Size()-at, tarRecord+1))
	if err := archive.ReadFull(src, head, at); err != nil {
		return nil, err
	}
	if at == 0 && isEmptyTar(head) {
		return &format{name: "tar", empty: true}, nil
	}
	head = head[:min(len(head), sniffSize)]
	if at == 0 && isZipHead(ctx, head) {
		return nil, nil
	}
	for _, f := range formats() {
		if matches(ctx, f.match, head) && (at == 0 || f.frames) {
			return &f.format, nil
		}
	}
	if name := unsupported(head); name != "" {
		return nil, &UnsupportedError{name}
	}
	return nil, notArchive(head)
}

// notArchive describes a body with this beginning.
func notArchive(head []byte) *NotArchiveError {
	if what := describe(head); what != "" {
		return &NotArchiveError{What: what, Head: firstWords(head)}
	}
	return &NotArchiveError{What: "data of an unknown kind"}
}

// maxFrames is how many frames are skipped to recognize an archive. pzstd writes one.
const maxFrames = 16

// skipFrames returns the offset of the first frame with content. In zstd and lz4, frames
// without content may precede it: RFC 8878, 3.1.2.
func skipFrames(src Source) (int64, error) {
	const skippable, lenHeader = 0x184d2a50, 8
	at := int64(0)
	for range maxFrames {
		var h [lenHeader]byte
		if src.Size()-at < lenHeader {
			break
		}
		if err := archive.ReadFull(src, h[:], at); err != nil {
			return 0, err
		}
		next := at + lenHeader + int64(binary.LittleEndian.Uint32(h[4:]))
		if binary.LittleEndian.Uint32(h[:])&^0xf != skippable || next >= src.Size() {
			break
		}
		at = next
	}
	return at, nil
}

// unsupported names the format of an archive that can't be unpacked, or "".
func unsupported(head []byte) string {
	for magic, name := range map[string]string{
		"\x1f\x9d": "a file compressed by compress (.Z)", "Rar!\x1a\x07": "a RAR archive", "!<arch>\n": "an ar archive, such as a .deb",
		"070701": "a cpio archive", "070702": "a cpio archive", "070707": "a cpio archive", "\xed\xab\xee\xdb": "an RPM package",
		"MSCF\x00\x00\x00\x00": "a cabinet file", "xar!": "a xar archive", "\x89LZO\x00": "a file compressed by lzop", "\x02\x21\x4c\x18": "a legacy lz4 file",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return name
		}
	}
	return ""
}

// describe says what a body is that isn't an archive, or "" if that is unknown.
func describe(head []byte) string {
	text := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))))
	switch {
	case len(text) == 0 && len(head) == 0:
		return "an empty body"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "an HTML page"
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<error")):
		return "an XML document"
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return "a JSON document"
	case isText(head):
		return "text"
	}
	return ""
}

// isText reports whether the head is UTF-8 without control characters. Its last character
// may be truncated.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return len(head) < utf8.UTFMax
		}
		if r < ' ' && !strings.ContainsRune("\t\r\n\f", r) {
			return false
		}
		head = head[n:]
	}
	return true
}

// maxWords is how much of a body is quoted, in bytes.
const maxWords = 80

func firstWords(head []byte) string {
	words := strings.Join(strings.Fields(strings.ToValidUTF8(string(head), "")), " ")
	if len(words) > maxWords {
		return strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return words
}
