package resolve

import "fmt"

// Query says which job is meant: by JobID alone, or by Ref and Job.
type Query struct {
	Project string // numeric id or full path
	JobID   int64
	Ref     string // as the pipeline carries it: a branch, a tag, refs/merge-requests/7/head
	Job     string // the job's full name, such as "test 1/3" or "build: [linux, amd64]"
}

// String describes the query to a person.
func (q Query) String() string {
	if q.JobID != 0 {
		return fmt.Sprintf("job %d of project %s", q.JobID, q.Project)
	}
	return fmt.Sprintf("job %q of %s in project %s", q.Job, q.Ref, q.Project)
}

// Method says how a job was found.
type Method string

// The rungs of the ladder.
const (
	ByID      Method = "job id"          // the user named the job
	ByListing Method = "listing"         // pipelines and jobs were listed
	ByRef     Method = "ref"             // the server chose; it does not say which job
	ByProject Method = "list of project" // pipelines are closed to the token; the project's list of jobs is open
)

// Artifact is the archive of one job.
type Artifact struct {
	Project    string
	Ref        string
	SHA        string // commit of the pipeline; empty if unknown
	PipelineID int64  // 0 if unknown
	JobID      int64  // 0 if unknown
	JobName    string // empty if unknown
	WebURL     string // the job's page; empty if unknown
	Size       int64  // of the archive in bytes; 0 if unknown
	URL        string // where the archive is
	Found      Method

	runner bool // URL is the runner's route, after which there is no other
}

// Label names the artifact to a person.
func (a Artifact) Label() string {
	switch {
	case a.JobName != "" && a.JobID != 0:
		return fmt.Sprintf("job %q (%d)", a.JobName, a.JobID)
	case a.JobName != "":
		return fmt.Sprintf("job %q", a.JobName)
	}
	return fmt.Sprintf("job %d", a.JobID)
}
