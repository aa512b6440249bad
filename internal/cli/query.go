package cli

import (
	"strings"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/resolve"
)

// newQuery reads which job is meant. The ref of the running pipeline is a
// sensible default in the own project only.
func newQuery(c *cli.Context, cfg env.Config) (resolve.Query, error) {
	q := resolve.Query{Project: c.String("project"), Ref: c.String("ref"), Job: c.String("job"), JobID: c.Int64("job-id")}
	for _, flag := range []string{"project", "ref", "job"} {
		if ref, found := env.Unexpanded(c.String(flag)); found {
			return q, &usageError{"--" + flag + " holds the literal text " + ref + ": it was not expanded", "single quotes keep a shell from expanding"}
		}
		if c.IsSet(flag) && strings.TrimSpace(c.String(flag)) == "" {
			return q, &usageError{"--" + flag + " is empty", "give it a value, or leave it out"}
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

func checkQuery(c *cli.Context, q resolve.Query) error {
	switch {
	case q.Project == "":
		return &usageError{"no project: CI_PROJECT_ID is not set", "give --project with an id or a full path such as group/app"}
	case c.IsSet("job-id") && q.JobID <= 0:
		return &usageError{"--job-id must be a positive number", "it is the number in the job's address"}
	case c.IsSet("job-id") && (c.IsSet("job") || c.IsSet("ref")):
		return &usageError{"--job-id says which job alone", "leave out --ref and --job"}
	case q.JobID != 0:
		return nil
	case q.Job == "":
		return &usageError{"no job given", "give --job NAME with --ref REF, or --job-id ID"}
	case q.Ref == "":
		return &usageError{"no ref given", "give --ref with a branch or tag; the running pipeline's is the default in the own project only"}
	}
	return nil
}
