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

// Syncer brings a workspace into the state of its manifest.
type Syncer struct {
	Workspace
	Options
	Loader *retrieve.Loader
	// ProjectPath returns the full path of the project in a job's web address, which
	// makes the lock file readable. It returns "" if it can't.
	ProjectPath func(address string) string
	Events      Events
	// Pruned are the paths of the files that Apply removes.
	Pruned []string
}

// Options say what may change.
type Options struct {
	Locked      bool     // only use what is locked
	Update      bool     // move sources to what their queries find now
	Names       []string // of the sources to update; empty means all
	Only        []string // added or removed sources: all others stay as locked
	Check       bool     // plan an update of all sources, to see which would change
	Offline     bool     // make no requests: use the cache for what isn't in place
	DryRun      bool     // download, but only to see what would change
	Extras      []string // files to remove: see [Workspace.Removable]
	Connections int      // of the whole run
}

func (o Options) moves(source string) bool {
	return o.Check || o.Update && (len(o.Names) == 0 || slices.Contains(o.Names, source))
}

// Events are callbacks while a workspace is synchronized, from any goroutine. Each may be
// nil. Those of the Loader are called too.
type Events struct {
	// Missing is called for a source without a job or archive, if the manifest only wants
	// a warning.
	Missing func(source string, err error)
	// Kept is called for a file that is no longer locked, but stays because it has
	// changed since.
	Kept func(source, path string)
}

// Plan says what to do about one source.
type Plan struct {
	Source manifest.Source
	Entry  manifest.Locked  // as it will be locked; may not be known before Apply
	Was    *manifest.Locked // as it is locked for the same query; or nil
	Before *manifest.Locked // as it is locked for any query; or nil
	// Pinned means that the files must match Entry.
	Pinned bool
	// Changed means that the job is the locked one, but its archive has changed.
	Changed bool
	// Result is what was downloaded: see [Syncer.Apply].
	Result retrieve.Result

	artifact *resolve.Artifact // to download; nil for none
	byRef    bool              // GitLab chooses artifact: its job isn't known yet, and Entry isn't set
}

// Downloads reports whether the source will be downloaded.
func (p *Plan) Downloads() bool { return p.artifact != nil }

// maxPlans is how many sources to plan at the same time.
const maxPlans = 16

// Plan finds out what each source's query finds and what is in place. If there are
// several errors, it returns the first source's, so that two runs report the same.
func (s *Syncer) Plan(ctx context.Context) ([]*Plan, error) {
	if err := s.drift(); s.Locked && err != nil {
		return nil, err
	}
	sources := s.Manifest.Sources
	if len(s.Only) > 0 {
		sources = slices.DeleteFunc(slices.Clone(sources), func(m manifest.Source) bool { return !slices.Contains(s.Only, m.Name) })
	}
	plans := make([]*Plan, len(sources))
	err := s.each(sources, func(i int) (err error) {
		plans[i], err = s.planOne(ctx, sources[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(s.Only) > 0 {
		plans = append(plans, s.untouched()...)
	}
	return plans, nil
}

// each calls plan for each source, several at the same time. If there are several errors,
// it returns the first source's.
func (s *Syncer) each(sources []manifest.Source, plan func(i int) error) error {
	errs := make([]error, len(sources))
	var group errgroup.Group
	group.SetLimit(maxPlans)
	for i := range sources {
		group.Go(func() error {
			errs[i] = plan(i)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	for i, err := range errs {
		if e, ok := errors.AsType[*LockError](err); ok {
			e.Source = withReason(e.Reason, sources, errs)
			return e
		}
		if err != nil {
			return fmt.Errorf("source %q: %w", sources[i].Name, err)
		}
	}
	return nil
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
	case s.takesByRef(ctx, p):
		return p, nil
	}
	return p, s.resolve(ctx, p)
}

// keep uses what is locked, and downloads it if it isn't in place.
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
			a.Report.Name = e.Files[0].Name // of a raw report
		}
	}
	if s.Offline {
		a.SHA256 = e.SHA256
	}
	p.artifact = &a
	return nil
}

// resolve finds the job for the query.
func (s *Syncer) resolve(ctx context.Context, p *Plan) error {
	a, err := s.find(ctx, p.Source.JobQuery())
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
	p.Entry = s.entry(p.Source, a)
	p.artifact = &a
	return nil
}

// mayBeMissing reports whether the manifest allows a missing job or archive.
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

// recheck checks a job that is already locked and that the query still finds: an update
// takes its current archive.
func (s *Syncer) recheck(ctx context.Context, p *Plan, a resolve.Artifact) error {
	if s.Check || s.inPlace(ctx, p.Entry) {
		now, err := retrieve.Inspector{Opener: s.Loader.Opener}.Probe(ctx, p.Source.JobQuery(), a)
		if retrieve.Missing(err) {
			return nil // what is locked and in place stays
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
