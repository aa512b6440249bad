package pin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// explain explains what has happened to a locked archive. fetch.ErrChanged may be about
// the locked size, which is wrong if the archive still has the locked digest.
func (s *Syncer) explain(ctx context.Context, p *Plan, err error) error {
	switch {
	case !p.Pinned:
		return err
	case errors.Is(err, fetch.ErrChanged):
		a := *p.artifact
		a.Size = 0
		now, probed := retrieve.Inspector{Opener: s.Loader.Opener}.Probe(ctx, p.Source.JobQuery(), a)
		if probed == nil && now.SHA256 != "" && now.SHA256 == p.Entry.SHA256 {
			return &LockError{Reason: Mislisted, Err: fmt.Errorf("the archive has %d bytes, not %d", now.Size, p.Entry.Size)}
		}
		return &LockError{Reason: Replaced, Err: err}
	}
	if _, ok := errors.AsType[*resolve.NoArchiveError](err); ok {
		return &GoneError{p.Entry, err}
	}
	return err
}

// unlike returns a [*LockError] if a locked source's archive or files aren't the locked
// ones. If only the files differ, the archive's digest shows whether the archive is another
// one or the lock file is wrong: if the server doesn't send it, that takes the whole archive.
func (s *Syncer) unlike(ctx context.Context, stage *extract.Stage, p *Plan, r retrieve.Result, files []manifest.LockFile) error {
	if differ(r.Artifact.SHA256, p.Entry.SHA256) {
		return &LockError{Reason: Replaced, Source: p.Source.Name}
	}
	unlike := unlikeFile(p.Entry.Files, files)
	if unlike == nil {
		return nil
	}
	sum := r.Artifact.SHA256
	if sum == "" && p.Entry.SHA256 != "" {
		var err error
		if sum, err = s.Loader.Digest(ctx, stage, p.Source.JobQuery(), *p.artifact); err != nil {
			return fmt.Errorf("source %q: %w", p.Source.Name, err)
		}
	}
	wrong := &LockError{Reason: Mislisted, Source: p.Source.Name, Err: unlike}
	if sum == "" || sum != p.Entry.SHA256 {
		wrong.Reason = Replaced
	}
	return wrong
}

// compare notes whether the locked job has another archive than the locked one.
func (p *Plan) compare(sum string, files []manifest.LockFile) {
	same := sum == p.Entry.SHA256
	if sum == "" || p.Entry.SHA256 == "" {
		same = unlikeFile(p.Entry.Files, files) == nil
	}
	if !same {
		p.Changed, p.Entry.ResolvedAt = true, time.Now()
	}
}

// unlikeFile says which of the locked files differs from what the archive has, or returns
// nil.
func unlikeFile(locked, files []manifest.LockFile) error {
	locked, files = slices.Clone(locked), slices.Clone(files)
	manifest.SortFiles(locked)
	manifest.SortFiles(files)
	for i := range max(len(locked), len(files)) {
		switch {
		case i >= len(files), i < len(locked) && locked[i].Path < files[i].Path:
			return fmt.Errorf("%q isn't in the archive", locked[i].Path)
		case i >= len(locked), files[i].Path < locked[i].Path:
			return fmt.Errorf("%q isn't locked", files[i].Path)
		case locked[i] != files[i]:
			return fmt.Errorf("%q differs", files[i].Path)
		}
	}
	return nil
}
