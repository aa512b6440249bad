package extract

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

// nested is an archive from within an archive. It will be unpacked where it lies, under
// the same limits.
type nested struct {
	path string // in the stage
	size int64
	opts *Options // shared by all from one archive
}

// packed are the name endings of archives to unpack. Other zips, such as .jar or .docx,
// stay as they are.
func packed() []string {
	return []string{
		".zip", ".7z", ".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".tlz",
		".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".lzma",
	}
}

// BareName returns the name of the file in a compressed file: "log.txt" for
// "log.txt.gz", "dist.tar" for "dist.tgz".
func BareName(name string) string {
	ending := path.Ext(name)
	switch strings.ToLower(ending) {
	case ".tgz", ".tbz2", ".txz", ".tzst", ".tlz":
		return strings.TrimSuffix(name, ending) + ".tar"
	}
	return strings.TrimSuffix(name, ending)
}

// noting returns o with an OnFile that notes the archives among the files.
func (s *Stage) noting(o Options) Options {
	if o.Unpack <= 0 {
		return o
	}
	inner := o
	inner.Unpack--
	inner.Selection, inner.Digests = Selection{}, nil
	tell := o.OnFile
	o.OnFile = func(name string, size int64) {
		if !slices.Contains(packed(), strings.ToLower(path.Ext(name))) {
			tell(name, size)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.waiting[name] { // two archives may have it
			s.waiting[name] = true
			s.nested = append(s.nested, nested{name, size, &inner})
			s.keep(len(name))
		}
	}
	return o
}

// unpackNested unpacks the archives that were noted, and those within them. Each was
// staged completely, and its duplicates have been compared.
func (s *Stage) unpackNested(ctx context.Context) error {
	for i := 0; ; i++ {
		if err := s.dir.CompareDuplicates(); err != nil || len(s.nested) == 0 {
			return err
		}
		next := s.nested[0]
		s.nested = s.nested[1:]
		delete(s.waiting, next.path)
		if err := s.unpackOne(ctx, next, i); err != nil {
			return fmt.Errorf("unpacking %q: %w", next.path, err)
		}
	}
}

// unpackOne moves an archive out of the way and unpacks it. It leaves it alone if it
// can't be unpacked, in spite of its name.
func (s *Stage) unpackOne(ctx context.Context, n nested, i int) error {
	aside, err := s.dir.SetAside(n.path, i)
	if err != nil {
		return err
	}
	defer func() { _ = aside.File.Close() }() // only read
	src := FromReaderAt(aside.File, aside.Info.Size())
	form, err := recognize(ctx, src)
	zeros := form != nil && form.empty && strings.ToLower(path.Ext(n.path)) != ".tar"
	if zeros || isForeign(err) || err == nil && form == nil && !isZipFile(src) {
		n.opts.OnFile(n.path, n.size)
		return aside.PutBack()
	}
	if err != nil {
		return err
	}
	o := *n.opts
	o.Prefix, o.BareName = names.Parent(n.path), BareName(names.Base(n.path))
	_, err = s.adding(ctx, o, func(o Options) (Stats, error) { return s.addFormat(ctx, src, form, o) })
	return err
}

// isForeign reports whether err says that a file isn't an archive, or that its format
// can't be unpacked.
func isForeign(err error) bool {
	_, none := errors.AsType[*NotArchiveError](err)
	_, other := errors.AsType[*UnsupportedError](err)
	return none || other
}

// isZipFile reports whether src is a zip, or the beginning of one.
func isZipFile(src Source) bool {
	var magic [2]byte
	if isZip, err := zipfile.HasEnd(src, src.Size()); err != nil || isZip {
		return true
	}
	return archive.ReadFull(src, magic[:], 0) == nil && string(magic[:]) == "PK"
}
