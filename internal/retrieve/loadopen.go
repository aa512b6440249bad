package retrieve

import (
	"context"
	"errors"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/resolve"
)

// awaitJob waits for the job before anything is downloaded: GitLab only unpacks files of a
// known job.
func (t *Task) awaitJob() error {
	a, err := t.lookup.found()
	if err == nil {
		t.Artifact = a
	}
	t.lookup = nil
	return err
}

// how returns the options for downloading an archive. A spooled archive goes into the
// stage, whose file system has room for it.
func (l *Loader) how(stage *extract.Stage, t Task) fetch.Options {
	how := l.transfer(stage.Path())
	l.caches(&how, t)
	how.Connections, how.Share = t.Extract.Connections, t.Extract.Share
	how.SHA256, how.Digest, how.Meter = t.Checks.SHA256, t.Checks.Digest, &t.Cost.meter
	return how
}

// open opens the archive. If the server doesn't support ranges and the wanted files were
// loaded one by one, it returns no file.
func (l *Loader) open(ctx context.Context, stage *extract.Stage, t *Task, r *Result, how fetch.Options) (file *fetch.File, err error) {
	how.Partial, how.RangesOnly = len(t.Extract.Include) > 0, l.wantsSingleFiles(*t)
	open := l.Open
	if t.lookup != nil {
		open = t.lookup.open
	}
	file, t.Artifact, err = t.openUnmixed(ctx, open, how)
	if !errors.Is(err, fetch.ErrNoRanges) {
		return file, err
	}
	if t.lookup != nil {
		if err := t.awaitJob(); err != nil {
			return nil, err
		}
	}
	var done bool
	if done, r.Stats, err = l.loadFiles(ctx, stage, *t); done || err != nil {
		return nil, err
	}
	how.Partial, how.RangesOnly = false, false
	file, t.Artifact, err = t.openUnmixed(ctx, l.Open, how)
	return file, err
}

// opening is [Opener.Open], or that of a [jobLookup].
type opening func(context.Context, resolve.Query, resolve.Artifact, fetch.Options) (*fetch.File, resolve.Artifact, error)

// openUnmixed opens an archive to extract it. If its format has no checksums and nothing
// else shows that all answers are about the same archive, one answer delivers it.
func (t *Task) openUnmixed(ctx context.Context, open opening, how fetch.Options) (*fetch.File, resolve.Artifact, error) {
	file, a, err := open(ctx, t.Query, t.Artifact, how)
	if err != nil || t.Archive != "" || a.Report.Type != "" { // those are opened as one answer anyway
		return file, a, err
	}
	summed, err := extract.Summed(ctx, file, !how.Partial)
	if err == nil && (summed || file.Certain()) {
		return file, a, nil
	}
	if err = errors.Join(in(a, err), file.Close()); err != nil {
		return nil, a, err
	}
	how.Partial, how.RangesOnly, how.Whole = false, false, true
	return open(ctx, t.Query, t.Artifact, how)
}

func (l *Loader) opened(a resolve.Artifact, file *fetch.File) {
	if !file.Redirected() && !file.Stats().Spooled && !file.Stats().Cached {
		tell(l.Events.Costly, a)
	}
	if l.Events.Opened != nil {
		l.Events.Opened(a, file.Size(), !file.Stats().Spooled)
	}
}
