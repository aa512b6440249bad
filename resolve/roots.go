package resolve

import (
	"context"
	"slices"
	"sort"
	"strconv"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// roots finds the pipelines that are meant, newest first.
func (r *Resolver) roots(ctx context.Context, q Query) ([]node, error) {
	if q.PipelineID != 0 {
		return []node{{project: q.Project, id: q.PipelineID}}, nil
	}
	var roots []node
	for _, o := range pipelineFilters(q) {
		seen := 0
		for p, err := range r.lists.pipelines(ctx, q.Project, o) {
			if err != nil {
				return nil, err
			}
			if isCI(p) {
				roots = append(roots, node{project: q.Project, id: p.ID})
			}
			if seen++; q.Latest && len(roots) > 0 || seen == maxRecent {
				break
			}
		}
	}
	sort.Slice(roots, func(i, j int) bool { return roots[i].id > roots[j].id })
	return roots, nil
}

// pipelineFilters are the lists that contain the pipelines which a query means. A merge
// request has pipelines of its source branch and of merge results.
// https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/
func pipelineFilters(q Query) []gitlab.PipelinesOptions {
	switch {
	case q.SHA != "":
		return []gitlab.PipelinesOptions{{SHA: q.SHA}}
	case q.MergeRequest != 0:
		refs := "refs/merge-requests/" + strconv.FormatInt(q.MergeRequest, 10)
		return []gitlab.PipelinesOptions{{Ref: refs + "/head"}, {Ref: refs + "/merge"}}
	}
	return []gitlab.PipelinesOptions{{Ref: q.Ref}}
}

// notCISources are the pipeline sources that the server ignores when it looks for a
// ref's newest pipeline (Enums::Ci::Pipeline.ci_sources): child pipelines, and those
// that tools create.
var notCISources = []string{
	"webide", "parent_pipeline", "ondemand_dast_scan", "ondemand_dast_validation",
	"security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
}

// isCI reports whether the server considers a pipeline that isn't named.
func isCI(p gitlab.Pipeline) bool { return !slices.Contains(notCISources, p.Source) }
