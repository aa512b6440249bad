package resolve

import (
	"errors"
	"fmt"
	"strings"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Reason says for programs why a query finds nothing.
type Reason string

// The reasons.
const (
	ReasonProject    Reason = "project_not_found"
	ReasonNoPipeline Reason = "no_pipeline"
	ReasonNoRequest  Reason = "merge_request_not_found"
	ReasonNoDefault  Reason = "no_default_branch"
	ReasonNoSuccess  Reason = "no_successful_pipeline"
	ReasonNoJob      Reason = "job_not_found"
	ReasonState      Reason = "job_not_successful"
	ReasonRunning    Reason = "job_not_finished"
	ReasonNoArchive  Reason = "no_archive"
	ReasonReports    Reason = "only_reports"
	ReasonNoReport   Reason = "no_report"
	ReasonErased     Reason = "erased"
	ReasonExpired    Reason = "expired"
	ReasonLicence    Reason = "no_licence"
	ReasonToken      Reason = "token_refused"
	ReasonForbidden  Reason = "forbidden"
	ReasonClosed     Reason = "token_cannot_list"
	ReasonStorage    Reason = "storage_failed"
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
	What  string // "project", "merge request", "pipeline", "successful pipeline", "job", "job id"
	Job   string // the missing name
	Near  []string
	Seen  string // what was searched, if not everything
	Err   error  // the server's refusal, if it was one
	// MergeRequest is the one without pipelines, if the token can see it.
	MergeRequest *gitlab.MergeRequest
	Unseen       bool // the token can't see whether the merge request exists
	// Pipeline is the one that was searched, with its children; 0 if unknown.
	Pipeline int64
	Names    []string // of the jobs there

	hint string
	cut  bool // the searched list is incomplete or empty
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
	case "merge request":
		return fmt.Sprintf("no merge request !%d in project %s%s", e.Query.MergeRequest, e.Query.Project, said(e.Err))
	case "job id":
		return fmt.Sprintf("no job %d in project %s%s", e.Query.JobID, e.Query.Project, said(e.Err))
	case "successful pipeline":
		return fmt.Sprintf("no successful pipeline of ref %q%s %s", e.Query.Ref, e.Query.which(), project)
	case "pipeline":
		return e.noPipeline(project) + said(e.Err)
	}
	return e.noJob(project) + said(e.Err)
}

// noJob describes the jobs that weren't found, and where.
func (e *NotFoundError) noJob(project string) string {
	job := quoted(e.Query.Jobs)
	if e.Job != "" {
		job = fmt.Sprintf("job %q", e.Job)
	}
	with := " with artifacts"
	if e.Query.Bare {
		with = ""
	}
	switch several := e.Job == "" && len(e.Query.Jobs) > 1; {
	case several && e.Query.good():
		job, with = job+" that have succeeded", with+" together"
	case several && e.Query.several():
		with += " together"
	case e.Query.good():
		job += " that has succeeded"
	}
	return fmt.Sprintf("no %s%s in %s %s%s", job, with, e.Query.where(), project, suggestion(e.Near))
}

func (e *NotFoundError) noPipeline(where string) string {
	switch {
	case e.MergeRequest != nil:
		return fmt.Sprintf("merge request !%d (%s) has no pipelines of its own%s %s", e.Query.MergeRequest, e.MergeRequest.State, e.Query.which(), where)
	case e.Unseen:
		return fmt.Sprintf("no pipeline of merge request !%d%s %s, and this token cannot see whether the merge request exists", e.Query.MergeRequest, e.Query.which(), where)
	}
	switch q := e.Query; {
	case q.AnyPipeline:
		return fmt.Sprintf("no pipeline of ref %q%s %s", q.Ref, q.which(), where)
	case q.Base != "":
		return fmt.Sprintf("no pipeline of commit %s%s %s, nor of its first parents", q.Base, q.which(), where)
	}
	return fmt.Sprintf("there is no such pipeline %s: %s", where, e.Query.where())
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

// Reason classifies the error for programs.
func (e *NotFoundError) Reason() Reason {
	switch e.What {
	case "project":
		return ReasonProject
	case "merge request":
		return ReasonNoRequest
	case "pipeline":
		return ReasonNoPipeline
	case "successful pipeline":
		return ReasonNoSuccess
	}
	return ReasonNoJob
}

// Unwrap returns the server's refusal.
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
	case "merge request":
		return "check the number, which is the one after the !, and the project"
	case "pipeline", "job id":
		if e.MergeRequest != nil {
			return fmt.Sprintf("its source branch %q may have pipelines: ask for those", e.MergeRequest.SourceBranch)
		}
		if e.Unseen {
			return "check the number, which is the one after the !; job tokens read merge requests since about GitLab 18.4"
		}
		return "check the id, which is the number in the address, and the project"
	}
	return `check the job's full name ("test 1/3", "build: [linux, amd64]")`
}

// RefMistake returns what the query's ref seems to be, if it isn't a branch's or tag's
// name in the form that pipelines use, and the right name, if it differs.
func (e *NotFoundError) RefMistake() (mistake RefMistake, name string) {
	if e.What == "project" || e.What == "job id" || e.What == "merge request" || !e.Query.ofRef() {
		return RefFine, "" // the ref makes no difference
	}
	return refMistake(e.Query.Ref)
}
