package resolve

import (
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// childSource is that of child pipelines. They are searched below their parents, and
// aren't a ref's pipelines.
const childSource = "parent_pipeline"

// notCISources are the pipeline sources that the server ignores when it looks for a
// ref's newest pipeline (Enums::Ci::Pipeline.ci_sources): child pipelines, and those
// that tools create.
var notCISources = []string{
	"webide", childSource, "ondemand_dast_scan", "ondemand_dast_validation",
	"security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
}

// Sources returns what a pipeline can come from (Enums::Ci::Pipeline.sources). Lists of
// pipelines refuse any other.
func Sources() []string {
	return append([]string{
		"push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "merge_request_event",
		"external_pull_request_event", "unknown",
	}, notCISources...)
}

// isCI reports whether the server considers a pipeline that isn't named.
func isCI(p gitlab.Pipeline) bool { return !slices.Contains(notCISources, p.Source) }

// Unwanted splits a source of [Query.Sources]: whether it is one that the pipeline may not
// have, and its name.
func Unwanted(source string) (unwanted bool, name string) {
	name, unwanted = strings.CutPrefix(source, "!")
	return unwanted, name
}

// FromSource reports whether a pipeline's source is one of those that the query asks for.
func (q Query) FromSource(source string) bool {
	return !slices.Contains(q.Sources, "!"+source) && (!q.wantsSources() || slices.Contains(q.Sources, source))
}

// counts reports whether a pipeline that isn't named counts by its source: if the query
// doesn't say which sources it wants, those count that the server considers.
func (q Query) counts(p gitlab.Pipeline) bool {
	return q.FromSource(p.Source) && (q.wantsSources() || isCI(p))
}

// wantsSources reports whether the query says which sources it wants, and not only those
// that it doesn't want.
func (q Query) wantsSources() bool {
	return slices.ContainsFunc(q.Sources, func(source string) bool { unwanted, _ := Unwanted(source); return !unwanted })
}

// SourceFilter returns the source by which GitLab itself can filter a list of pipelines, or
// "". It takes one.
func (q Query) SourceFilter() string {
	if len(q.Sources) == 1 && q.wantsSources() {
		return q.Sources[0]
	}
	return ""
}

// sourcesKnown reports whether each source is one of [Sources], and none is both wanted and
// unwanted.
func sourcesKnown(sources []string) bool {
	for _, source := range sources {
		unwanted, name := Unwanted(source)
		if !slices.Contains(Sources(), name) || unwanted && slices.Contains(sources, name) {
			return false
		}
	}
	return true
}

// isChildSource reports whether a source is that of child pipelines.
func isChildSource(source string) bool {
	_, name := Unwanted(source)
	return name == childSource
}
