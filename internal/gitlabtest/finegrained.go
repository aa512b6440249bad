package gitlabtest

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// resources are what the kinds of request read.
// https://docs.gitlab.com/auth/tokens/fine_grained_access_tokens_rest/
var resources = map[string][]string{
	"Job":           {AskedOneJob, AskedLog, AskedProjectJobs},
	"Job Artifact":  {AskedArchive, AskedReport, AskedArchiveByRef, AskedFile, AskedFileByRef, AskedTree},
	"Pipeline":      {AskedPipeline, AskedPipelines, AskedPipelineJobs, AskedBridges},
	"Merge Request": {AskedMergeRequest, AskedMergePipeline},
	"Project":       {AskedProject},
}

// fineGrained is the permission that a route asks of fine-grained personal access
// tokens, such as "Job Artifact: Read", and its boundary. Where they are not taken,
// it is empty.
func (s *Server) fineGrained(r *http.Request) (boundary, permission string) {
	below, _ := s.apiPath(r) // a route was found, so there is one
	kind := s.kind(r, "gitlab")
	switch {
	case kind == AskedAction:
		return "project", changing(below)
	case kind == AskedInstance && path.Base(below) == "user":
		return "user", "User: Read"
	case kind == AskedInstance:
		return "instance", "Metadata: Read"
	case kind == AskedRepository:
		_, room, _ := strings.Cut(below, "/repository/")
		room, _, _ = strings.Cut(room, "/")
		return "project", map[string]string{"branches": "Branch: Read", "commits": "Commit: Read", "merge_base": "Repository: Read"}[room]
	}
	for resource, kinds := range resources {
		if slices.Contains(kinds, kind) {
			return "project", resource + ": Read"
		}
	}
	return "", ""
}

// notGranted is how a fine-grained token is refused
// (app/services/authz/tokens/authorize_granular_scopes_service.rb). A route without
// a permission takes none of them.
func notGranted(w http.ResponseWriter, boundary, permission string) {
	reason := "This operation doesn't support fine-grained personal access tokens."
	if permission != "" {
		reason = "This operation requires a fine-grained personal access token with the following " + boundary + " permissions: [" + permission + "]."
	}
	respond(w, http.StatusForbidden, map[string]string{"error": "insufficient_granular_scope", "error_description": "Access denied: " + reason})
}

// changing is the permission of what changes something.
func changing(below string) string {
	last := path.Base(below)
	switch {
	case last == "keep":
		return "Job Artifact: Update"
	case last == "artifacts" && strings.Contains(below, "/jobs/"):
		return "Job Artifact: Delete"
	case last == "artifacts":
		return "Artifact: Delete"
	case last == "erase":
		return "Job: Delete"
	case last == "play" || last == "retry":
		return "Job: Run"
	}
	return "Job: Update" // cancel
}
