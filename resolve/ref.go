package resolve

import (
	"context"
	"iter"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// fromRef returns the jobs from the newest successful pipeline of a ref, as the server
// would. If the token can't list pipelines, the server chooses.
func (r *Resolver) fromRef(ctx context.Context, q Query) ([]Artifact, error) {
	back, first := 0, error(&NotFoundError{Query: q, What: "successful pipeline"})
	for pipeline, err := range r.successful(ctx, q) {
		if err != nil {
			return r.unlisted(ctx, q, err)
		}
		found, err := r.inSuccessful(ctx, q, pipeline)
		switch {
		case err == nil:
			return passed(found, back), nil
		case Refused(err):
			return r.unlisted(ctx, q, err)
		case !mayBeElsewhere(err):
			return nil, err
		}
		if back++; back == 1 {
			first = err
		}
	}
	return nil, first
}

// successful lists the successful pipelines of a ref to search: only the newest, or, with
// Recent, all that are young enough.
func (r *Resolver) successful(ctx context.Context, q Query) iter.Seq2[gitlab.Pipeline, error] {
	return func(yield func(gitlab.Pipeline, error) bool) {
		seen := 0
		for pipeline, err := range r.lists.pipelines(ctx, q.Project, gitlab.PipelinesOptions{Ref: q.Ref, Status: "success", Source: q.SourceFilter()}) {
			if err == nil && q.Recent && tooOld(pipeline, q.MaxAge) {
				return
			}
			if err == nil && !isRoot(q, pipeline) {
				continue
			}
			if seen++; !yield(pipeline, err) || !q.Recent || seen == maxRecent {
				return
			}
		}
	}
}

// maxRecent is how many pipelines to search. The server has the same limit.
const maxRecent = 100

func tooOld(p gitlab.Pipeline, maxAge time.Duration) bool {
	return maxAge > 0 && p.CreatedAt != nil && time.Since(*p.CreatedAt) > maxAge
}

// mayBeElsewhere reports whether an older pipeline may have what this one lacks.
func mayBeElsewhere(err error) bool {
	return is[*NotFoundError](err) || is[*NoArchiveError](err) || is[*StateError](err)
}

// inSuccessful returns the jobs from one pipeline and its descendants.
func (r *Resolver) inSuccessful(ctx context.Context, q Query, pipeline gitlab.Pipeline) ([]Artifact, error) {
	p := newPicker(q, r.asServer(q, ByListing))
	if err := r.walk(ctx, node{project: q.Project, id: pipeline.ID}, p, true); err != nil {
		return nil, err
	}
	return r.picked(p)
}

// asServer is a judge with the server's rules: a job counts if it has any file that can
// be downloaded, whatever its status. With RequireSuccess, it refuses a failed job.
func (r *Resolver) asServer(q Query, how Method) judge {
	return func(c candidate) verdict {
		v := verdict{skip: !serverTakes(c.Job)}
		if q.RequireSuccess && c.Status != "success" && !v.skip {
			failed := r.stateError(c, how)
			failed.Required = true
			v.err = failed
			return v
		}
		v.artifact, v.err = r.available(q, c, how)
		return v
	}
}

// unlisted lets the server choose each job by its name. That doesn't work for globs,
// which need a list of names, or for conditions that the server doesn't consider.
func (r *Resolver) unlisted(ctx context.Context, q Query, err error) ([]Artifact, error) {
	if !Refused(err) {
		return nil, r.interpret(err, q, Artifact{})
	}
	if q.Globs() || !q.asServer() {
		return r.withoutTree(ctx, q, err)
	}
	if q.Recent && len(q.Jobs) > 1 { // all must be from one pipeline, which may not be the newest
		if found, err := r.withoutTree(ctx, q, err); !Refused(err) || is[*DownstreamError](err) {
			return found, err
		}
	}
	return r.chosen(q), nil
}

// chosen returns the archives that GitLab itself chooses, one for each name.
func (r *Resolver) chosen(q Query) []Artifact {
	artifacts := make([]Artifact, len(q.Jobs))
	for i, job := range q.Jobs {
		artifacts[i] = r.chosenByServer(q, job)
	}
	return artifacts
}
