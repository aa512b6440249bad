package failure

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/similar"
	"gitlab.com/artifetch/artifetch/resolve"
)

// fieldFlags are the flags for the fields of a query.
var fieldFlags = map[resolve.Field]string{
	resolve.FieldJobID: "--job-id", resolve.FieldPipelineID: "--pipeline", resolve.FieldLatest: "--pipeline",
	resolve.FieldSHA: "--sha", resolve.FieldMergeRequest: "--mr", resolve.FieldBase: "--base",
	resolve.FieldJobs: "--job", resolve.FieldRef: "--ref", resolve.FieldRecent: "--recent", resolve.FieldAnyPipeline: "--any-pipeline",
	resolve.FieldBefore: "--previous", resolve.FieldSources: "--source", resolve.FieldReports: "--report",
	resolve.FieldRequireSuccess: "--require-success", resolve.FieldAnyStatus: "--any-status",
}

// flagsOf names the flags of fields.
func flagsOf(fields []resolve.Field) string {
	flags := make([]string, len(fields))
	for i, field := range fields {
		flags[i] = fieldFlags[field]
	}
	return strings.Join(flags, " and ")
}

// Query adds the flags to an error about a query.
func Query(q resolve.Query, err error) error {
	e, ok := errors.AsType[*resolve.QueryError](err)
	if !ok {
		return err
	}
	first := e.Fields[0]
	switch e.Problem {
	case resolve.ProblemMissing:
		return missingUsage(first)
	case resolve.ProblemConflict:
		return conflictUsage(e)
	case resolve.ProblemAlone:
		return Usage("--max-age limits --recent and --any-pipeline, but neither is given", "add one of them")
	}
	switch first {
	case resolve.FieldSHA:
		return Usage("--sha must be a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse "+q.SHA)
	case resolve.FieldBase:
		return Usage("--base: CI_MERGE_REQUEST_DIFF_BASE_SHA is not a full commit SHA", "GitLab sets it in merge request pipelines; don't change it")
	case resolve.FieldSources:
		return sourceUsage(q.Sources)
	case resolve.FieldReports:
		return reportUsage(q.Reports[slices.IndexFunc(q.Reports, resolve.NotAReport)])
	}
	return ErrMergeRequest
}

// reportUsage says what is wrong with a --report.
func reportUsage(kind string) error {
	what := fmt.Sprintf("--report %q is not the type of a report", kind)
	switch lower := strings.ToLower(kind); {
	case kind == "archive":
		return Usage("--report archive: the archive is not a report", "leave out --report for the archive")
	case kind == "trace" || kind == "metadata":
		return Usage(what, "leave out --report for the archive; job log prints the log")
	case strings.Contains(kind, ","):
		return Usage(what, "repeat --report for each one")
	case lower != kind && !resolve.NotAReport(lower):
		return Usage(what, "did you mean "+lower+"?")
	}
	return Usage(what, "types have lower-case letters, digits and underscores, such as junit: artifetch job show lists those of a job")
}

// sourceUsage explains what is wrong with --source.
func sourceUsage(sources []string) error {
	for _, source := range sources {
		unwanted, name := resolve.Unwanted(source)
		switch {
		case unwanted && slices.Contains(sources, name):
			return Usage(fmt.Sprintf("--source %s and --source %s exclude each other", name, source), "leave one of them out")
		case slices.Contains(resolve.Sources(), name):
		case strings.Contains(name, ","):
			return Usage(fmt.Sprintf("--source %q is not the source of a pipeline", source), "repeat --source for each one")
		default:
			hint := "one of " + strings.Join(resolve.Sources(), ", ")
			if near := similar.Names(strings.ReplaceAll(name, "-", "_"), resolve.Sources(), 1); len(near) > 0 {
				hint = "did you mean " + near[0] + "? It is " + hint
			}
			return Usage(fmt.Sprintf("--source %q is not the source of a pipeline", source), hint)
		}
	}
	return Usage("--source parent_pipeline means child pipelines, which are searched below their parents", "leave it out, or name the child by --pipeline")
}

// ErrMergeRequest reports a --mr that isn't the number of a merge request.
var ErrMergeRequest = Usage("--mr must be a positive number", "it is the number after the ! of the merge request")

func missingUsage(field resolve.Field) error {
	switch field {
	case resolve.FieldProject:
		return ErrNoProject
	case resolve.FieldJobs:
		return Usage("no job given", "give --job NAME with --ref REF, or --job-id ID")
	}
	return Usage("no ref given", "give --ref with a branch or tag, or @default; in a job of the project, the default is the ref of its pipeline")
}

func conflictUsage(e *resolve.QueryError) error {
	first, last := e.Fields[0], e.Fields[len(e.Fields)-1]
	switch {
	case last == resolve.FieldRef && first != resolve.FieldJobID:
		return Usage(fieldFlags[first]+" and --ref each say which pipeline", "leave one of them out; only --pipeline latest goes with --ref")
	case first == resolve.FieldJobID && !slices.Contains(selectors, e.Fields[1]):
		return Usage("--job-id already says which job", "leave out "+flagsOf(e.Fields[1:]))
	case last == resolve.FieldAnyStatus:
		return Usage(fieldFlags[first]+" takes jobs that have succeeded, --any-status others too", "leave one of them out")
	case first == resolve.FieldAnyPipeline:
		return Usage("--recent searches successful pipelines, --any-pipeline all", "leave one of them out")
	case last == resolve.FieldSources:
		return Usage("--source chooses among pipelines; "+fieldFlags[first]+" names one", "leave one of them out")
	case !slices.Contains(selectors, last):
		return Usage(fieldFlags[last]+" looks through the pipelines of a ref; "+fieldFlags[first]+" names one", "leave one of them out")
	}
	return Usage(flagsOf(e.Fields)+" each say which job or pipeline", "give one of them")
}

// selectors are the fields that each select a job or pipeline.
var selectors = []resolve.Field{
	resolve.FieldJobID, resolve.FieldPipelineID, resolve.FieldLatest, resolve.FieldSHA, resolve.FieldMergeRequest, resolve.FieldBase,
}

// List adds the flags to an error about the query of a list.
func List(q resolve.Query, err error) error {
	e, ok := errors.AsType[*resolve.QueryError](err)
	switch {
	case !ok:
		return err
	case e.Fields[len(e.Fields)-1] == resolve.FieldSources:
		if e.Problem == resolve.ProblemConflict {
			return conflictUsage(e)
		}
		return sourceUsage(q.Sources)
	case e.Problem == resolve.ProblemConflict:
		return Usage("--pipeline and --ref each say which pipeline", "give one of them; --pipeline latest goes with --ref")
	case e.Fields[0] == resolve.FieldProject:
		return ErrNoProject
	}
	return Usage("no ref given", "--pipeline latest is that of --ref")
}

// ErrNoProject reports that no project is given or known.
var ErrNoProject = Usage("no project: CI_PROJECT_ID is not set", "give --project with an id or a full path such as group/app")

// ErrNoProjectInBuild is ErrNoProject where there is the token of a job, but no job: an image
// is being built.
var ErrNoProjectInBuild = Usage("no project: CI_PROJECT_ID is not set", "pass CI_PROJECT_ID on, in a Dockerfile by ARG CI_PROJECT_ID and --build-arg CI_PROJECT_ID, or give --project")

// Blocked adds the manual jobs that block the newest pipeline to an error, if they are
// the reason why no pipeline has succeeded.
func Blocked(why resolve.Explanation, err error) error {
	if why.Remedy != resolve.RemedyPlay {
		return err
	}
	return &blockedError{err, why}
}

// blockedError is an error about a ref whose newest pipeline waits for a manual job.
type blockedError struct {
	error
	why resolve.Explanation
}

// Error implements error.
func (e *blockedError) Error() string {
	return strings.Join(append([]string{e.error.Error()}, e.why.Evidence...), "; ")
}

// Unwrap returns the error.
func (e *blockedError) Unwrap() error { return e.error }

// Hint says what to do next.
func (e *blockedError) Hint() string { return Remedy(e.why, e.error) }
