package extract

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/mholt/archiver/v4"
	"github.com/therootcompany/xz"
)

// This is the only file that knows archiver. It is used for what it does well:
// each format's own recognition, and reading tar and its compressions. Its
// Identify is not: it tries formats in random order, and takes one text in a
// hundred for brotli.

// form is a tar archive, compressed or not.
type form struct {
	name   string
	decomp archiver.Decompressor // nil for a plain tar
}

type matcher interface {
	Match(ctx context.Context, filename string, stream io.Reader) (archiver.MatchResult, error)
}

// forms are the formats that are recognised, in this order. A tar has no magic
// number at its beginning and comes last.
func forms() []struct {
	form
	match matcher
} {
	return []struct {
		form
		match matcher
	}{
		{form{"gzip", archiver.Gz{}}, archiver.Gz{}},
		{form{"xz", boundedXz{}}, archiver.Xz{}},
		{form{"zstd", archiver.Zstd{DecoderOptions: zstdOptions()}}, archiver.Zstd{}},
		{form{"bzip2", archiver.Bz2{}}, archiver.Bz2{}},
		{form{"lz4", archiver.Lz4{}}, archiver.Lz4{}},
		{form{"tar", nil}, archiver.Tar{}},
	}
}

// boundedXz is archiver's xz with a bound on what a stream may make it allocate.
type boundedXz struct{}

// OpenReader implements archiver.Decompressor.
func (boundedXz) OpenReader(r io.Reader) (io.ReadCloser, error) {
	x, err := xz.NewReader(r, maxWindow)
	return readCloser(x, err)
}

// recognise tells a zip, which is a nil form, from the others. A zip is what ends
// as one: its beginning may be far away from all that is wanted of it.
func recognise(ctx context.Context, src Source) (*form, error) {
	if isZip, err := endsAsZip(src); err != nil || isZip {
		return nil, err
	}
	return sniff(ctx, src)
}

// sniffSize is how much is looked at: a tar's first header has 512 bytes.
const sniffSize = 1 << 10

// sniff recognises an archive by its first bytes. A zip that lacks its end is a
// nil form, so that it is called a damaged one.
func sniff(ctx context.Context, src Source) (*form, error) {
	head := make([]byte, min(src.Size(), sniffSize))
	if err := readFull(src, head, 0); err != nil {
		return nil, err
	}
	if matches(ctx, archiver.Zip{}, head) || bytes.HasPrefix(head, []byte("PK\x05\x06")) { // an empty zip is not matched
		return nil, nil
	}
	for _, f := range forms() {
		if matches(ctx, f.match, head) {
			return &f.form, nil
		}
	}
	if what := describe(head); what != "" {
		return nil, &NotArchiveError{what, firstWords(head)}
	}
	return nil, nil
}

func matches(ctx context.Context, m matcher, head []byte) bool {
	result, err := m.Match(ctx, "", bytes.NewReader(head))
	return err == nil && result.ByStream
}

// tar extracts the selection of a tar archive. A tar has no directory: names are
// checked as they come, and what is already staged is discarded if one is bad.
func (s *Stage) tar(ctx context.Context, src Source, f *form, o Options) (Stats, error) {
	body, err := src.Range(ctx, 0, src.Size())
	if err != nil {
		return Stats{}, err
	}
	defer func() { _ = body.Close() }() // read to its end, or given up
	arriving := &arrivingReader{r: body, moved: new(atomic.Int64), waited: new(atomic.Int64)}
	x := newUntar(s, o)
	plain := io.NopCloser(io.Reader(arriving))
	if f.decomp != nil {
		if plain, err = f.decomp.OpenReader(arriving); err != nil {
			return Stats{}, x.explain(ctx, f, arriving, err)
		}
	}
	defer func() { _ = plain.Close() }() // idem
	end := &tailReader{r: plain}
	err = archiver.Tar{}.Extract(ctx, end, func(ctx context.Context, info archiver.FileInfo) error {
		return x.member(ctx, info)
	})
	if err != nil {
		return Stats{}, x.explain(ctx, f, arriving, err)
	}
	// The reader stops at the end of the tar, before anybody has looked at the
	// checksum of the compression behind it.
	if _, err := io.Copy(io.Discard, end); err != nil {
		return Stats{}, x.explain(ctx, f, arriving, err)
	}
	if !end.zeros() {
		return Stats{}, corrupt("", "the tar has no end: it was cut off between two files")
	}
	return x.result()
}

// member stages one member.
func (x *untar) member(ctx context.Context, info archiver.FileInfo) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	h, ok := info.Header.(*tar.Header)
	if !ok {
		return errors.New("no tar header")
	}
	e := &entry{name: h.Name, mode: info.Mode().Perm(), modTime: h.ModTime.UTC(), size: h.Size}
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir:
		e.mode |= fs.ModeDir
	case tar.TypeSymlink:
		e.mode |= fs.ModeSymlink
	case tar.TypeLink:
		return x.hardLink(e, h.Linkname)
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return &UnsafeError{h.Name, fmt.Sprintf("it is a device, a pipe or of unknown type %q", h.Typeflag)}
	}
	return x.place(e, h.Linkname, func() (io.ReadCloser, error) { return info.Open() })
}

// explain tells a bad member, and what kept the bytes from arriving, from
// damage.
func (x *untar) explain(ctx context.Context, f *form, arriving *arrivingReader, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case x.failed != nil:
		return x.failed
	case arriving.err != nil:
		return arriving.err
	}
	return corrupt("", "%s: %w", f.name, err)
}
