package codec

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
)

// members reads a gzip file, whose members follow each other (RFC 1952, 2.2). Zeros
// behind the last one are padding, as tapes and block devices leave it: gzip(1) and tar
// ignore them, too.
type members struct {
	member *gzip.Reader
	in     *bufio.Reader
}

// OpenGzip decompresses a gzip file.
func OpenGzip(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReader(r)
	member, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	member.Multistream(false)
	return io.NopCloser(&members{member, in}), nil // a Close would only forget
}

// Read implements [io.Reader].
func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.member.Read(p)
		if err == io.EOF { //nolint:errorlint // gzip.Reader ends a member with io.EOF itself; a wrapped one is a broken connection
			err = m.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next begins the next member, if there is one.
func (m *members) next() error {
	if err := padding(m.in); err != nil {
		return err
	}
	err := m.member.Reset(m.in)
	m.member.Multistream(false)
	return err
}

// padding reads the zeros that may follow a member. It returns nil if there are none, but
// another member.
func padding(in *bufio.Reader) error {
	for zeros := 0; ; zeros++ {
		switch b, err := in.ReadByte(); {
		case err != nil:
			return err
		case b != 0 && zeros > 0:
			return gzip.ErrHeader
		case b != 0:
			return in.UnreadByte()
		}
	}
}
