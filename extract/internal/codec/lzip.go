package codec

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// lzip reads the members of an .lz file, each an LZMA stream with an end marker
// between a header and a trailer: "Lzip File Format", RFC draft-diaz-lzip-09, 2.
type lzip struct {
	in      *bufio.Reader
	content io.Reader // of the member; nil between two
	crc     uint32
	size    uint64
}

const (
	lenLzipHeader  = 6
	lenLzipTrailer = 20
)

var errLzip = errors.New("a member makes no sense")

// OpenLzip decompresses an .lz file.
func OpenLzip(r io.Reader) (io.ReadCloser, error) {
	z := &lzip{in: bufio.NewReader(r)}
	return io.NopCloser(z), z.member()
}

// lzipDictionary decodes the size of a dictionary.
func lzipDictionary(coded byte) int64 {
	base := int64(1) << (coded & 0x1f)
	return base - base/16*int64(coded>>5)
}

// member begins the next member.
func (z *lzip) member() error {
	var h [lenLzipHeader]byte
	if _, err := io.ReadFull(z.in, h[:]); err != nil {
		return err
	}
	if string(h[:4]) != "LZIP" || h[4] != 1 {
		return errLzip
	}
	props := lzma.Properties{LC: 3, LP: 0, PB: 2}
	classic := append([]byte{props.Code()}, binary.LittleEndian.AppendUint32(nil, uint32(lzipDictionary(h[5])))...)
	classic = append(classic, bytes.Repeat([]byte{0xff}, 8)...) // the end marker ends the stream, not a size
	content, err := lzma.ReaderConfig{DictCap: MaxWindow}.NewReader(&prefixed{classic, z.in})
	if err != nil {
		return err
	}
	z.content, z.crc, z.size = content, 0, 0
	return nil
}

// Read implements [io.Reader].
func (z *lzip) Read(p []byte) (int, error) {
	for {
		if z.content == nil {
			if err := z.member(); err != nil {
				return 0, err // io.EOF between two members is the end
			}
		}
		n, err := z.content.Read(p)
		z.crc, z.size = crc32.Update(z.crc, crc32.IEEETable, p[:n]), z.size+uint64(n)
		if archive.AtEnd(err) {
			z.content, err = nil, z.trailer()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// trailer checks the CRC-32 and the size of a member. The member's own size follows.
func (z *lzip) trailer() error {
	var t [lenLzipTrailer]byte
	if _, err := io.ReadFull(z.in, t[:]); err != nil {
		return io.ErrUnexpectedEOF
	}
	if binary.LittleEndian.Uint32(t[:]) != z.crc || binary.LittleEndian.Uint64(t[4:]) != z.size {
		return errLzip
	}
	return nil
}

// prefixed returns some bytes before those of a reader. It reads no further ahead
// than its caller does.
type prefixed struct {
	first []byte
	rest  *bufio.Reader
}

// Read implements [io.Reader].
func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) == 0 {
		return p.rest.Read(b)
	}
	n := copy(b, p.first)
	p.first = p.first[n:]
	return n, nil
}

// ReadByte implements [io.ByteReader].
func (p *prefixed) ReadByte() (byte, error) {
	if len(p.first) == 0 {
		return p.rest.ReadByte()
	}
	b := p.first[0]
	p.first = p.first[1:]
	return b, nil
}
