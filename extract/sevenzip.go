package extract

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ulikunitz/xz/lzma"
)

// The reader of 7z archives takes as much memory as a dictionary asks for, up to 4
// GiB. So the methods that an archive names are looked at before it is opened, in
// its header, whose format is that of 7zFormat.txt in the LZMA SDK.

const (
	maxDictionary = 64 << 20 // bytes; 7-Zip's best level takes this much
	maxHeader7z   = 16 << 20 // bytes, packed and unpacked
	lenStart7z    = 32
)

// Property ids.
const (
	id7zEnd         = 0x00
	id7zHeader      = 0x01
	id7zProperties  = 0x02
	id7zMainStreams = 0x04
	id7zPack        = 0x06
	id7zUnpack      = 0x07
	id7zSize        = 0x09
	id7zCRC         = 0x0a
	id7zFolder      = 0x0b
	id7zUnpackSize  = 0x0c
	id7zEncoded     = 0x17
)

var errHeader7z = errors.New("its header makes no sense")

// check7z refuses a 7z archive that would take too much memory, or is encrypted.
func check7z(src io.ReaderAt, size int64) error {
	var start [lenStart7z]byte
	if err := readFull(src, start[:], 0); err != nil {
		return err
	}
	offset, length := le.Uint64(start[12:]), le.Uint64(start[20:])
	if length > maxHeader7z || offset > uint64(size) || lenStart7z+offset+length > uint64(size) { //nolint:gosec // sizes of files are positive
		return corrupt("", "7z: %w", errHeader7z)
	}
	header := make([]byte, length)
	if err := readFull(src, header, lenStart7z+int64(offset)); err != nil { //nolint:gosec // below size
		return err
	}
	for len(header) > 0 && header[0] == id7zEncoded {
		h := &header7z{b: header[1:]}
		s := h.streams()
		if err := h.verdict(); err != nil {
			return err
		}
		var err error
		if header, err = s.unpackHeader(src, size); err != nil {
			return err
		}
	}
	h := &header7z{b: header}
	h.main()
	return h.verdict()
}

// header7z reads a header. Its first error stays.
type header7z struct {
	b   []byte
	err error // why the archive is refused
	bad bool  // the header ends too early, or makes no sense
}

func (h *header7z) verdict() error {
	switch {
	case h.err != nil:
		return h.err
	case h.bad:
		return corrupt("", "7z: %w", errHeader7z)
	}
	return nil
}

func (h *header7z) take(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.bad, h.b = true, nil
		return make([]byte, min(n, 16))
	}
	taken := h.b[:n]
	h.b = h.b[n:]
	return taken
}

func (h *header7z) byte() byte { return h.take(1)[0] }

func (h *header7z) expect(id byte) {
	if h.byte() != id {
		h.bad, h.b = true, nil
	}
}

// number reads an integer whose first byte tells, by its leading ones, how many
// bytes follow.
func (h *header7z) number() uint64 {
	first := h.byte()
	var n uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(h.byte()) << (8 * i)
	}
	return n
}

// count is a number of things that take a byte each at least.
func (h *header7z) count() uint64 {
	n := h.number()
	if n > uint64(len(h.b)) {
		h.bad, h.b = true, nil
		return 0
	}
	return n
}

// main reads the header up to the methods. The rest says what the files are
// called.
func (h *header7z) main() {
	if len(h.b) == 0 {
		return // an empty archive
	}
	h.expect(id7zHeader)
	id := h.byte()
	if id == id7zProperties {
		for h.byte() != id7zEnd && !h.bad {
			h.take(h.number())
		}
		id = h.byte()
	}
	if id == id7zMainStreams {
		h.streams()
	} else if id == 0x03 { // streams that nobody writes
		h.bad = true
	}
}

// streams7z is the first packed stream, and how it is packed.
type streams7z struct {
	at, packed, unpacked uint64
	method               string // of the first coder, in hexadecimal
	props                []byte
}

func (h *header7z) streams() (s streams7z) {
	id := h.byte()
	if id == id7zPack {
		s.at = h.number()
		n := h.count()
		if id = h.byte(); id == id7zSize {
			for i := range n {
				if size := h.number(); i == 0 {
					s.packed = size
				}
			}
			id = h.byte()
		}
		id = h.digests(id, n)
		if id != id7zEnd {
			h.bad = true
			return s
		}
		id = h.byte()
	}
	if id != id7zUnpack {
		return s
	}
	h.expect(id7zFolder)
	folders := h.count()
	if h.byte() != 0 { // they lie elsewhere
		h.bad = true
		return s
	}
	for i := range folders {
		method, props := h.folder()
		if i == 0 {
			s.method, s.props = method, props
		}
	}
	h.expect(id7zUnpackSize)
	s.unpacked = h.number()
	return s
}

// digests skips checksums, if they come next.
func (h *header7z) digests(id byte, n uint64) byte {
	if id != id7zCRC {
		return id
	}
	defined := n
	if h.byte() == 0 { // not all of them
		defined = 0
		for _, b := range h.take((n + 7) / 8) {
			for ; b != 0; b &= b - 1 {
				defined++
			}
		}
	}
	h.take(4 * defined)
	return h.byte()
}

// folder reads one chain of methods, and returns the first.
func (h *header7z) folder() (method string, props []byte) {
	var in, out uint64
	coders := h.count()
	for i := range coders {
		flags := h.byte()
		id := hex.EncodeToString(h.take(uint64(flags & 0x0f)))
		ins, outs := uint64(1), uint64(1)
		if flags&0x10 != 0 {
			ins, outs = h.count(), h.count()
		}
		in, out = in+ins, out+outs
		var p []byte
		if flags&0x20 != 0 {
			p = h.take(h.number())
		}
		if i == 0 {
			method, props = id, p
		}
		h.judge(id, p)
	}
	if out == 0 || in < out-1 || in > uint64(len(h.b)) {
		h.bad = true
		return method, props
	}
	for range 2 * (out - 1) { // which output is which input
		h.number()
	}
	if packed := in - (out - 1); packed > 1 {
		for range packed {
			h.number()
		}
	}
	return method, props
}

// judge refuses methods that would take too much memory, and those that nobody
// knows.
func (h *header7z) judge(method string, props []byte) {
	var dictionary uint64
	switch {
	case method == "030101" && len(props) == 5: // LZMA
		dictionary = uint64(le.Uint32(props[1:]))
	case method == "21" && len(props) == 1 && props[0] <= 40: // LZMA2
		dictionary = (2 | uint64(props[0])&1) << (props[0]/2 + 11)
	case method == "06f10701":
		h.refuse(&UnsafeError{"", "it is encrypted"})
	case method == "00", method == "03", strings.HasPrefix(method, "0303"), method == "040108", method == "040202", method == "04f71104":
		// copy, delta, filters for programs, Deflate, bzip2, LZ4
	default:
		h.refuse(&UnsafeError{"", "it is compressed by 7z method " + method + ", which is not supported"})
	}
	if dictionary > maxDictionary {
		h.refuse(&LimitError{What: "bytes of dictionary", Limit: maxDictionary})
	}
}

func (h *header7z) refuse(err error) {
	if h.err == nil {
		h.err = err
	}
}

// unpackHeader unpacks a header that is packed itself.
func (s streams7z) unpackHeader(src io.ReaderAt, size int64) ([]byte, error) {
	if s.packed > maxHeader7z || s.unpacked > maxHeader7z || s.at > uint64(size) || lenStart7z+s.at+s.packed > uint64(size) { //nolint:gosec // sizes of files are positive
		return nil, corrupt("", "7z: %w", errHeader7z)
	}
	packed := make([]byte, s.packed)
	if err := readFull(src, packed, lenStart7z+int64(s.at)); err != nil { //nolint:gosec // below size
		return nil, err
	}
	var r io.Reader = bytes.NewReader(packed)
	var err error
	switch s.method {
	case "030101":
		classic := le.AppendUint64(bytes.Clone(s.props), s.unpacked)
		r, err = lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(io.MultiReader(bytes.NewReader(classic), r))
	case "21":
		r, err = lzma.Reader2Config{DictCap: maxHeader7z}.NewReader2(r)
	case "00":
	default:
		err = fmt.Errorf("a header that is packed by method %s", s.method)
	}
	header := make([]byte, s.unpacked)
	if err == nil {
		_, err = io.ReadFull(r, header)
	}
	if err != nil {
		return nil, corrupt("", "7z: %w", err)
	}
	return header, nil
}
