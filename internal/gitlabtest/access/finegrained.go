package access

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest/answer"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/asked"
)

// resources lists the kinds of request that read each resource.
// https://docs.gitlab.com/auth/tokens/fine_grained_access_tokens_rest/
var resources = map[string][]string{
	"Job":           {asked.OneJob, asked.Log, asked.ProjectJobs},
	"Job Artifact":  {asked.Archive, asked.Report, asked.ArchiveByRef, asked.File, asked.FileByRef, asked.Tree},
	"Pipeline":      {asked.Pipeline, asked.Pipelines, asked.PipelineJobs, asked.Bridges},
	"Merge Request": {asked.MergeRequest, asked.MergePipeline},
	"Project":       {asked.Project},
}

// AnyToken is the permission for what every token may do.
const AnyToken = "any"

// FineGrained returns the permission that a fine-grained personal access token needs
// for a kind of request, such as "Job Artifact: Read", and its boundary. Both are empty
// if the route doesn't accept these tokens. below is the path below the API's root.
func FineGrained(kind, below string) (boundary, permission string) {
	switch {
	case kind == asked.Action:
		return "project", changing(below)
	case kind == asked.Instance && path.Base(below) == "user":
		return "user", "User: Read"
	case kind == asked.Instance && path.Base(below) == "projects":
		return "user", "Project: Read"
	case kind == asked.Instance && path.Base(below) == "self":
		return "", AnyToken
	case kind == asked.Instance:
		return "instance", "Metadata: Read"
	case kind == asked.Repository:
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

// NotGranted refuses a fine-grained token
// (app/services/authz/tokens/authorize_granular_scopes_service.rb).
func NotGranted(w http.ResponseWriter, boundary, permission string) {
	reason := "This operation doesn't support fine-grained personal access tokens."
	if permission != "" {
		reason = "This operation requires a fine-grained personal access token with the following " + boundary + " permissions: [" + permission + "]."
	}
	answer.Respond(w, http.StatusForbidden, map[string]string{"error": "insufficient_granular_scope", "error_description": "Access denied: " + reason})
}

// changing returns the permission for a request that changes something.
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
