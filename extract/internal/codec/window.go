package codec

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
)

// MaxWindow limits what a decompressor may allocate for a stream's window, or
// dictionary, in bytes. The best levels of xz and 7z need this much; the best level of
// zstd in GitLab Runner needs half of it.
const MaxWindow = 64 << 20

// The memory that other decompressors take, in bytes.
const (
	Bzip2Memory = 4 << 20 // for a block at the best level
	ZstdMemory  = 1 << 20 // in addition to the window
)

// windowAdvice says what to do about a larger window.
const windowAdvice = "this limit is fixed: compress with a smaller window; that of xz -9, zstd --long=26 and 7z -md=64m fits"

// WindowLimit returns the error for a stream that needs a larger window.
func WindowLimit(format string) error {
	return &archive.LimitError{What: "bytes in the window of its " + strings.TrimSpace(format+" compression"), Limit: MaxWindow, Advice: windowAdvice}
}

// WindowError returns the [archive.LimitError] if a decompressor's err says that the
// window is too large, or nil if err is about something else.
func WindowError(format string, err error) error {
	_, dictionary := errors.AsType[*lzma.ErrDictSize](err)
	if dictionary || errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return WindowLimit(format)
	}
	return nil
}

// WindowHead is how many bytes of a stream say how large its window will be.
const WindowHead = 64

// The functions below read the size of the window from the beginning of a stream. If
// it doesn't say, they return MaxWindow. The decompressors refuse larger windows and other
// formats.

// ZstdWindow reads the header of a frame: RFC 8878, 3.1.1.1.
func ZstdWindow(head []byte) int64 {
	var h zstd.Header
	if h.Decode(head) != nil || h.Skippable {
		return MaxWindow
	}
	return int64(min(max(h.WindowSize, h.FrameContentSize), MaxWindow))
}

// XzWindow reads the header of the first block: The .xz File Format, 3.1. LZMA2 is
// the last of its filters.
func XzWindow(head []byte) int64 {
	const streamHeader, idLZMA2 = 12, 0x21
	if len(head) <= streamHeader || head[streamHeader] == 0 {
		return MaxWindow
	}
	b := head[streamHeader:]
	b = b[:min(len(b), (int(b[0])+1)*4)]
	if len(b) < 2 {
		return MaxWindow
	}
	filters, sizes := int(b[1]&3), int(b[1]>>6&1+b[1]>>7)
	b = b[2:]
	next := func() uint64 {
		n, length := binary.Uvarint(b)
		b = b[max(length, 0):]
		return n
	}
	for range sizes {
		next()
	}
	for range filters {
		next()
		b = b[min(next(), uint64(len(b))):]
	}
	if next() != idLZMA2 || next() != 1 || len(b) == 0 || b[0] > 40 {
		return MaxWindow
	}
	return int64(min(LZMA2Dictionary(b[0]), MaxWindow))
}

// LZMA2Dictionary returns the size of a dictionary, in bytes, from its one byte of
// properties: The .xz File Format, 5.3.1.
func LZMA2Dictionary(props byte) uint64 { return (2 | uint64(props)&1) << (props/2 + 11) }

// ZstdOptions are the options for every zstd stream.
func ZstdOptions(window int64) []zstd.DOption {
	return []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(window)), zstd.WithDecoderLowmem(true)}
}

// OpenXz decompresses an .xz stream whose window has at most so many bytes.
func OpenXz(r io.Reader, window int64) (io.ReadCloser, error) {
	x, err := xz.NewReader(r, uint32(min(window, MaxWindow)))
	return nopCloser(x, err)
}

// OpenLZMA decompresses an .lzma stream.
func OpenLZMA(r io.Reader) (io.ReadCloser, error) {
	l, err := lzma.ReaderConfig{DictCap: MaxWindow}.NewReader(r)
	return nopCloser(l, err)
}

func nopCloser(r io.Reader, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return io.NopCloser(r), nil
}
