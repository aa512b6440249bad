package extract

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/mholt/archiver/v4"
	"github.com/ulikunitz/xz/lzma"

	"gitlab.com/artifetch/artifetch/extract/internal/codec"
)

// Only this file imports archiver. It uses what archiver does well: recognizing single
// formats, and reading tar, 7z and most compressions. It doesn't use Identify, which
// tries formats in random order and takes one text in a hundred for brotli. It reads
// lzip and xz with the libraries that archiver uses: archiver reads an lzip file into
// memory as a whole, and doesn't limit the window of xz.

// format is the format of an archive that isn't a zip: a tar, compressed or not, a
// single compressed file, or a 7z archive.
type format struct {
	name   string
	open   func(io.Reader) (io.ReadCloser, error) // decompresses; nil for a plain tar, and 7z
	large  bool                                   // the decompressor may need a large window
	seeks  bool                                   // a 7z archive, which can't be read as a stream
	frames bool                                   // frames without content may precede the others
	empty  bool                                   // a tar without members, which is only zeros
}

type matcher interface {
	Match(ctx context.Context, filename string, stream io.Reader) (archiver.MatchResult, error)
}

type known struct {
	format
	match matcher
}

// formats are those that are recognized, in this order: formats without a magic number
// at their beginning come last.
func formats() []known {
	zstd := archiver.Zstd{DecoderOptions: codec.ZstdOptions(codec.MaxWindow)}
	return []known{
		{format{name: "gzip", open: codec.OpenGzip}, archiver.Gz{}},
		{format{name: "xz", open: openXz, large: true}, archiver.Xz{}},
		{format{name: "zstd", open: zstd.OpenReader, large: true, frames: true}, zstd},
		{format{name: "bzip2", open: archiver.Bz2{}.OpenReader}, archiver.Bz2{}},
		{format{name: "lz4", open: archiver.Lz4{}.OpenReader, frames: true}, archiver.Lz4{}},
		{format{name: "lzip", open: codec.OpenLzip, large: true}, archiver.Lzip{}},
		{format{name: "7z", seeks: true}, archiver.SevenZip{}},
		{format{name: "tar"}, tarMatcher{}},
		{format{name: "lzma", open: codec.OpenLZMA, large: true}, lzmaMatcher{}},
	}
}

func openXz(r io.Reader) (io.ReadCloser, error) { return codec.OpenXz(r, codec.MaxWindow) }

// lzmaMatcher recognizes the header of an .lzma file, which has no magic number: one in a
// hundred million other files looks the same.
type lzmaMatcher struct{}

// Match implements matcher.
func (lzmaMatcher) Match(_ context.Context, _ string, head io.Reader) (archiver.MatchResult, error) {
	var h [lzma.HeaderLen]byte
	_, err := io.ReadFull(head, h[:])
	return archiver.MatchResult{ByStream: lzma.ValidHeader(h[:])}, err
}

// tarMatcher also recognizes the magic number of a tar's first header (POSIX.1-2017, pax,
// "ustar Interchange Format"): archiver reads the whole header, which may be long.
type tarMatcher struct{ archiver.Tar }

// Match implements matcher.
func (t tarMatcher) Match(ctx context.Context, name string, stream io.Reader) (archiver.MatchResult, error) {
	const magic = 257
	head, err := io.ReadAll(stream)
	if err == nil && len(head) > magic && bytes.HasPrefix(head[magic:], []byte("ustar")) {
		return archiver.MatchResult{ByStream: true}, nil
	}
	return t.Tar.Match(ctx, name, bytes.NewReader(head))
}

func isTar(ctx context.Context, head []byte) bool { return matches(ctx, tarMatcher{}, head) }

func isZipHead(ctx context.Context, head []byte) bool {
	return matches(ctx, archiver.Zip{}, head) || bytes.HasPrefix(head, []byte("PK\x05\x06")) // archiver doesn't match an empty zip
}

func matches(ctx context.Context, m matcher, head []byte) bool {
	result, err := m.Match(ctx, "", bytes.NewReader(head))
	return err == nil && result.ByStream
}

// walkTar passes the members of a tar to visit, each with its content.
func walkTar(ctx context.Context, r io.Reader, visit func(context.Context, *tar.Header, io.Reader) error) error {
	return archiver.Tar{}.Extract(ctx, r, func(ctx context.Context, info archiver.FileInfo) error {
		h, ok := info.Header.(*tar.Header)
		if !ok {
			return errors.New("no tar header")
		}
		content, err := info.Open()
		if err != nil {
			return err
		}
		defer func() { _ = content.Close() }() // the reader of the tar skips the rest
		return visit(ctx, h, content)
	})
}

// errEnough ends the reading of a 7z archive.
var errEnough = errors.New("enough was read")

// firstOf7z is a [sevenzip.Unpacker].
func firstOf7z(ctx context.Context, archive *io.SectionReader, read func(io.Reader) error) error {
	err := archiver.SevenZip{}.Extract(ctx, archive, func(_ context.Context, info archiver.FileInfo) error {
		content, err := info.Open()
		if err != nil {
			return err
		}
		defer func() { _ = content.Close() }() // read as far as needed
		if err := read(content); err != nil {
			return err
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
