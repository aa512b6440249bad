package cli

import (
	"cmp"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/webaddress"
	"gitlab.com/artifetch/artifetch/resolve"
)

// projectOf is the project of a command that takes no query: an id, a path, a web
// address, or the job's own.
func projectOf(value string, cfg env.Config) (string, error) {
	q := resolve.Query{Project: value}
	err := projectIn(cfg, &q)
	return cmp.Or(q.Project, cfg.Project), err
}

// pipelineOf reads the project and the pipeline of a list of jobs. Without --project, the
// pipeline may be of another project than the job's own.
func pipelineOf(cfg env.Config, project, pipeline string, q *resolve.Query) error {
	q.Project = project
	for _, read := range []func(env.Config, *resolve.Query) error{projectIn, pipelineIn(pipeline)} {
		if err := read(cfg, q); err != nil {
			return err
		}
	}
	q.Project = cmp.Or(q.Project, cfg.Project)
	return nil
}

// oneJob reads a project and a job of it: a number or a web address, and empty for the
// job that runs.
func oneJob(cfg env.Config, project, value string) (path string, id int64, err error) {
	if path, err = projectOf(project, cfg); err != nil {
		return "", 0, err
	}
	switch {
	case value == "" && cfg.JobID == 0:
		return "", 0, usage("no job given", "give its ID: the number in the job's address, or the address")
	case value == "":
		id = cfg.JobID
	case webaddress.Is(value):
		w, err := webaddress.Parse(value, cfg.APIURL)
		if err == nil && w.JobID == 0 {
			err = usage("no job in "+value, "a job's address ends in /-/jobs/NUMBER")
		}
		if err != nil {
			return "", 0, err
		}
		if id = w.JobID; project == "" {
			path = w.Project
		}
	default:
		if id, err = webaddress.ID(value); err != nil {
			return "", 0, err
		}
	}
	if path == "" {
		return "", 0, failure.ErrNoProject
	}
	return path, id, nil
}
