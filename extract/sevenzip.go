package extract

import (
	"context"
	"io"
	"strings"
)

// sevenZip extracts the selection of a 7z archive. All that is in its header is
// checked before the first byte is written, as of a zip.
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
	a, err := s.header7z(ctx, src, size, o)
	if err != nil {
		return Stats{}, err
	}
	_, stats, err := s.selection(a.entries, o)
	if err == nil {
		err = s.claim(stats.Bytes)
	}
	if err != nil {
		return Stats{}, err
	}
	x := &unpacking7z{Stage: s, archive: a, opts: o, buf: make([]byte, copyBuffer)}
	if err := x.withoutContent(); err != nil {
		return Stats{}, err
	}
	runs := a.wanted()
	var planned int64
	for _, r := range runs {
		planned += int64(r.folder.packed())
	}
	o.OnPlan(planned)
	for _, r := range runs {
		progress := &progress7z{left: int64(r.folder.packed()), tell: o.OnRead}
		src.progress = progress
		if err := x.run(ctx, r); err != nil {
			return Stats{}, err
		}
		progress.rest() // a folder is left when its last file is there
	}
	return stats, nil
}

// header7z reads the header, which may need a window.
func (s *Stage) header7z(ctx context.Context, src io.ReaderAt, size int64, o Options) (*archive7z, error) {
	done, err := s.soleWindow(ctx, maxHeader7z)
	if err != nil {
		return nil, err
	}
	defer done()
	return open7z(ctx, src, size, o)
}

// run7z is a folder, and its files up to the last that is wanted.
type run7z struct {
	folder *folder7z
	files  []*entry
}

// wanted returns the folders that have something selected.
func (a *archive7z) wanted() []run7z {
	var runs []run7z
	files := a.files
	for i := range a.folders {
		f := &a.folders[i]
		n := f.streams
		for n > 0 && files[n-1].dest == "" {
			n--
		}
		if n > 0 {
			runs = append(runs, run7z{f, files[:n]})
		}
		files = files[f.streams:]
	}
	return runs
}

// unpacking7z stages the selected entries of a 7z archive.
type unpacking7z struct {
	*Stage
	archive *archive7z
	opts    Options
	buf     []byte
}

// withoutContent stages directories and empty files.
func (x *unpacking7z) withoutContent() error {
	for _, e := range x.archive.entries {
		var err error
		switch {
		case e.dest == "" || e.size > 0:
		case e.isDir():
			x.wantDir(e.dest, e.mode, e.modTime)
		case e.isLink():
			err = x.wantLink(e, "", x.opts)
		default:
			err = x.put(e, strings.NewReader(""), x.buf, x.opts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run stages the wanted files of a folder.
func (x *unpacking7z) run(ctx context.Context, r run7z) error {
	done, err := x.soleWindow(ctx, int64(r.folder.memory))
	if err != nil {
		return err
	}
	defer done()
	var failed error // as it is: archiver wraps it
	err = x.archive.folder(ctx, r.folder, func(content io.Reader) error {
		content = &counted{ctx: ctx, r: content, opts: x.opts}
		for _, e := range r.files {
			if failed = x.file(e, io.LimitReader(content, e.size)); failed != nil {
				return failed
			}
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return corrupt("", "7z: %w", err)
	}
	return nil
}

// file stages one file, or reads over it. The target of a link is its content, as
// in a zip.
func (x *unpacking7z) file(e *entry, content io.Reader) error {
	switch {
	case e.size == 0: // see withoutContent
		return nil
	case e.dest == "":
		if _, err := io.CopyN(io.Discard, content, e.size); err != nil {
			return ended(e, unpackError(e, err))
		}
		return nil
	case !e.isLink():
		return x.put(e, content, x.buf, x.opts)
	}
	if e.size >= maxPath {
		return &UnsafeError{e.name, "the link's target is too long"}
	}
	var target strings.Builder
	v := &verifier{entry: e, later: !e.summed, next: func(p []byte) error { _, err := target.Write(p); return err }}
	err := pump(unpacking{content, e}, x.buf, v.write)
	if err == nil {
		err = v.finish()
	}
	if err != nil {
		return err
	}
	return firstError(x.opts.spent.name(target.Len()), x.wantLink(e, target.String(), x.opts))
}
