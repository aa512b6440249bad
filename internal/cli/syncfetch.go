package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fetch adds one source to the stage, and notes its files.
func (y *syncer) fetch(ctx context.Context, stage *extract.Stage, p *plan, share int) error {
	var mu sync.Mutex
	files := []manifest.LockFile{}
	s := p.source.Query
	o := extract.Options{
		Include: s.Paths, Exclude: s.Exclude, StripComponents: s.StripComponents, Flat: s.Flat, Prefix: outputOf(p.source),
		Label: "source " + p.source.Name, Share: share, Connections: max(y.connections/share, 1),
		Record: func(r extract.Recorded) {
			mu.Lock()
			defer mu.Unlock()
			files = append(files, lockFile(r))
		},
	}
	f := fetcher{session: y.session, query: p.source.JobQuery(), extraction: extraction{extract: o, sha256: strings.ToLower(s.SHA256), digest: !p.pinned}, cacheDir: y.cacheDir, cacheSize: y.cacheSize, progress: y.progress}
	if p.pinned {
		o.Digests = map[string]string{}
		for _, file := range p.entry.Files {
			o.Digests[file.Name] = file.SHA256
		}
	}
	r, err := f.add(ctx, stage, *p.artifact, o, newCost())
	if err != nil {
		return fmt.Errorf("source %q: %w", p.source.Name, y.lockedError(p, err))
	}
	other := another(r.artifact.SHA256, p.entry.SHA256) || !sameFiles(files, p.entry.Files)
	if p.pinned && other {
		return &lockError{fmt.Sprintf("source %q: the archive is another one than is locked", p.source.Name), "somebody has changed the archive of a job that has ended; --update takes it as it is now"}
	}
	if p.was != nil && p.was.JobID == p.entry.JobID && other {
		p.changed, p.entry.ResolvedAt = true, time.Now()
	}
	p.entry.Files, p.came = files, r
	p.entry.Size = r.artifact.Size
	if r.artifact.SHA256 != "" {
		p.entry.SHA256 = r.artifact.SHA256
	}
	return nil
}

// lockedError explains what has become of a locked archive.
func (y *syncer) lockedError(p *plan, err error) error {
	if !p.pinned {
		return err
	}
	if is[*extract.ProvenanceError](err) || errors.Is(err, fetch.ErrChanged) { // an ErrChanged may be about the size that is locked
		return &lockError{"it differs from what is locked: " + err.Error(), "somebody has changed the archive of a job that has ended; --update takes it as it is now"}
	}
	if is[*resolve.NoArchiveError](err) {
		return fmt.Errorf("it was locked at commit %s, job %d, pipeline %d: %w", orNothing(p.entry.SHA), p.entry.JobID, p.entry.PipelineID, err)
	}
	return err
}

func orNothing(text string) string {
	if text == "" {
		return "(unknown)"
	}
	return text
}

func lockFile(r extract.Recorded) manifest.LockFile {
	f := manifest.LockFile{Path: r.Path, Name: r.Name, Target: r.Target}
	if r.Target == "" {
		f.Mode, f.Size, f.SHA256 = octal(r.Mode), r.Size, r.SHA256
	}
	return f
}

func sameFiles(a, b []manifest.LockFile) bool {
	byPath := func(x, y manifest.LockFile) int { return strings.Compare(x.Path, y.Path) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byPath), slices.SortedFunc(slices.Values(b), byPath))
}
