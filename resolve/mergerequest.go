package resolve

import (
	"context"
	"errors"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// withoutPipelines says more about a merge request that has no pipelines: whether it
// exists, and which branch it is from, whose pipelines may be meant.
func (r *Resolver) withoutPipelines(ctx context.Context, q Query, err error) error {
	missing, ok := errors.AsType[*NotFoundError](err)
	if !ok || q.MergeRequest == 0 || missing.What != "pipeline" {
		return err
	}
	m, lookup := r.api.MergeRequest(ctx, gitlab.Project(q.Project), q.MergeRequest)
	switch {
	case lookup == nil:
		missing.MergeRequest = &m
	case Refused(lookup):
		missing.Unseen = true
	case errors.Is(lookup, gitlab.ErrNotFound):
		missing.What, missing.Seen, missing.Err = "merge request", "", lookup
	}
	return err
}
