// Package asked tells what requests are for: an archive, a job, a list of pipelines.
package asked

import (
	"net/http"
	"slices"
	"strings"
)

// The kinds of request. The server's Counts counts them.
const (
	Archive       = "archive" // by job id
	Report        = "report"  // by job id, with file_type
	ArchiveByRef  = "archive by ref"
	File          = "file" // of an archive, by job id
	FileByRef     = "file by ref"
	Tree          = "tree"    // of an archive's files
	Runner        = "runner"  // the runner's download route
	Upload        = "upload"  // the runner's upload route
	OwnJob        = "own job" // GET /job
	OneJob        = "job"
	Log           = "log"
	Action        = "action" // a change of a job or its artifacts
	ProjectJobs   = "project jobs"
	PipelineJobs  = "pipeline jobs"
	Bridges       = "bridges" // trigger_jobs too
	Pipelines     = "pipelines"
	Pipeline      = "pipeline" // latest too
	Project       = "project"
	MergeRequest  = "merge request"
	MergePipeline = "merge request pipelines"
	Repository    = "repository" // commits, branches, merge base
	Instance      = "instance"   // metadata, version, user, projects, the token itself
	Storage       = "storage"    // of the object storage
	Other         = "other"
)

// Kind returns the kind of a request, even if it fails. below is the path below the
// API's root.
func Kind(r *http.Request, below string) string {
	parts := strings.Split(below, "/")
	switch {
	case parts[0] == "jobs" && len(parts) >= 3 && r.Method == http.MethodPost:
		return Upload
	case parts[0] == "jobs" && len(parts) == 3:
		return Runner
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return Action
	case parts[0] == "job":
		return OwnJob
	case parts[0] == "projects" && len(parts) == 2:
		return Project
	case parts[0] == "projects" && len(parts) > 2:
		return kindBelow(r, parts[2], parts[3:])
	case len(parts) == 1 && parts[0] == "projects", slices.Contains([]string{"metadata", "version", "user", "personal_access_tokens"}, parts[0]):
		return Instance
	}
	return Other
}

// kindBelow returns the kind of a request below a project.
func kindBelow(r *http.Request, room string, parts []string) string {
	last := ""
	if len(parts) > 0 {
		last = parts[len(parts)-1]
	}
	switch room {
	case "jobs":
		return kindOfJob(r, parts, last)
	case "pipelines":
		switch {
		case len(parts) == 0:
			return Pipelines
		case last == "jobs":
			return PipelineJobs
		case last == "bridges" || last == "trigger_jobs":
			return Bridges
		}
		return Pipeline
	case "merge_requests":
		if last == "pipelines" {
			return MergePipeline
		}
		return MergeRequest
	case "repository":
		return Repository
	}
	return Other
}

func kindOfJob(r *http.Request, parts []string, last string) string {
	kind := r.URL.Query().Get("file_type")
	switch {
	case len(parts) == 0:
		return ProjectJobs
	case parts[0] == "artifacts" && last == "download":
		return ArchiveByRef
	case parts[0] == "artifacts":
		return FileByRef
	case len(parts) == 1:
		return OneJob
	case parts[1] == "trace":
		return Log
	case len(parts) == 2 && kind != "" && kind != "archive":
		return Report
	case len(parts) == 2:
		return Archive
	case len(parts) == 3 && last == "tree":
		return Tree
	}
	return File
}
