package extract

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"

	"github.com/bodgit/sevenzip"
	"github.com/mholt/archiver/v4"
	"github.com/therootcompany/xz"
)

// This is the only file that knows archiver. It is used for what it does well:
// each format's own recognition, and reading tar and its compressions. Its
// Identify is not: it tries formats in random order, and takes one text in a
// hundred for brotli.

// form is what an archive is that is no zip: a tar, compressed or not, a single
// compressed file, or a 7z archive.
type form struct {
	name   string
	decomp archiver.Decompressor // nil for a plain tar
	seeks  bool                  // a 7z archive, which is no stream
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
		{form{name: "gzip", decomp: archiver.Gz{}}, archiver.Gz{}},
		{form{name: "xz", decomp: boundedXz{}}, archiver.Xz{}},
		{form{name: "zstd", decomp: archiver.Zstd{DecoderOptions: zstdOptions()}}, archiver.Zstd{}},
		{form{name: "bzip2", decomp: archiver.Bz2{}}, archiver.Bz2{}},
		{form{name: "lz4", decomp: archiver.Lz4{}}, archiver.Lz4{}},
		{form{name: "7z", seeks: true}, archiver.SevenZip{}},
		{form{name: "tar"}, archiver.Tar{}},
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
		if matches(ctx, f.match, head) || f.decomp == nil && !f.seeks && isUstar(head) {
			return &f.form, nil
		}
	}
	if what := describe(head); what != "" {
		return nil, &NotArchiveError{what, firstWords(head)}
	}
	return nil, nil
}

// isUstar knows the magic number of a tar's first header (POSIX.1-2017, pax, "ustar
// Interchange Format"): archiver wants to read the whole header, which may be long.
func isUstar(head []byte) bool {
	const at = 257
	return len(head) > at+5 && string(head[at:at+5]) == "ustar"
}

func matches(ctx context.Context, m matcher, head []byte) bool {
	result, err := m.Match(ctx, "", bytes.NewReader(head))
	return err == nil && result.ByStream
}

// unpack extracts the selection of an archive that is no zip. Of a stream, names
// are checked as they come, and what is already staged is discarded if one is bad.
func (s *Stage) unpack(ctx context.Context, src Source, f *form, o Options) (Stats, error) {
	if f.seeks {
		return s.sevenZip(ctx, src, f, o)
	}
	body, err := src.Range(ctx, 0, src.Size())
	if err != nil {
		return Stats{}, err
	}
	defer func() { _ = body.Close() }() // read to its end, or given up
	arriving := &arrivingReader{r: body, moved: new(atomic.Int64), waited: new(atomic.Int64), tell: o.OnRead}
	o.OnPlan(src.Size())
	x := newUntar(s, o)
	plain := io.NopCloser(io.Reader(arriving))
	if f.decomp != nil {
		if plain, err = f.decomp.OpenReader(arriving); err != nil {
			return Stats{}, x.explain(ctx, f, arriving, err)
		}
	}
	defer func() { _ = plain.Close() }() // idem
	content := bufio.NewReaderSize(plain, sniffSize)
	head, err := content.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return Stats{}, x.explain(ctx, f, arriving, err)
	}
	end := &tailReader{r: &interruptible{ctx, content}}
	// A tar without members is nothing but zeros, as other files are, too.
	empty := bytes.Equal(head, make([]byte, lenEndBlocks)) && strings.HasSuffix(strings.ToLower(o.BareName), ".tar")
	if f.decomp != nil && !empty && !isUstar(head) && !matches(ctx, archiver.Tar{}, head) {
		err = x.bare(f, end)
	} else {
		err = x.tar(ctx, end)
	}
	if err != nil {
		return Stats{}, x.explain(ctx, f, arriving, err)
	}
	return x.result()
}

// tar reads the members of a tar.
func (x *untar) tar(ctx context.Context, end *tailReader) error {
	err := archiver.Tar{}.Extract(ctx, end, x.member)
	if err != nil {
		return err
	}
	// The reader stops at the end of the tar, before anybody has looked at the
	// checksum of the compression behind it.
	if _, err := io.Copy(io.Discard, end); err != nil {
		return err
	}
	if !end.zeros() {
		return x.fail(corrupt("", "the tar has no end: it was cut off between two files"))
	}
	return nil
}

// interruptible ends with its context: what is read may never end.
type interruptible struct {
	ctx context.Context //nolint:containedctx // io.Reader has no place for one
	r   io.Reader
}

// Read implements [io.Reader].
func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, context.Cause(i.ctx)
	}
	return i.r.Read(p)
}

// member stages one member of a tar.
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
		return x.fail(&UnsafeError{h.Name, fmt.Sprintf("it is a device, a pipe or of unknown type %q", h.Typeflag)})
	}
	return x.place(e, h.Linkname, func() (io.ReadCloser, error) { return info.Open() })
}

// sevenZip extracts the selection of a 7z archive, whose directory is at its end.
func (s *Stage) sevenZip(ctx context.Context, src Source, f *form, o Options) (Stats, error) {
	if err := check7z(src, src.Size()); err != nil {
		return Stats{}, err
	}
	x := newUntar(s, o)
	arriving := &arrivingAt{ReaderAt: src}
	err := surviving(func() error {
		return archiver.SevenZip{}.Extract(ctx, io.NewSectionReader(arriving, 0, src.Size()), x.member7z)
	})
	if err != nil {
		return Stats{}, x.explain(ctx, f, &arrivingReader{err: arriving.err}, err)
	}
	return x.result()
}

// arrivingAt knows why bytes stopped coming.
type arrivingAt struct {
	io.ReaderAt
	err error
}

// ReadAt implements [io.ReaderAt].
func (a *arrivingAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := a.ReaderAt.ReadAt(p, off)
	if err != nil && err != io.EOF { // itself: the end of a connection is wrapped
		a.err = err
	}
	return n, err
}

// surviving makes an error of a panic: the reader of 7z archives panics over some
// that are damaged.
func surviving(do func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("its directory makes no sense: %v", broken)
		}
	}()
	return do()
}

// member7z stages one member of a 7z archive. The target of a link is its content,
// as in a zip.
func (x *untar) member7z(_ context.Context, info archiver.FileInfo) error {
	h, ok := info.Header.(sevenzip.FileHeader)
	if !ok {
		return errors.New("no 7z header")
	}
	e := &entry{name: h.Name, mode: info.Mode(), modTime: info.ModTime(), size: info.Size(), crc: h.CRC32, summed: h.CRC32 != 0}
	if kind := e.mode.Type() &^ (fs.ModeDir | fs.ModeSymlink); kind != 0 {
		return x.fail(&UnsafeError{e.name, "it is a device, a pipe or a socket"})
	}
	e.mode &= fs.ModeDir | fs.ModeSymlink | fs.ModePerm
	open := func() (io.ReadCloser, error) { return info.Open() }
	if !e.isLink() {
		return x.place(e, "", open)
	}
	r, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was read as far as it may be
	target, err := io.ReadAll(io.LimitReader(r, maxPath))
	if err != nil {
		return err
	}
	if e.summed && crc32.ChecksumIEEE(target) != e.crc {
		return x.fail(corrupt(e.name, "its CRC-32 is not %08x", e.crc))
	}
	return x.place(e, string(target), nil)
}

// explain tells a bad member, and what kept the bytes from arriving, from
// damage.
func (x *untar) explain(ctx context.Context, f *form, arriving *arrivingReader, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case arriving.err != nil:
		return arriving.err
	case x.failed != nil:
		return x.failed
	case localError(err):
		return err
	}
	return corrupt("", "%s: %w", f.name, err)
}

// localError reports an error of the file system that is written to.
func localError(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}
