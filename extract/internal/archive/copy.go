package archive

import "io"

// CopyBuffer is the size of the buffers that content passes through, in bytes. A
// file that fits is written by one call.
const CopyBuffer = 128 << 10

// Copy copies from r to w through buf. It fills buf before it writes, so that a
// small file is written by one call.
func Copy(w io.Writer, r io.Reader, buf []byte) error {
	for {
		n, err := io.ReadFull(r, buf)
		if n > 0 && (err == nil || MetEnd(err)) {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case MetEnd(err):
			return nil
		default:
			return err
		}
	}
}

// MetEnd reports whether err is how [io.ReadFull] says that it met the end of the
// content, and not an error that only wraps such an end.
func MetEnd(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // ReadFull never wraps these two
}

// Sized reads the content of an entry and returns a [CorruptError] if it ends too
// early.
type Sized struct {
	R      io.Reader
	Header *Header

	read int64
}

// Read implements [io.Reader].
func (s *Sized) Read(p []byte) (int, error) {
	n, err := s.R.Read(p)
	s.read += int64(n)
	if MetEnd(err) && s.read != s.Header.Size { // a connection's end is wrapped
		return n, Corrupt(s.Header.Name, "it has %d bytes, not %d", s.read, s.Header.Size)
	}
	return n, err
}
