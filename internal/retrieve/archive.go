package retrieve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/space"
	"gitlab.com/artifetch/artifetch/resolve"
)

// file returns the file for the archive itself, or nil if it is extracted.
func (t *Task) file(stage *extract.Stage) (*os.File, error) {
	if t.Archive == "" {
		return nil, nil
	}
	return stage.NewFile()
}

// inOutput gives an error about too little space for the stage the directory of the stage,
// which the user knows.
func inOutput(stage *extract.Stage, err error) error {
	if full, ok := errors.AsType[*space.Error](err); ok && full.Dir == stage.Path() {
		return &space.Error{Dir: filepath.Dir(full.Dir), Need: full.Need, Free: full.Free}
	}
	return err
}

// namely gives an error about the file for the archive the name that the file will get.
func (t *Task) namely(stage *extract.Stage, file *os.File, err error) error {
	e, ok := errors.AsType[*fs.PathError](err)
	if file == nil || !ok || e.Path != file.Name() {
		return err
	}
	return &fs.PathError{Op: e.Op, Path: filepath.Join(filepath.Dir(stage.Path()), filepath.FromSlash(t.Archive)), Err: e.Err}
}

// keep puts the archive itself into the stage after it was downloaded and checked.
// Without a file, it does nothing.
func (t *Task) keep(ctx context.Context, stage *extract.Stage, file *os.File, r *Result) error {
	if file == nil {
		return nil
	}
	info, err := file.Stat()
	if err == nil {
		err = file.Close() // a full disk may show only here
	}
	if err != nil {
		return err
	}
	r.Stats, err = stage.AddWhole(ctx, file.Name(), info.Size(), t.Archive)
	if err == nil && t.Extract.OnFile != nil {
		t.Extract.OnFile(t.Archive, info.Size())
	}
	return err
}

// Copy writes the only archive of a query to w, from its beginning. From t, it uses the
// query, the checks and the connections. After an error, part of the archive may have
// been written, unless the error is about a SHA-256 in t.
func (l *Loader) Copy(ctx context.Context, t Task, w io.Writer) (Result, error) {
	t.Cost = NewCost()
	progress := l.Events.progress("archive")
	how := l.transfer(os.TempDir())
	l.caches(&how, t)
	how.Whole, how.Connections, how.SHA256, how.Meter, how.OnSpool = true, t.Extract.Connections, t.Checks.SHA256, &t.Cost.meter, progress.Spool
	file, a, err := l.openChosen(ctx, t.Query, how)
	if err != nil {
		return Result{}, err
	}
	l.opened(a, file)
	if err = checkWhole(ctx, a, file); err == nil {
		err = copyChecked(ctx, file, w, progress)
	}
	if err != nil {
		err = in(a, err)
	}
	a.Size, a.SHA256 = file.Size(), file.SHA256()
	r := Result{Artifact: a, Stats: extract.Stats{Files: 1, Bytes: file.Size()}, Transfer: file.Stats(), Took: time.Since(t.Cost.since)}
	return r, errors.Join(err, file.Close())
}

// openChosen opens the archive that GitLab selects by ref, if possible: its job doesn't
// matter. Otherwise, or after a refusal, it uses lists.
func (l *Loader) openChosen(ctx context.Context, q resolve.Query, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	if a, ok := l.Resolver.ByRef(q); ok {
		file, err := l.chosen(ctx, a, how)
		if !refused(err) && !l.mayProxy(err) {
			return file, a, err
		}
	}
	a, err := Inspector{l.Opener}.One(ctx, q)
	if err != nil {
		return nil, a, err
	}
	return l.Open(ctx, q, a, how)
}

// copyChecked writes the archive, and compares its SHA-256 with the server's.
func copyChecked(ctx context.Context, file *fetch.File, w io.Writer, progress Progress) error {
	tell(progress.Plan, file.Size())
	body, err := file.Range(ctx, 0, file.Size())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read to its end, or already failed
	sum := sha256.New()
	if _, err := io.Copy(w, io.TeeReader(&read{body, progress.Read}, sum)); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); file.SHA256() != "" && got != file.SHA256() {
		return &fetch.DigestError{Got: got, Want: file.SHA256()}
	}
	return nil
}

// read tells how many bytes are read.
type read struct {
	io.Reader
	tell func(n int) // may be nil
}

// Read implements [io.Reader].
func (r *read) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	tell(r.tell, n)
	return n, err
}
