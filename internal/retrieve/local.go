package retrieve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/ctxio"
	"gitlab.com/artifetch/artifetch/internal/digest"
	"gitlab.com/artifetch/artifetch/internal/space"
)

// Local says what to extract from an archive on this machine.
type Local struct {
	Name    string    // of the file; "-" means Stdin
	Stdin   io.Reader // may block forever
	Dir     string    // where the files go
	Stage   extract.StageOptions
	Extract extract.Options
	Checks  Checks
}

// Run extracts the archive into a stage and commits it.
func (l Local) Run(ctx context.Context) (extract.Stats, error) {
	// Open the archive first: if it doesn't exist, no directory is created.
	in, archive := l.Stdin, (*os.File)(nil)
	if l.Name != "-" {
		f, err := ctxio.Await(ctx, func() (*os.File, error) { return os.Open(l.Name) }) // may be a pipe
		if err != nil {
			return extract.Stats{}, err
		}
		defer func() { _ = f.Close() }() // only read
		archive, in = f, f
		l.Extract.BareName = extract.BareName(filepath.Base(l.Name))
	}
	r, left := l.counting()
	stage, err := extract.NewStage(l.Dir, l.Stage)
	if err != nil {
		return extract.Stats{}, err
	}
	defer func() { _ = stage.Discard() }() // does nothing after Commit
	if archive, err = seekable(archive, ctxio.Abandon(ctx, in), stage.Path(), space.Free(stage.Path())); err != nil {
		return extract.Stats{}, inOutput(stage, err)
	}
	defer func() { _ = archive.Close() }() // only read; a copy is removed with the stage
	if r.Stats, err = l.extract(ctx, stage, archive); err != nil {
		if e, ok := errors.AsType[*extract.NotArchiveError](err); ok {
			e.Local = true
		}
		return extract.Stats{}, fmt.Errorf("%s: %w", l.Name, err)
	}
	if err := stage.Commit(ctx); err != nil {
		return extract.Stats{}, err
	}
	r.finish(left.paths, map[string]bool{})
	return r.Stats, nil
}

// counting prepares to count the files that arrive, if the archive alone doesn't show it.
func (l *Local) counting() (*Result, *leftOut) {
	r, left := &Result{}, &leftOut{paths: map[string]bool{}}
	if !(Options{Stage: l.Stage, Extract: l.Extract}).lists() {
		return r, left
	}
	r.contents = &contents{files: map[string]File{}}
	l.Extract.OnFile, l.Extract.OnLink = r.contents.file, r.contents.link
	l.Stage.OnSkip = left.noting(l.Stage.OnSkip)
	return r, left
}

// seekable returns f if it is a regular file, else a copy of in, created in dir. The copy
// may take half of the free bytes, because its content must fit, too.
func seekable(f *os.File, in io.Reader, dir string, free int64) (*os.File, error) {
	if f != nil {
		if info, err := f.Stat(); err != nil || info.Mode().IsRegular() {
			return f, err
		}
	}
	spool, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, err
	}
	most := min(free/2, maxSpool)
	n, err := io.Copy(spool, io.LimitReader(in, most+1))
	if err == nil && n > most {
		err = &space.Error{Dir: dir, Need: free + 1, Free: free}
		if most == maxSpool {
			err = &extract.LimitError{What: "bytes", Limit: maxSpool}
		}
	}
	if err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

// maxSpool limits an archive from a pipe, in bytes.
const maxSpool = 64 << 30

func (l Local) extract(ctx context.Context, stage *extract.Stage, archive *os.File) (extract.Stats, error) {
	info, err := archive.Stat()
	if err != nil {
		return extract.Stats{}, err
	}
	if want := l.Checks.SHA256; want != "" {
		got, err := digest.Sum(ctx, io.NewSectionReader(archive, 0, info.Size()))
		if err != nil {
			return extract.Stats{}, err
		}
		if got != want {
			return extract.Stats{}, &fetch.DigestError{Got: got, Want: want, Asked: true}
		}
	}
	src := extract.FromReaderAt(archive, info.Size())
	if l.Checks.Provenance {
		stated, err := extract.ReadStatement(ctx, src)
		if err != nil {
			return extract.Stats{}, err
		}
		l.Extract.Digests = stated.Digests
	}
	return stage.Add(ctx, src, l.Extract)
}
