package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/resolve"
)

// withQuery runs what a command does about a query.
func withQuery(c *cli.Context, do func(ctx context.Context, s *session, q resolve.Query) error) error {
	return withSession(c, func(ctx context.Context, s *session) error {
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
	if q.Ref == "" && own {
		q.Ref = cfg.Ref
	}
	return q, checkQuery(c, q)
}

func readProject(_ *cli.Context, cfg env.Config, q *resolve.Query) error {
	if !isWeb(q.Project) {
		q.Project = projectName(q.Project)
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

func checkQuery(c *cli.Context, q resolve.Query) error {
	named := slices.DeleteFunc([]string{"job-id", "pipeline", "sha", "mr"}, func(flag string) bool { return !c.IsSet(flag) })
	inRef := len(named) == 0 || q.Latest
	switch {
	case q.Project == "":
		return errNoProject
	case len(named) > 1:
		return &usageError{"--" + strings.Join(named, " and --") + " each say which job or pipeline", "give one of them"}
	case q.JobID != 0 && (c.IsSet("job") || c.IsSet("ref")):
		return &usageError{"--job-id says which job alone", "leave out --ref and --job"}
	case q.JobID != 0:
		return nil
	case len(q.Jobs) == 0:
		return &usageError{"no job given", "give --job NAME with --ref REF, or --job-id ID"}
	case c.IsSet("mr") && q.MergeRequest <= 0:
		return &usageError{"--mr must be a positive number", "it is the number behind the ! of the merge request"}
	case c.IsSet("sha") && !isSHA(q.SHA):
		return &usageError{"--sha must be a full commit SHA", "GitLab does not find pipelines by a short one: git rev-parse " + q.SHA}
	case len(named) > 0 && q.Recent:
		return &usageError{"--recent looks through the pipelines of a ref; --" + named[0] + " names one", "leave one of them out"}
	case c.IsSet("max-age") && !q.Recent:
		return &usageError{"--max-age bounds --recent, which is not given", "add --recent"}
	case inRef && q.Ref == "" && len(q.Jobs) > 0:
		return &usageError{"no ref given", "give --ref with a branch or tag; the running pipeline's is the default in the own project only"}
	}
	return nil
}

// isSHA reports whether text is a full SHA-1 or SHA-256.
func isSHA(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}
