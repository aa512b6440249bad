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

// nested is an archive that came out of an archive, and is to be unpacked where it
// lies, under the same limits.
type nested struct {
	path string // in the stage
	size int64
	opts *Options // of all that came out of one archive
}

// packed are the endings of archives that are unpacked. Not all zips are: a .jar or
// a .docx is wanted as it is.
func packed() []string {
	return []string{
		".zip", ".7z", ".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".tlz",
		".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".lzma",
	}
}

// BareName is what the file in a compressed file of that name is called:
// "log.txt.gz" holds "log.txt", "dist.tgz" holds "dist.tar".
func BareName(name string) string {
	ending := path.Ext(name)
	switch strings.ToLower(ending) {
	case ".tgz", ".tbz2", ".txz", ".tzst", ".tlz":
		return strings.TrimSuffix(name, ending) + ".tar"
	}
	return strings.TrimSuffix(name, ending)
}

// noting makes o note the archives among the files that it adds.
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

// unpackNested unpacks what was noted, and what comes out of that. All archives
// that were added are whole by now, and doubles of one file have been compared.
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

// unpackOne moves an archive out of the way and unpacks it, or leaves it alone if
// it isn't one that can be, in spite of its name.
func (s *Stage) unpackOne(ctx context.Context, n nested, i int) error {
	aside, err := s.dir.SetAside(n.path, i)
	if err != nil {
		return err
	}
	defer func() { _ = aside.File.Close() }() // only read
	src := FromReaderAt(aside.File, aside.Info.Size())
	form, err := recognise(ctx, src)
	if isForeign(err) || err == nil && form == nil && !isZipFile(src) {
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

// isForeign reports whether an error says that a file isn't an archive, or not of a
// format that can be unpacked.
func isForeign(err error) bool {
	_, none := errors.AsType[*NotArchiveError](err)
	_, other := errors.AsType[*UnsupportedError](err)
	return none || other
}

// isZipFile reports whether it is a zip, or the beginning of one.
func isZipFile(src Source) bool {
	var magic [2]byte
	if isZip, err := zipfile.HasEnd(src, src.Size()); err != nil || isZip {
		return true
	}
	return archive.ReadFull(src, magic[:], 0) == nil && string(magic[:]) == "PK"
}
