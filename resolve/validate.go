package resolve

import (
	"fmt"
	"slices"
	"strings"
)

// Field names a field of a [Query], so each caller can name its own flag or key for it.
type Field string

// The fields that a [QueryError] names.
const (
	FieldProject      Field = "Project"
	FieldJobID        Field = "JobID"
	FieldJobs         Field = "Jobs"
	FieldRef          Field = "Ref"
	FieldPipelineID   Field = "PipelineID"
	FieldSHA          Field = "SHA"
	FieldMergeRequest Field = "MergeRequest"
	FieldLatest       Field = "Latest"
	FieldBase         Field = "Base"
	FieldRecent       Field = "Recent"
	FieldAnyPipeline  Field = "AnyPipeline"
	FieldMaxAge       Field = "MaxAge"
	FieldBefore       Field = "Before"
	FieldSources      Field = "Sources"
	FieldReports      Field = "Reports"

	FieldRequireSuccess Field = "RequireSuccess"
	FieldAnyStatus      Field = "AnyStatus"
)

// Problem is what is wrong with the fields of a [QueryError].
type Problem string

// The problems.
const (
	ProblemMissing  Problem = "missing"  // the fields are needed and have no value
	ProblemInvalid  Problem = "invalid"  // the field can't have this value
	ProblemConflict Problem = "conflict" // the fields exclude each other
	ProblemAlone    Problem = "alone"    // the first field requires the second
)

// QueryError reports a query that doesn't select jobs, or has contradictory fields. It is
// the caller's mistake, found without a request.
type QueryError struct {
	Problem Problem
	Fields  []Field // never empty; fields that select a job or pipeline come first
}

// Error implements error.
func (e *QueryError) Error() string {
	names := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		names[i] = string(field)
	}
	return fmt.Sprintf("query: %s: %s", strings.Join(names, ", "), e.Problem)
}

// Validate returns a [*QueryError] if [Resolver.Artifacts] can't process the query. It
// reports conflicts first, then all missing fields together, then invalid values.
func (q Query) Validate() error {
	for _, check := range []func() *QueryError{q.conflict, q.missing, q.invalid} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// ValidateList is [Query.Validate] for a list of jobs. It doesn't require names of jobs:
// the list covers one pipeline, the pipelines of Ref, or the whole project.
func (q Query) ValidateList() error {
	switch {
	case q.Project == "":
		return &QueryError{ProblemMissing, []Field{FieldProject}}
	case q.PipelineID != 0 && q.Ref != "":
		return &QueryError{ProblemConflict, []Field{FieldRef, FieldPipelineID}}
	case q.PipelineID != 0 && len(q.Sources) > 0:
		return &QueryError{ProblemConflict, []Field{FieldPipelineID, FieldSources}}
	case q.Latest && q.Ref == "":
		return &QueryError{ProblemMissing, []Field{FieldRef}}
	case !sourcesKnown(q.Sources):
		return &QueryError{ProblemInvalid, []Field{FieldSources}}
	}
	return nil
}

// chosen returns the set fields that select one job or pipeline.
func (q Query) chosen() []Field {
	return fieldsSet(
		given{FieldJobID, q.JobID != 0}, given{FieldPipelineID, q.PipelineID != 0}, given{FieldLatest, q.Latest},
		given{FieldSHA, q.SHA != ""}, given{FieldMergeRequest, q.MergeRequest != 0}, given{FieldBase, q.Base != ""},
	)
}

func (q Query) conflict() *QueryError {
	chosen := q.chosen()
	switch {
	case len(chosen) > 1:
		return &QueryError{ProblemConflict, chosen}
	case q.JobID != 0:
		beside := fieldsSet(
			given{FieldJobs, len(q.Jobs) > 0}, given{FieldRef, q.Ref != ""}, given{FieldAnyPipeline, q.AnyPipeline}, given{FieldBefore, q.Before != 0},
			given{FieldSources, len(q.Sources) > 0}, given{FieldRequireSuccess, q.RequireSuccess},
		)
		if len(beside) > 0 {
			return &QueryError{ProblemConflict, append(chosen, beside...)}
		}
		return nil // other fields don't matter
	case len(chosen) > 0:
		searches := fieldsSet(
			given{FieldRecent, q.Recent}, given{FieldAnyPipeline, q.AnyPipeline}, given{FieldBefore, q.Before != 0},
			given{FieldSources, q.PipelineID != 0 && len(q.Sources) > 0}, given{FieldRef, !q.Latest && (q.Ref != "" || len(q.MoreRefs) > 0)},
		)
		if len(searches) > 0 {
			return &QueryError{ProblemConflict, append(chosen, searches[0])}
		}
	}
	return q.exclusive()
}

// exclusive reports options that make each other pointless.
func (q Query) exclusive() *QueryError {
	switch good := fieldsSet(given{FieldRequireSuccess, q.RequireSuccess}, given{FieldAnyPipeline, q.AnyPipeline}, given{FieldBase, q.Base != ""}); {
	case len(good) > 0 && q.AnyStatus:
		return &QueryError{ProblemConflict, []Field{good[0], FieldAnyStatus}}
	case q.AnyPipeline && q.Recent:
		return &QueryError{ProblemConflict, []Field{FieldAnyPipeline, FieldRecent}}
	case q.MaxAge != 0 && !q.Recent && !q.AnyPipeline:
		return &QueryError{ProblemAlone, []Field{FieldMaxAge, FieldRecent}}
	}
	return nil
}

func (q Query) missing() *QueryError {
	byName := q.JobID == 0
	missing := fieldsSet(
		given{FieldProject, q.Project == ""},
		given{FieldJobs, byName && len(q.Jobs) == 0},
		given{FieldRef, q.NeedsRef() && q.Ref == ""},
	)
	if len(missing) > 0 {
		return &QueryError{ProblemMissing, missing}
	}
	return nil
}

func (q Query) invalid() *QueryError {
	invalid := fieldsSet(
		given{FieldJobID, q.JobID < 0}, given{FieldPipelineID, q.PipelineID < 0},
		given{FieldSHA, q.SHA != "" && !isFullCommit(q.SHA)}, given{FieldMergeRequest, q.MergeRequest < 0},
		given{FieldBase, q.Base != "" && !isFullCommit(q.Base)}, given{FieldBefore, q.Before < 0},
		given{FieldSources, !sourcesKnown(q.Sources) || slices.ContainsFunc(q.Sources, isChildSource)},
		given{FieldReports, slices.ContainsFunc(q.Reports, NotAReport)},
	)
	if len(invalid) > 0 {
		return &QueryError{ProblemInvalid, invalid}
	}
	return nil
}

// NotAReport reports whether a type can't be a report's: GitLab's are words like junit
// and browser_performance, and the archive and the log aren't reports.
func NotAReport(kind string) bool {
	odd := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }
	return kind == "" || slices.Contains(notReports, kind) || strings.ContainsFunc(kind, odd)
}

type given struct {
	field Field
	set   bool
}

func fieldsSet(all ...given) []Field {
	var set []Field
	for _, g := range all {
		if g.set {
			set = append(set, g.field)
		}
	}
	return set
}

// isFullCommit reports whether text is the full SHA-1 or SHA-256 of a commit.
func isFullCommit(text string) bool { return isCommit(text) && (len(text) == 40 || len(text) == 64) }
