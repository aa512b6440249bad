package extract

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxWindow bounds what a stream may make a decompressor allocate for its window,
// or dictionary, in bytes. The best levels of xz and 7z take this much, the runner's
// best level of zstd half of it.
const maxWindow = 64 << 20

// windowAdvice is what to do about a larger window.
const windowAdvice = "this limit is fixed: compress with a smaller window; that of xz -9, zstd --long=26 and 7z -md=64m fits"

func windowLimit(format string) error {
	return &LimitError{What: "bytes in the window of its " + format + " compression", Limit: maxWindow, Advice: windowAdvice}
}

// windowError is the [LimitError] for what a decompressor says of a window that is
// too large, or nil if err is about something else.
func windowError(format string, err error) error {
	_, dictionary := errors.AsType[*lzma.ErrDictSize](err)
	if dictionary || errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return windowLimit(format)
	}
	return nil
}

// soleWindow waits until nothing else in the stage has a large window, and lets
// the collector take those of before if all together would be too much.
func (s *Stage) soleWindow(ctx context.Context, need int64) (done func(), err error) {
	select {
	case s.large <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.windows += need; s.windows > maxWindow {
		runtime.GC()
		s.windows = need
	}
	return func() { <-s.large }, nil
}

// windowHead is how much of a stream tells how large its window will be, in bytes.
const windowHead = 64

// What follows reads how large a window will be out of the beginning of a stream.
// If that does not tell, it is as large as it may be; the decompressors refuse what
// is larger, and what is no such stream.

// zstdWindow reads the header of a frame: RFC 8878, 3.1.1.1.
func zstdWindow(head []byte) int64 {
	var h zstd.Header
	if h.Decode(head) != nil || h.Skippable {
		return maxWindow
	}
	return int64(min(max(h.WindowSize, h.FrameContentSize), maxWindow))
}

// lzmaWindow reads the header of an .lzma file: lzma-file-format.txt of XZ Utils.
func lzmaWindow(head []byte) int64 {
	if len(head) < lzma.HeaderLen {
		return maxWindow
	}
	size := binary.LittleEndian.Uint64(head[5:])
	return int64(min(uint64(binary.LittleEndian.Uint32(head[1:])), size, maxWindow))
}

// xzWindow reads the header of the first block: The .xz File Format, 3.1. LZMA2 is
// the last of its filters.
func xzWindow(head []byte) int64 {
	const streamHeader, idLZMA2 = 12, 0x21
	if len(head) <= streamHeader || head[streamHeader] == 0 {
		return maxWindow
	}
	b := head[streamHeader:]
	b = b[:min(len(b), (int(b[0])+1)*4)]
	if len(b) < 2 {
		return maxWindow
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
		return maxWindow
	}
	return int64(min(lzma2Dictionary(b[0]), maxWindow))
}

// lzma2Dictionary is the size of a dictionary in its one byte of properties: The
// .xz File Format, 5.3.1.
func lzma2Dictionary(props byte) uint64 { return (2 | uint64(props)&1) << (props/2 + 11) }

// readCloser makes an io.ReadCloser of what a decompressor's constructor returns.
func readCloser(r io.Reader, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return io.NopCloser(r), nil
}
