package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/resolve"
)

// withQuery runs what a command does about a query.
func withQuery(c *cli.Context, con *console.Console, do func(ctx context.Context, s *session, q resolve.Query) error) error {
	return withSession(c, con, func(ctx context.Context, s *session) error {
		q, err := newQuery(c, s.cfg)
		if err != nil {
			return err
		}
		return do(ctx, s, q)
	})
}

// newQuery reads which jobs are meant. The ref of the running pipeline is a
// sensible default in the own project only.
func newQuery(c *cli.Context, cfg env.Config) (resolve.Query, error) {
	q := resolve.Query{
		Project: c.String("project"), Ref: c.String("ref"), Jobs: c.StringSlice("job"), SHA: strings.ToLower(c.String("sha")), MergeRequest: c.Int64("mr"),
		Recent: c.Bool("recent"), MaxAge: c.Duration("max-age"), AnyStatus: c.Bool("any-status"), Downstream: c.Bool("downstream"),
	}
	for _, read := range []func(*cli.Context, env.Config, *resolve.Query) error{readProject, readJobID, readPipeline} {
		if err := read(c, cfg, &q); err != nil {
			return q, err
		}
	}
	own := q.Project == "" || q.Project == cfg.Project || q.Project == cfg.ProjectPath
	if q.Project == "" {
		q.Project = cfg.Project
	}
	asked := q
	if q.Ref == "" && own {
		q.Ref = cfg.Ref
	}
	if asked.JobID == 0 { // beside a job's id, a default isn't a second way to say which job
		asked = q
	}
	if c.IsSet("mr") && q.MergeRequest == 0 { // in a query, that means none
		return q, errMergeRequest
	}
	return q, queryUsage(q, asked.Validate())
}

func readProject(_ *cli.Context, cfg env.Config, q *resolve.Query) error {
	if !isWeb(q.Project) {
		q.Project = resolve.ProjectName(q.Project)
		return nil
	}
	w, err := parseWeb(q.Project, cfg.APIURL)
	q.Project = w.project
	return err
}

// readJobID reads a number, or the address of a job, or of its artifacts.
func readJobID(c *cli.Context, cfg env.Config, q *resolve.Query) error {
	value := c.String("job-id")
	switch {
	case value == "":
		return nil
	case !isWeb(value):
		if err := number(value, &q.JobID); err != nil {
			return &usageError{"--job-id must be a positive number, or the address of a job", "it is the number in the job's address"}
		}
		return nil
	}
	w, err := parseWeb(value, cfg.APIURL)
	if err == nil && w.jobID == 0 && w.job == "" {
		err = &usageError{"--job-id: no job in " + value, "a job's address ends in /-/jobs/NUMBER"}
	}
	if q.Project == "" {
		q.Project = w.project
	}
	q.JobID = w.jobID
	if w.job != "" {
		q.Ref, q.Jobs = w.ref, []string{w.job}
		for _, flag := range []string{"pipeline", "sha", "mr"} {
			if err == nil && c.IsSet(flag) {
				err = &usageError{"--job-id and --" + flag + " each say which job or pipeline", "give one of them"}
			}
		}
	}
	return err
}

// readPipeline reads a number, an address, "current" or "latest".
func readPipeline(c *cli.Context, cfg env.Config, q *resolve.Query) error {
	switch value := c.String("pipeline"); {
	case value == "":
		return nil
	case value == "latest":
		q.Latest = true
		return nil
	case value == "current":
		if q.PipelineID = cfg.PipelineID; q.PipelineID == 0 {
			return &usageError{"--pipeline current: CI_PIPELINE_ID is not set", "it is the running job's pipeline; elsewhere give its number"}
		}
		return nil
	case isWeb(value):
		w, err := parseWeb(value, cfg.APIURL)
		if err == nil && w.pipelineID == 0 {
			err = &usageError{"--pipeline: no pipeline in " + value, "a pipeline's address ends in /-/pipelines/NUMBER"}
		}
		if q.Project == "" {
			q.Project = w.project
		}
		q.PipelineID = w.pipelineID
		return err
	default:
		if err := number(value, &q.PipelineID); err != nil {
			return &usageError{"--pipeline is none of a number, an address, current, latest", "a pipeline's number stands in its address"}
		}
		return nil
	}
}

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
		return &usageError{"--max-age bounds --recent, which is not given", "add --recent"}
	}
	if first == resolve.FieldSHA {
		return &usageError{"--sha must be a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse " + q.SHA}
	}
	return errMergeRequest
}

var errMergeRequest = &usageError{"--mr must be a positive number", "it is the number behind the ! of the merge request"}

func missingUsage(field resolve.Field) error {
	switch field {
	case resolve.FieldProject:
		return errNoProject
	case resolve.FieldJobs:
		return &usageError{"no job given", "give --job NAME with --ref REF, or --job-id ID"}
	}
	return &usageError{"no ref given", "give --ref with a branch or tag; the running pipeline's is the default in the own project only"}
}

func conflictUsage(e *resolve.QueryError) error {
	switch {
	case slices.Contains(e.Fields, resolve.FieldRecent):
		return &usageError{"--recent looks through the pipelines of a ref; " + fieldFlags[e.Fields[0]] + " names one", "leave one of them out"}
	case slices.Contains(e.Fields, resolve.FieldJobs), slices.Contains(e.Fields, resolve.FieldRef):
		return &usageError{"--job-id says which job alone", "leave out --ref and --job"}
	}
	flags := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		flags[i] = fieldFlags[field]
	}
	return &usageError{strings.Join(flags, " and ") + " each say which job or pipeline", "give one of them"}
}
