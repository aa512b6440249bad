package codec

import (
	"fmt"
	"io"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// Error turns an error of a decompressor into a [archive.LimitError] if the window
// is too large, and otherwise into damage of the named entry.
func Error(entry, format string, err error) error {
	if limit := WindowError(format, err); limit != nil {
		return limit
	}
	return &archive.CorruptError{Entry: entry, Err: fmt.Errorf("unpacking: %w", err)}
}

// Reader reads from a decompressor, and returns its errors as [Error] does.
type Reader struct {
	io.Reader
	Entry, Format string
}

// Read implements [io.Reader].
func (r Reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !archive.AtEnd(err) {
		err = Error(r.Entry, r.Format, err)
	}
	return n, err
}
