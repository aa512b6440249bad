package codec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// Member is what the header of a gzip member says: RFC 1952, 2.3. Go's libraries refuse a
// name or comment of more than 511 bytes, which GitLab Runner writes.
type Member struct {
	Name    string // without directories, if the writer follows the RFC
	Comment string
	ModTime time.Time // zero if unknown
}

// maxMemberText limits the name and the comment of a member, in bytes: a path of 4096
// bytes with all of them escaped.
const maxMemberText = 3*4096 + 16

// errMember reports bytes that aren't a gzip member.
var errMember = archive.Corrupt("", "gzip: a member has no valid header")

// EachMember passes the members of a gzip file to visit, one after the other. visit must
// read each content to its end, where the checksum is. Damage between the contents is an
// [archive.CorruptError].
func EachMember(r io.Reader, visit func(Member, io.Reader) error) error {
	in := bufio.NewReader(r)
	content := &memberContent{in: in}
	for {
		m, err := readMember(in)
		if archive.MetEnd(err) {
			return archive.Corrupt("", "gzip: it ends within the header of a member")
		}
		if err != nil {
			return err
		}
		content.reset()
		if err := visit(m, content); err != nil {
			return err
		}
		switch err := padding(in); {
		case archive.AtEnd(err):
			return nil
		case errors.Is(err, gzip.ErrHeader):
			return errMember
		case err != nil:
			return err
		}
	}
}

// The flags of a header: RFC 1952, 2.3.1.
const (
	flagSum     = 1 << 1
	flagExtra   = 1 << 2
	flagName    = 1 << 3
	flagComment = 1 << 4
)

// readMember reads the header of a member. Its parts come in this order.
func readMember(in *bufio.Reader) (m Member, err error) {
	var h [10]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return m, err
	}
	if h[0] != 0x1f || h[1] != 0x8b || h[2] != 8 {
		return m, errMember
	}
	flags := h[3]
	if seconds := binary.LittleEndian.Uint32(h[4:]); seconds > 0 {
		m.ModTime = time.Unix(int64(seconds), 0).UTC()
	}
	skip := 0
	if flags&flagExtra != 0 {
		var n [2]byte
		if _, err := io.ReadFull(in, n[:]); err != nil {
			return m, err
		}
		skip = int(binary.LittleEndian.Uint16(n[:]))
	}
	if _, err := in.Discard(skip); err != nil {
		return m, err
	}
	if m.Name, err = memberText(in, flags&flagName != 0); err != nil {
		return m, err
	}
	if m.Comment, err = memberText(in, flags&flagComment != 0); err != nil {
		return m, err
	}
	if flags&flagSum != 0 {
		_, err = in.Discard(2) // of the header, which nothing depends on
	}
	return m, err
}

// memberText reads a text that ends with a zero byte. It is in Latin-1 by the RFC, but
// some writers use UTF-8.
func memberText(in *bufio.Reader, present bool) (string, error) {
	if !present {
		return "", nil
	}
	var text []byte
	for {
		b, err := in.ReadByte()
		switch {
		case err != nil:
			return "", err
		case b == 0:
			return latin1(text), nil
		case len(text) == maxMemberText:
			return "", errMember
		}
		text = append(text, b)
	}
}

func latin1(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}
	var b strings.Builder
	for _, c := range text {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// memberContent is the content of one member after the other. It checks their CRC-32 and
// their size: RFC 1952, 2.3.1.
type memberContent struct {
	in    *bufio.Reader
	plain io.ReadCloser // decompresses; nil before the first
	sum   uint32
	size  uint32
	err   error // how the content has ended
}

func (c *memberContent) reset() {
	c.sum, c.size, c.err = 0, 0, nil
	if c.plain == nil {
		c.plain = flate.NewReader(c.in)
		return
	}
	if again, ok := c.plain.(flate.Resetter); ok {
		_ = again.Reset(c.in, nil) // never fails
	}
}

// Read implements [io.Reader].
func (c *memberContent) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.plain.Read(p)
	c.sum, c.size = crc32.Update(c.sum, crc32.IEEETable, p[:n]), c.size+uint32(n)
	switch {
	case archive.AtEnd(err):
		c.err = c.finish()
	case err != nil:
		c.err = cut(err)
	}
	return n, c.err
}

// finish returns io.EOF if the content is what the member says.
func (c *memberContent) finish() error {
	var end [8]byte
	if _, err := io.ReadFull(c.in, end[:]); err != nil {
		return cut(err)
	}
	if binary.LittleEndian.Uint32(end[:]) != c.sum || binary.LittleEndian.Uint32(end[4:]) != c.size {
		return errors.New("the checksum or the size of a member is wrong")
	}
	return io.EOF
}

// cut makes the end of the file an error within a member.
func cut(err error) error {
	if archive.AtEnd(err) {
		return io.ErrUnexpectedEOF
	}
	return err
}
