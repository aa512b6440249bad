package retrieve

import (
	"context"
	"fmt"
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
	r := Result{Artifact: t.Artifact}
	r.Artifact.Size = info.Size()
	if r.Stats, err = stage.Add(ctx, extract.FromReaderAt(file, info.Size()), t.Extract); err != nil {
		return Result{}, fmt.Errorf("archive of %s: %w", t.Artifact.Label(), err)
	}
	r.Took = time.Since(since)
	return r, nil
}
