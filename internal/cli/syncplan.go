package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// plan is what is to be done about one source.
type plan struct {
	source   manifest.Source
	entry    manifest.Locked  // as it will be locked
	was      *manifest.Locked // as it is locked; nil if it is not, or for another query
	artifact *resolve.Artifact
	pinned   bool // the files have to be those of the entry
	changed  bool // the job is the one that is locked, and its archive is another one now
	came     result
}

// lockError reports what is not as the lock file has it.
type lockError struct{ what, hint string }

// Error implements error.
func (e *lockError) Error() string { return e.what }

// Hint says what to do next.
func (e *lockError) Hint() string { return e.hint }

// plan finds out, source by source, what is meant and what is in place. Of several
// errors it is the first source's, so that two runs say the same.
func (y *syncer) plan(ctx context.Context) ([]*plan, error) {
	plans, errs := make([]*plan, len(y.manifest.Sources)), make([]error, len(y.manifest.Sources))
	var group errgroup.Group
	group.SetLimit(maxConnections)
	for i, source := range y.manifest.Sources {
		group.Go(func() error {
			plans[i], errs[i] = y.planOne(ctx, source)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", y.manifest.Sources[i].Name, err)
		}
	}
	return plans, nil
}

func (y *syncer) planOne(ctx context.Context, source manifest.Source) (*plan, error) {
	p := &plan{source: source}
	if entry, found := y.old.Find(source.Name); found && entry.IsFor(source) {
		p.was, p.entry = &entry, entry
		p.entry.Asked = source.Fingerprint() // the entry's may be of the first form
	}
	moves := y.check || y.update && (len(y.names) == 0 || slices.Contains(y.names, source.Name))
	switch {
	case p.was == nil && y.locked:
		return nil, &lockError{"it is not locked as the manifest has it", "run artifetch sync where nothing is locked by --locked or CI, and commit the lock file"}
	case p.was == nil && y.offline:
		return nil, &lockError{"it is not locked, and --offline asks nobody", "run artifetch sync without --offline once"}
	case p.was != nil && !moves:
		return p, y.keep(ctx, p)
	}
	return p, y.resolve(ctx, p)
}

// keep takes what is locked, and fetches it if it is not in place.
func (y *syncer) keep(ctx context.Context, p *plan) error {
	if p.entry.JobID == 0 || y.inPlace(ctx, p.entry) {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if y.offline {
		return &lockError{"its files are not in place, and --offline asks nobody", "artifetch verify says which; run artifetch sync without --offline"}
	}
	p.pinned = true
	p.artifact = &resolve.Artifact{
		Project: p.entry.Project, JobID: p.entry.JobID, JobName: p.entry.Job, PipelineID: p.entry.PipelineID, Ref: p.entry.Ref, SHA: p.entry.SHA,
		Size: p.entry.Size, Found: resolve.ByID, URL: y.api.ArchiveURL(gitlab.Project(p.entry.Project), p.entry.JobID),
	}
	return nil
}

// resolve finds the job that the query means now.
func (y *syncer) resolve(ctx context.Context, p *plan) error {
	q := p.source.JobQuery()
	a, err := y.one(ctx, q)
	if err == nil {
		a, err = y.resolver.Describe(ctx, a)
	}
	if err != nil && isMissing(err) && (p.source.IfMissing == "warn" || p.source.IfMissing == "ignore") {
		if p.source.IfMissing == "warn" {
			y.log.Warn().Str("source", p.source.Name).Err(err).Msg("nothing to fetch")
		}
		p.entry = manifest.Locked{Name: p.source.Name, Asked: p.source.Fingerprint(), Project: p.source.Project, Ref: p.source.Ref, Job: p.source.Job, ResolvedAt: time.Now(), ResolvedBy: "missing"}
		return nil
	}
	if err != nil {
		return err
	}
	if a.JobID == 0 {
		return &lockError{"this token may not list jobs, so that it is not known which one is meant, and nothing can be locked", "set GITLAB_TOKEN to a token with the scope read_api, or name the job by job-id"}
	}
	if p.was != nil && p.was.JobID == a.JobID {
		return y.again(ctx, p, a)
	}
	project := a.Project
	if w, err := parseWeb(a.WebURL, y.cfg.APIURL); err == nil {
		project = w.project // its path, which people can read
	}
	p.entry = manifest.Locked{
		Name: p.source.Name, Asked: p.source.Fingerprint(), Project: project, ProjectID: a.ProjectID, Ref: a.Ref, PipelineID: a.PipelineID, SHA: a.SHA,
		JobID: a.JobID, Job: a.JobName, Size: a.Size, SHA256: a.SHA256, ResolvedAt: time.Now(), ResolvedBy: string(a.Found),
	}
	p.artifact = &a
	return nil
}

// again looks at a job that is locked already, and that the query still means: its
// archive is taken as it is now. Only --check and --update come here.
func (y *syncer) again(ctx context.Context, p *plan, a resolve.Artifact) error {
	if y.check || y.inPlace(ctx, p.entry) {
		now, err := y.probed(ctx, p.source.JobQuery(), a)
		if isMissing(err) {
			return nil // what was locked and is in place stays
		}
		p.changed = another(now.Size, p.entry.Size) || another(now.SHA256, p.entry.SHA256)
		if err != nil || !p.changed || y.check {
			return err
		}
	}
	p.artifact = &a
	return nil
}

// another reports whether two values are known and differ.
func another[T comparable](a, b T) bool {
	var unknown T
	return a != unknown && b != unknown && a != b
}

// inPlace reports whether all files of an entry are in the workspace as they are
// locked.
func (y *syncer) inPlace(ctx context.Context, entry manifest.Locked) bool {
	return !slices.ContainsFunc(entry.Files, func(f manifest.LockFile) bool { return different(ctx, y.root, f) != "" })
}

// different says how a file differs from what is locked, or "".
func different(ctx context.Context, root string, f manifest.LockFile) string {
	file := filepath.Join(root, filepath.FromSlash(f.Path))
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "missing"
	case err != nil:
		return err.Error()
	case f.Target != "":
		if target, err := os.Readlink(file); err != nil || target != f.Target {
			return "changed"
		}
		return ""
	case !info.Mode().IsRegular() || info.Size() != f.Size || octal(info.Mode()) != f.Mode:
		return "changed"
	}
	content, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = content.Close() }() // only read
	if sum, err := sumOf(ctx, content); err != nil || sum != f.SHA256 {
		return "changed"
	}
	return ""
}

func octal(mode fs.FileMode) string { return fmt.Sprintf("%04o", mode.Perm()) }
