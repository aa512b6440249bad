package pin

import (
	"context"
	"errors"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// takesByRef plans to download the archive that GitLab chooses, and to find its job
// meanwhile. It returns false if lists must come first: because the archive may not be
// needed, or may be missing.
func (s *Syncer) takesByRef(ctx context.Context, p *Plan) bool {
	switch {
	case s.Check, s.DryRun && !s.Update: // nothing is downloaded
		return false
	case p.Source.IfMissing == "warn", p.Source.IfMissing == "ignore":
		return false
	case p.Was != nil && s.inPlace(ctx, p.Entry): // what it finds is probably the same
		return false
	}
	q := p.Source.JobQuery()
	a, ok := s.Loader.ByRef(q)
	if ok = ok && !q.Recent; ok { // an older pipeline may have the job
		p.artifact, p.byRef = &a, true
	}
	return ok
}

// loadByRef loads such an archive, and completes the plan. It fails if the archive's job
// isn't known, because then it can't be locked.
func (s *Syncer) loadByRef(ctx context.Context, stage *extract.Stage, p *Plan, t retrieve.Task) (retrieve.Result, error) {
	r, err := s.Loader.LoadByRef(ctx, stage, t)
	if err == nil && (p.Was == nil || p.Was.JobID != r.Artifact.JobID) {
		p.Entry = s.entry(p.Source, r.Artifact)
	}
	_, another := errors.AsType[*retrieve.AnotherJobError](err)
	_, unknown := errors.AsType[*retrieve.UnknownIDError](err)
	_, refused := errors.AsType[*resolve.RefusedError](err)
	if another || unknown || refused || retrieve.Missing(err) {
		return r, &listFirstError{err}
	}
	return r, err
}

// listFirstError reports a download by ref that failed because GitLab chose another job's
// archive than the lists name, or in a way that lists explain.
type listFirstError struct{ error }

// Unwrap returns what failed.
func (e *listFirstError) Unwrap() error { return e.error }

// list finds the jobs of all archives that were to be downloaded by ref, after an error.
func (s *Syncer) list(ctx context.Context, plans []*Plan, why error) error {
	if _, another := errors.AsType[*retrieve.AnotherJobError](why); another && s.Loader.Events.StartingOver != nil {
		s.Loader.Events.StartingOver(why)
	}
	var byRef []*Plan
	var sources []manifest.Source
	for _, p := range plans {
		if p.byRef {
			byRef, sources = append(byRef, p), append(sources, p.Source)
		}
	}
	return s.each(sources, func(i int) error {
		p := byRef[i]
		p.byRef, p.artifact, p.Changed, p.Entry = false, nil, false, manifest.Locked{}
		if p.Was != nil {
			p.Entry = *p.Was
		}
		return s.resolve(ctx, p)
	})
}

// find finds the only archive of a query. If the lists are refused, it requests the archive
// that GitLab chooses, whose refusal says why: the ID only stays unknown if the token can
// read it.
func (s *Syncer) find(ctx context.Context, q resolve.Query) (resolve.Artifact, error) {
	inspector := retrieve.Inspector{Opener: s.Loader.Opener}
	a, err := inspector.One(ctx, q)
	switch {
	case err != nil:
		return a, err
	case a.JobID == 0:
		return inspector.Probe(ctx, q, a)
	}
	return s.Loader.Resolver.Describe(ctx, a)
}

// entry returns what is locked for a source whose query finds an artifact.
func (s *Syncer) entry(source manifest.Source, a resolve.Artifact) manifest.Locked {
	e := manifest.Locked{
		Name: source.Name, Asked: source.Asked(), Project: a.Project, ProjectID: a.ProjectID, Ref: a.Ref, PipelineID: a.PipelineID, SHA: a.SHA,
		JobID: a.JobID, Job: a.JobName, Size: a.Size, SHA256: a.SHA256, ResolvedAt: time.Now(), ResolvedBy: string(a.Found),
	}
	if s.ProjectPath != nil {
		if path := s.ProjectPath(a.WebURL); path != "" {
			e.Project = path
		}
	}
	return e
}
