package resolve

import (
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// childSource is the source of child pipelines. They are searched below their parents,
// and don't count as a ref's pipelines.
const childSource = "parent_pipeline"

// notCISources are the pipeline sources that the server ignores when it looks for a
// ref's newest pipeline (Enums::Ci::Pipeline.ci_sources): child pipelines, and those
// that tools create.
var notCISources = []string{
	"webide", childSource, "ondemand_dast_scan", "ondemand_dast_validation",
	"security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
}

// Sources returns the possible sources of a pipeline (Enums::Ci::Pipeline.sources). Lists
// of pipelines refuse any other.
func Sources() []string {
	return append([]string{
		"push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "merge_request_event",
		"external_pull_request_event", "unknown",
	}, notCISources...)
}

// isCI reports whether the server considers a pipeline if the query doesn't name one.
func isCI(p gitlab.Pipeline) bool { return !slices.Contains(notCISources, p.Source) }

// Unwanted splits an element of [Query.Sources] into its name and whether it excludes
// that source.
func Unwanted(source string) (unwanted bool, name string) {
	name, unwanted = strings.CutPrefix(source, "!")
	return unwanted, name
}

// FromSource reports whether the query accepts a pipeline's source.
func (q Query) FromSource(source string) bool {
	return !slices.Contains(q.Sources, "!"+source) && (!q.wantsSources() || slices.Contains(q.Sources, source))
}

// counts reports whether a pipeline counts by its source if the query doesn't name one:
// if the query doesn't list wanted sources, those count that the server considers.
func (q Query) counts(p gitlab.Pipeline) bool {
	return q.FromSource(p.Source) && (q.wantsSources() || isCI(p))
}

// wantsSources reports whether the query lists wanted sources, not only unwanted ones.
func (q Query) wantsSources() bool {
	return slices.ContainsFunc(q.Sources, func(source string) bool { unwanted, _ := Unwanted(source); return !unwanted })
}

// SourceFilter returns the source by which GitLab itself can filter a list of pipelines,
// or "". GitLab accepts only one.
func (q Query) SourceFilter() string {
	if len(q.Sources) == 1 && q.wantsSources() {
		return q.Sources[0]
	}
	return ""
}

// sourcesKnown reports whether each source is one of [Sources], and none is both wanted
// and unwanted.
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
