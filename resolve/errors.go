package resolve

import (
	"errors"
	"fmt"
	"strings"
)

// Reason says why a query finds nothing, for programs.
type Reason string

// The reasons.
const (
	ReasonProject    Reason = "project_not_found"
	ReasonNoPipeline Reason = "no_pipeline"
	ReasonNoSuccess  Reason = "no_successful_pipeline"
	ReasonNoJob      Reason = "job_not_found"
	ReasonState      Reason = "job_not_successful"
	ReasonRunning    Reason = "job_not_finished"
	ReasonNoArchive  Reason = "no_archive"
	ReasonReports    Reason = "only_reports"
	ReasonErased     Reason = "erased"
	ReasonExpired    Reason = "expired"
	ReasonLicence    Reason = "no_licence"
	ReasonToken      Reason = "token_refused"
	ReasonForbidden  Reason = "forbidden"
	ReasonClosed     Reason = "token_cannot_list"
)

// reasoner is an error with a Reason.
type reasoner interface {
	error
	Reason() Reason
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// NotFoundError reports a project, ref, pipeline or job that doesn't exist.
type NotFoundError struct {
	Query Query
	What  string // "project", "pipeline", "successful pipeline", "job", "job id"
	Job   string // the name that was not found
	Near  []string
	Seen  string // what was searched, if that wasn't everything
	Err   error  // the server's refusal, if it was one
	hint  string
	cut   bool // the list that was searched is incomplete or empty
}

// Error implements error.
func (e *NotFoundError) Error() string {
	project := "in project " + e.Query.Project
	if e.Seen != "" {
		project = e.Seen
	}
	switch e.What {
	case "project":
		return fmt.Sprintf("no project %s that this token can see%s", e.Query.Project, said(e.Err))
	case "job id":
		return fmt.Sprintf("no job %d in project %s%s", e.Query.JobID, e.Query.Project, said(e.Err))
	case "successful pipeline":
		return fmt.Sprintf("no successful pipeline of ref %q %s", e.Query.Ref, project)
	case "pipeline":
		return fmt.Sprintf("there is no such pipeline %s: %s%s", project, e.Query.where(), said(e.Err))
	}
	job := quoted(e.Query.Jobs)
	if e.Job != "" {
		job = fmt.Sprintf("job %q", e.Job)
	}
	return fmt.Sprintf("no %s with artifacts in %s %s%s%s", job, e.Query.where(), project, suggestion(e.Near), said(e.Err))
}

func suggestion(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return "; did you mean " + strings.Join(quoted, " or ") + "?"
}

// Reason is the error for programs.
func (e *NotFoundError) Reason() Reason {
	switch e.What {
	case "project":
		return ReasonProject
	case "pipeline":
		return ReasonNoPipeline
	case "successful pipeline":
		return ReasonNoSuccess
	}
	return ReasonNoJob
}

// Unwrap gives the server's refusal.
func (e *NotFoundError) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *NotFoundError) Hint() string {
	if mistake, _ := e.RefMistake(); mistake != RefFine {
		return "pipelines belong to branches and tags, and have their short names"
	}
	switch e.What {
	case "project":
		return e.hint
	case "successful pipeline":
		return "check the ref's spelling; a pipeline that is running, has failed or waits for a manual job doesn't count"
	case "pipeline", "job id":
		return "check the id, which is the number in the address, and the project"
	}
	return `check the job's full name ("test 1/3", "build: [linux, amd64]")`
}

// RefMistake returns what the query's ref seems to be, if it is not the name by which
// pipelines know a branch or tag, and that name, if it is another one.
func (e *NotFoundError) RefMistake() (mistake RefMistake, name string) {
	if e.What == "project" || e.What == "job id" || e.Query.Exact() && !e.Query.Latest {
		return RefFine, "" // the ref makes no difference
	}
	return refMistake(e.Query.Ref)
}
