package cli

import (
	"errors"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/resolve"
)

// fieldFlags are the flags that fill the fields of a query.
var fieldFlags = map[resolve.Field]string{
	resolve.FieldJobID: "--job-id", resolve.FieldPipelineID: "--pipeline", resolve.FieldLatest: "--pipeline",
	resolve.FieldSHA: "--sha", resolve.FieldMergeRequest: "--mr",
}

// queryUsage says which flags a mistake in a query is about.
func queryUsage(q resolve.Query, err error) error {
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
		return usage("--max-age bounds --recent, which is not given", "add --recent")
	}
	if first == resolve.FieldSHA {
		return usage("--sha must be a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse "+q.SHA)
	}
	return errMergeRequest
}

var errMergeRequest = usage("--mr must be a positive number", "it is the number behind the ! of the merge request")

func missingUsage(field resolve.Field) error {
	switch field {
	case resolve.FieldProject:
		return errNoProject
	case resolve.FieldJobs:
		return usage("no job given", "give --job NAME with --ref REF, or --job-id ID")
	}
	return usage("no ref given", "give --ref with a branch or tag; the running pipeline's is the default in the own project only")
}

func conflictUsage(e *resolve.QueryError) error {
	switch {
	case slices.Contains(e.Fields, resolve.FieldRecent):
		return usage("--recent looks through the pipelines of a ref; "+fieldFlags[e.Fields[0]]+" names one", "leave one of them out")
	case slices.Contains(e.Fields, resolve.FieldJobs), slices.Contains(e.Fields, resolve.FieldRef):
		return usage("--job-id says which job alone", "leave out --ref and --job")
	}
	flags := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		flags[i] = fieldFlags[field]
	}
	return usage(strings.Join(flags, " and ")+" each say which job or pipeline", "give one of them")
}
