package gitlabtest

import (
	"net/http"
	"slices"
	"strings"
)

// The kinds of request, by what they are for. [Server.Counts] counts them.
const (
	AskedArchive       = "archive" // by job id
	AskedReport        = "report"  // by job id, with file_type
	AskedArchiveByRef  = "archive by ref"
	AskedFile          = "file" // of an archive, by job id
	AskedFileByRef     = "file by ref"
	AskedTree          = "tree"    // of an archive's files
	AskedRunner        = "runner"  // the runner's download route
	AskedUpload        = "upload"  // and its upload route
	AskedOwnJob        = "own job" // GET /job
	AskedOneJob        = "job"
	AskedLog           = "log"
	AskedAction        = "action" // what changes a job or its artifacts
	AskedProjectJobs   = "project jobs"
	AskedPipelineJobs  = "pipeline jobs"
	AskedBridges       = "bridges" // trigger_jobs too
	AskedPipelines     = "pipelines"
	AskedPipeline      = "pipeline" // latest too
	AskedProject       = "project"
	AskedMergeRequest  = "merge request"
	AskedMergePipeline = "merge request pipelines"
	AskedRepository    = "repository" // commits, branches, merge base
	AskedInstance      = "instance"   // metadata, version, user
	AskedStorage       = "storage"    // of the object storage
	AskedOther         = "other"
)

// kind tells what a request is for, whether or not it is answered as such.
func (s *Server) kind(r *http.Request, host string) string {
	if host == "storage" {
		return AskedStorage
	}
	below, ok := s.apiPath(r)
	if !ok {
		return AskedOther
	}
	parts := strings.Split(below, "/")
	switch {
	case parts[0] == "jobs" && len(parts) >= 3 && r.Method == http.MethodPost:
		return AskedUpload
	case parts[0] == "jobs" && len(parts) == 3:
		return AskedRunner
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return AskedAction
	case parts[0] == "job":
		return AskedOwnJob
	case parts[0] == "projects" && len(parts) == 2:
		return AskedProject
	case parts[0] == "projects" && len(parts) > 2:
		return kindBelow(r, parts[2], parts[3:])
	case slices.Contains([]string{"metadata", "version", "user"}, parts[0]):
		return AskedInstance
	}
	return AskedOther
}

// kindBelow is kind of what is below a project.
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
			return AskedPipelines
		case last == "jobs":
			return AskedPipelineJobs
		case last == "bridges" || last == "trigger_jobs":
			return AskedBridges
		}
		return AskedPipeline
	case "merge_requests":
		if last == "pipelines" {
			return AskedMergePipeline
		}
		return AskedMergeRequest
	case "repository":
		return AskedRepository
	}
	return AskedOther
}

func kindOfJob(r *http.Request, parts []string, last string) string {
	kind := r.URL.Query().Get("file_type")
	switch {
	case len(parts) == 0:
		return AskedProjectJobs
	case parts[0] == "artifacts" && last == "download":
		return AskedArchiveByRef
	case parts[0] == "artifacts":
		return AskedFileByRef
	case len(parts) == 1:
		return AskedOneJob
	case parts[1] == "trace":
		return AskedLog
	case len(parts) == 2 && kind != "" && kind != "archive":
		return AskedReport
	case len(parts) == 2:
		return AskedArchive
	case len(parts) == 3 && last == "tree":
		return AskedTree
	}
	return AskedFile
}

// Counts counts the requests since the start, or the last [Server.ResetRequests],
// by their kinds. Kinds that did not occur are absent.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, r := range s.log {
		counts[r.Kind]++
	}
	return counts
}

// Throttled counts the requests that were answered with 429, by their kinds.
func (s *Server) Throttled() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, r := range s.log {
		if r.Status == http.StatusTooManyRequests {
			counts[r.Kind]++
		}
	}
	return counts
}
