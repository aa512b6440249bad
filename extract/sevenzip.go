package extract

import (
	"cmp"
	"context"
	"io"
	"strings"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/codec"
	"gitlab.com/artifetch/artifetch/extract/internal/sevenzip"
)

// sevenZip extracts the selection of a 7z archive. As with a zip, it checks the whole
// header before it writes the first byte.
func (s *Stage) sevenZip(ctx context.Context, src Source, o Options) (Stats, error) {
	arriving := &arrivingAt{ReaderAt: src, ctx: ctx}
	stats, err := s.unpack7z(ctx, arriving, src.Size(), o)
	switch {
	case err == nil:
		return stats, nil
	case ctx.Err() != nil:
		return Stats{}, context.Cause(ctx)
	case arriving.err != nil:
		return Stats{}, arriving.err
	}
	return Stats{}, err
}

func (s *Stage) unpack7z(ctx context.Context, src *arrivingAt, size int64, o Options) (Stats, error) {
	a, err := s.open7z(ctx, src, size, o)
	if err != nil {
		return Stats{}, err
	}
	x := &unpacking7z{Stage: s, archive: a, entries: make([]*entry, len(a.Entries)), opts: o, buf: make([]byte, archive.CopyBuffer)}
	for i := range a.Entries {
		x.entries[i] = &entry{Header: &a.Entries[i]}
	}
	_, stats, err := s.selection(x.entries, o)
	if err == nil {
		err = s.reserveSpace(stats.Bytes)
	}
	if err == nil {
		err = x.withoutContent()
	}
	if err == nil {
		err = x.folders(ctx, src)
	}
	if err != nil {
		return Stats{}, err
	}
	return stats, nil
}

// open7z reads the header, which may need a window.
func (s *Stage) open7z(ctx context.Context, src io.ReaderAt, size int64, o Options) (*sevenzip.Archive, error) {
	done, err := s.large.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return sevenzip.Open(ctx, src, size, o.budget, firstOf7z)
}

// unpacking7z stages the selected entries of a 7z archive.
type unpacking7z struct {
	*Stage
	archive *sevenzip.Archive
	entries []*entry // in the order of the archive
	opts    Options
	buf     []byte
}

// run7z is a folder, and its files up to the last selected one.
type run7z struct {
	folder *sevenzip.Folder
	files  []*entry
}

// wanted returns the folders that hold something selected.
func (x *unpacking7z) wanted() (runs []run7z, bytes int64) {
	for i := range x.archive.Folders {
		f := &x.archive.Folders[i]
		n := len(f.Files)
		for n > 0 && x.entries[f.Files[n-1]].dest == "" {
			n--
		}
		if n == 0 {
			continue
		}
		files := make([]*entry, n)
		for i, file := range f.Files[:n] {
			files[i] = x.entries[file]
		}
		runs, bytes = append(runs, run7z{f, files}), bytes+f.Packed()
	}
	return runs, bytes
}

// folders stages the selected files of all folders.
func (x *unpacking7z) folders(ctx context.Context, src *arrivingAt) error {
	runs, planned := x.wanted()
	x.opts.OnPlan(planned)
	for _, r := range runs {
		src.progress = &progress7z{left: r.folder.Packed(), tell: x.opts.OnRead}
		if err := x.run(ctx, r); err != nil {
			return err
		}
		src.progress.rest() // reading stops after the last selected file
	}
	return nil
}

// withoutContent stages directories and empty files.
func (x *unpacking7z) withoutContent() error {
	for _, e := range x.entries {
		var err error
		switch {
		case e.dest == "" || e.Size > 0:
		case e.IsDir():
			x.wantDir(e.dest, e.Mode, e.ModTime)
		case e.IsLink():
			err = x.wantLink(e, "", x.opts)
		default:
			err = x.put(e, strings.NewReader(""), x.buf, &x.opts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run stages the wanted files of a folder.
func (x *unpacking7z) run(ctx context.Context, r run7z) error {
	done, err := x.large.Take(ctx)
	if err != nil {
		return err
	}
	defer done()
	var failed error // Read wraps it
	err = x.archive.Read(ctx, r.folder, func(content io.Reader) error {
		content = &counted{ctx: ctx, r: content, opts: x.opts}
		for _, e := range r.files {
			if failed = x.file(e, io.LimitReader(content, e.Size)); failed != nil {
				return failed
			}
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return archive.Corrupt("", "7z: %w", err)
	}
	return nil
}

// file stages one file, or skips it. As in a zip, the content of a link is its
// target.
func (x *unpacking7z) file(e *entry, content io.Reader) error {
	switch {
	case e.Size == 0: // see withoutContent
		return nil
	case e.dest == "":
		if _, err := io.CopyN(io.Discard, content, e.Size); err != nil {
			return archive.Ended(e.Name, codec.Error(e.Name, "7z", err))
		}
		return nil
	case !e.IsLink():
		return x.put(e, content, x.buf, &x.opts)
	}
	if e.Size >= archive.MaxPath {
		return &UnsafeError{Entry: e.Name, Reason: "the link's target is too long"}
	}
	var target strings.Builder
	v := &archive.Verifier{Header: e.Header, Next: &target, NoSum: !e.Summed}
	err := archive.Copy(v, codec.Reader{Reader: content, Entry: e.Name}, x.buf)
	if err == nil {
		err = v.Finish()
	}
	if err != nil {
		return err
	}
	return cmp.Or(x.opts.budget.Name(target.Len()), x.wantLink(e, target.String(), x.opts))
}
