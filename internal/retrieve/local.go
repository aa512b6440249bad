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
)

// Local is an archive on this machine, and what to take of it.
type Local struct {
	Name    string    // of the file; "-" is Stdin
	Stdin   io.Reader // may block forever
	Dir     string    // where the files go
	Stage   extract.StageOptions
	Extract extract.Options
	Checks  Checks
}

// Run extracts the archive into a stage and commits that.
func (l Local) Run(ctx context.Context) (extract.Stats, error) {
	// The archive is opened first: if it doesn't exist, no directory is left behind.
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
	stage, err := extract.NewStage(l.Dir, l.Stage)
	if err != nil {
		return extract.Stats{}, err
	}
	defer func() { _ = stage.Discard() }() // after Commit there is nothing to discard
	if archive, err = seekable(archive, ctxio.Abandon(ctx, in), stage.Path()); err != nil {
		return extract.Stats{}, err
	}
	defer func() { _ = archive.Close() }() // only read; a copy goes with the stage
	stats, err := l.extract(ctx, stage, archive)
	if err != nil {
		if e, ok := errors.AsType[*extract.NotArchiveError](err); ok {
			e.Local = true
		}
		return extract.Stats{}, fmt.Errorf("%s: %w", l.Name, err)
	}
	return stats, stage.Commit(ctx)
}

// seekable returns f if it is a regular file, else a copy of in that is made in dir.
func seekable(f *os.File, in io.Reader, dir string) (*os.File, error) {
	if f != nil {
		if info, err := f.Stat(); err != nil || info.Mode().IsRegular() {
			return f, err
		}
	}
	spool, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(spool, in); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

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
