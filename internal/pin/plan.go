package pin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Syncer makes a workspace what its manifest asks for.
type Syncer struct {
	Workspace
	Options
	Loader *retrieve.Loader
	// ProjectPath returns the full path of the project that a job's web address is in,
	// which people can read in the lock file. It returns "" if it can't.
	ProjectPath func(address string) string
	Events      Events
	// Pruned are the paths of the files that Apply removes.
	Pruned []string
}

// Options say what may change.
type Options struct {
	Locked      bool     // take what is locked and nothing else
	Update      bool     // move sources to what their queries mean now
	Names       []string // of the sources that move; none means all
	Only        []string // sources that were added or removed: all others stay as they are locked
	Check       bool     // plan for all sources to move, to see which ones would
	Offline     bool     // make no requests: what isn't in place comes from the cache
	DryRun      bool     // download, to see what would change, but change nothing
	Extras      []string // files that are removed: see [Workspace.Removable]
	Connections int      // of the whole run
}

func (o Options) moves(source string) bool {
	return o.Check || o.Update && (len(o.Names) == 0 || slices.Contains(o.Names, source))
}

// Events are called while a workspace is synchronized, from any goroutine. Each may be
// nil. Those of the Loader are called too.
type Events struct {
	// Missing is told about a source that has no job or archive, though the manifest
	// says that only a warning should be printed.
	Missing func(source string, err error)
	// Kept is told about a file that is locked no longer, but stays because it has
	// changed since it was locked.
	Kept func(source, path string)
}

// Plan is what is to be done about one source.
type Plan struct {
	Source manifest.Source
	Entry  manifest.Locked  // as it will be locked
	Was    *manifest.Locked // as it is locked; nil if it isn't, or for another query
	Before *manifest.Locked // the same, but for whatever query
	// Pinned means that the files must be those of Entry.
	Pinned bool
	// Changed tells that the job is the locked one, but its archive has changed.
	Changed bool
	// Result is what arrived: see [Syncer.Apply].
	Result retrieve.Result

	artifact *resolve.Artifact // to download; nil for none
}

// Downloads reports whether the source will be downloaded.
func (p *Plan) Downloads() bool { return p.artifact != nil }

// maxPlans is how many sources are planned at the same time.
const maxPlans = 16

// Plan finds out, source by source, what is meant and what is in place. Of several
// errors it returns the first source's, so that two runs say the same.
func (s *Syncer) Plan(ctx context.Context) ([]*Plan, error) {
	if err := s.drift(); s.Locked && err != nil {
		return nil, err
	}
	sources := s.Manifest.Sources
	if len(s.Only) > 0 {
		sources = slices.DeleteFunc(slices.Clone(sources), func(m manifest.Source) bool { return !slices.Contains(s.Only, m.Name) })
	}
	plans, errs := make([]*Plan, len(sources)), make([]error, len(sources))
	var group errgroup.Group
	group.SetLimit(maxPlans)
	for i, source := range sources {
		group.Go(func() error {
			plans[i], errs[i] = s.planOne(ctx, source)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	for i, err := range errs {
		if e, ok := errors.AsType[*LockError](err); ok {
			e.Source = withReason(e.Reason, sources, errs)
			return nil, e
		}
		if err != nil {
			return nil, fmt.Errorf("source %q: %w", sources[i].Name, err)
		}
	}
	if len(s.Only) > 0 {
		plans = append(plans, s.untouched()...)
	}
	return plans, nil
}

// withReason names all sources that can't be had for the same reason.
func withReason(reason Reason, sources []manifest.Source, errs []error) string {
	var names []string
	for i, err := range errs {
		if e, ok := errors.AsType[*LockError](err); ok && e.Reason == reason {
			names = append(names, sources[i].Name)
		}
	}
	return strings.Join(names, ", ")
}

func (s *Syncer) planOne(ctx context.Context, source manifest.Source) (*Plan, error) {
	p := &Plan{Source: source}
	if entry, ok := s.Lock.Find(source.Name); ok {
		p.Before = &entry
	}
	if entry, ok := s.locked(source); ok {
		p.Was, p.Entry = &entry, entry
	}
	switch {
	case p.Was == nil && s.Offline:
		return nil, &LockError{Reason: NoRequests}
	case p.Was != nil && !s.moves(source.Name):
		return p, s.keep(ctx, p)
	}
	return p, s.resolve(ctx, p)
}

// keep takes what is locked, and downloads it if it isn't in place.
func (s *Syncer) keep(ctx context.Context, p *Plan) error {
	e := p.Entry
	if e.JobID == 0 || s.inPlace(ctx, e) {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.Offline && !fetch.InCache(s.Loader.Cache.Dir, e.SHA256) {
		return &LockError{Reason: NotInPlace}
	}
	p.Pinned = true
	a := resolve.Artifact{
		Project: e.Project, JobID: e.JobID, JobName: e.Job, PipelineID: e.PipelineID, Ref: e.Ref, SHA: e.SHA,
		Size: e.Size, Found: resolve.ByID, URL: s.Loader.API.ArchiveURL(gitlab.Project(e.Project), e.JobID),
	}
	if kind := p.Source.Report; kind != "" {
		a.Report, a.URL = resolve.Report{Type: kind}, s.Loader.API.ReportURL(gitlab.Project(e.Project), e.JobID, kind)
		if len(e.Files) == 1 {
			a.Report.Name = e.Files[0].Name // of a raw one
		}
	}
	if s.Offline {
		a.SHA256 = e.SHA256
	}
	p.artifact = &a
	return nil
}

// resolve finds the job that the query means now.
func (s *Syncer) resolve(ctx context.Context, p *Plan) error {
	inspector := retrieve.Inspector{Opener: s.Loader.Opener}
	a, err := inspector.One(ctx, p.Source.JobQuery())
	if err == nil {
		a, err = s.Loader.Resolver.Describe(ctx, a)
	}
	if err != nil && retrieve.Missing(err) && s.mayBeMissing(p.Source, err) {
		p.Entry = manifest.Locked{
			Name: p.Source.Name, Asked: p.Source.Asked(), Project: p.Source.Project, Ref: strings.Join(p.Source.Ref, ", "), Job: p.Source.Job,
			ResolvedAt: time.Now(), ResolvedBy: "missing",
		}
		return nil
	}
	if err != nil {
		return err
	}
	if a.JobID == 0 {
		return &LockError{Reason: UnknownJob}
	}
	if p.Was != nil && p.Was.JobID == a.JobID {
		return s.recheck(ctx, p, a)
	}
	p.Entry = manifest.Locked{
		Name: p.Source.Name, Asked: p.Source.Asked(), Project: a.Project, ProjectID: a.ProjectID, Ref: a.Ref, PipelineID: a.PipelineID, SHA: a.SHA,
		JobID: a.JobID, Job: a.JobName, Size: a.Size, SHA256: a.SHA256, ResolvedAt: time.Now(), ResolvedBy: string(a.Found),
	}
	if s.ProjectPath != nil {
		if path := s.ProjectPath(a.WebURL); path != "" {
			p.Entry.Project = path
		}
	}
	p.artifact = &a
	return nil
}

// mayBeMissing reports whether the manifest allows that there is no such job or archive.
func (s *Syncer) mayBeMissing(source manifest.Source, err error) bool {
	switch source.IfMissing {
	case "warn":
		if s.Events.Missing != nil {
			s.Events.Missing(source.Name, err)
		}
		return true
	case "ignore":
		return true
	}
	return false
}

// recheck looks at a job that is locked already, and that the query still means: a
// source that moves takes its archive as it is now.
func (s *Syncer) recheck(ctx context.Context, p *Plan, a resolve.Artifact) error {
	if s.Check || s.inPlace(ctx, p.Entry) {
		now, err := retrieve.Inspector{Opener: s.Loader.Opener}.Probe(ctx, p.Source.JobQuery(), a)
		if retrieve.Missing(err) {
			return nil // what was locked and is in place stays
		}
		p.Changed = differ(now.Size, p.Entry.Size) || differ(now.SHA256, p.Entry.SHA256)
		if err != nil || !p.Changed || s.Check {
			return err
		}
	}
	p.artifact = &a
	return nil
}

// differ reports whether two values are known and differ.
func differ[T comparable](a, b T) bool {
	var unknown T
	return a != unknown && b != unknown && a != b
}
