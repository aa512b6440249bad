package retrieve

import (
	"context"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
)

// LoadCached extracts an archive that the cache has, by the SHA-256 of t.Artifact, into a
// stage. It makes no request. The error is an [fs.ErrNotExist] if the cache lacks it.
func (l *Loader) LoadCached(ctx context.Context, stage *extract.Stage, t Task) (Result, error) {
	since := time.Now()
	file, err := fetch.FromCache(ctx, l.Cache.Dir, t.Artifact.SHA256)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = file.Close() }() // what was read has been checked
	info, err := file.Stat()
	if err != nil {
		return Result{}, err
	}
	r, src := Result{Artifact: t.Artifact}, extract.FromReaderAt(file, info.Size())
	r.Artifact.Size = info.Size()
	if t.Artifact.Report.Type != "" {
		r.Artifact.Report, err = completed(ctx, t.Artifact.Report, src)
	}
	if err == nil {
		r.Stats, err = add(ctx, stage, r.Artifact, src, t.Extract)
	}
	if err != nil {
		return Result{}, in(t.Artifact, err)
	}
	r.Took = time.Since(since)
	return r, nil
}
