package retrieve

import (
	"context"
	"strings"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// caches has a download of a task go through the cache.
func (l *Loader) caches(how *fetch.Options, t Task) {
	how.CacheDir, how.CacheSize, how.OnCacheError = l.Cache.Dir, l.Cache.Max, l.notCached
	how.OnCacheWait = func() { tell(l.Events.Sharing, t.meant()) }
}

// meant is the artifact of the task, as far as that is known before it is opened.
func (t Task) meant() resolve.Artifact {
	a := t.Artifact
	if a.JobID == 0 && a.JobName == "" {
		a.JobID, a.JobName = t.Query.JobID, strings.Join(t.Query.Jobs, ", ")
	}
	return a
}

// Digest returns an archive's SHA-256 in lower-case hexadecimal. If the server doesn't send
// it, that downloads the whole archive into the stage's directory.
func (l *Loader) Digest(ctx context.Context, stage *extract.Stage, q resolve.Query, a resolve.Artifact) (string, error) {
	how := l.transfer(stage.Path())
	how.Digest = true
	file, _, err := l.Open(ctx, q, a, how)
	if err != nil {
		return "", err
	}
	return file.SHA256(), file.Close()
}

// LoadCached extracts an archive from the cache, by the SHA-256 of t.Artifact, into a
// stage. It makes no requests. If the archive isn't cached, the error is an
// [fs.ErrNotExist].
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
