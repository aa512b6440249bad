package gitlabtest_test

import (
	"encoding/json"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestFineGrained follows the table of
// https://docs.gitlab.com/auth/tokens/fine_grained_access_tokens_rest/: a token with only
// the route's permission succeeds; one with every other permission fails.
func TestFineGrained(t *testing.T) {
	t.Parallel()
	type route struct{ method, path string }
	routes := map[string][]route{
		"Job: Read":   {{"GET", "projects/5/jobs"}, {"GET", "projects/5/jobs/5001"}, {"GET", "projects/5/jobs/5001/trace"}},
		"Job: Run":    {{"POST", "projects/5/jobs/5402/play"}, {"POST", "projects/5/jobs/5001/retry"}},
		"Job: Update": {{"POST", "projects/5/jobs/5701/cancel"}},
		"Job: Delete": {{"POST", "projects/5/jobs/5101/erase"}},
		"Job Artifact: Read": {
			{"GET", "projects/5/jobs/5002/artifacts"}, {"GET", "projects/5/jobs/5002/artifacts?file_type=junit"}, {"GET", "projects/5/jobs/5002/artifacts/tree"},
			{"GET", "projects/5/jobs/5002/artifacts/job.txt"}, {"GET", "projects/5/jobs/artifacts/main/download?job=build"}, {"GET", "projects/5/jobs/artifacts/main/raw/job.txt?job=build"},
		},
		"Job Artifact: Update": {{"POST", "projects/5/jobs/5002/artifacts/keep"}},
		"Job Artifact: Delete": {{"DELETE", "projects/5/jobs/5201/artifacts"}},
		"Artifact: Delete":     {{"DELETE", "projects/5/artifacts"}},
		"Pipeline: Read": {
			{"GET", "projects/5/pipelines"}, {"GET", "projects/5/pipelines/540"}, {"GET", "projects/5/pipelines/latest"}, {"GET", "projects/5/pipelines/540/jobs"},
			{"GET", "projects/5/pipelines/540/bridges"}, {"GET", "projects/5/pipelines/540/trigger_jobs"},
		},
		"Merge Request: Read": {{"GET", "projects/5/merge_requests/3"}, {"GET", "projects/5/merge_requests/3/pipelines"}},
		"Branch: Read":        {{"GET", "projects/5/repository/branches"}, {"GET", "projects/5/repository/branches/main"}},
		"Commit: Read":        {{"GET", "projects/5/repository/commits/main"}},
		"Repository: Read":    {{"GET", "projects/5/repository/merge_base?refs[]=main&refs[]=feature%2Fcart"}},
		"Project: Read":       {{"GET", "projects/group%2Fshop"}},
		"Metadata: Read":      {{"GET", "metadata"}, {"GET", "version"}},
		"User: Read":          {{"GET", "user"}},
		"":                    {{"GET", "job"}},
	}
	boundaries := map[string]string{"Metadata: Read": "instance", "User: Read": "user"}
	for permission, all := range routes {
		others := []string{}
		for other := range routes {
			if other != permission && other != "" {
				others = append(others, other)
			}
		}
		world := gitlabtest.Fixture()
		for value, permissions := range map[string][]string{"one": {permission}, "others": others} {
			world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: value, Kind: gitlabtest.KindPrivate, Roles: map[int64]string{5: "maintainer"}, Permissions: permissions})
		}
		s := gitlabtest.Start(world, gitlabtest.Options{})
		t.Cleanup(s.Close)
		boundary := "project"
		if other, ok := boundaries[permission]; ok {
			boundary = other
		}
		want := "Access denied: This operation requires a fine-grained personal access token with the following " + boundary + " permissions: [" + permission + "]."
		if permission == "" {
			want = "Access denied: This operation doesn't support fine-grained personal access tokens."
		}
		for _, r := range all {
			got := do(t, r.method, s.APIURL+"/"+r.path, "", "PRIVATE-TOKEN", "others")
			var refused struct {
				Error       string `json:"error"`
				Description string `json:"error_description"`
			}
			if err := json.Unmarshal([]byte(got.body), &refused); err != nil || got.status != 403 || refused.Error != "insufficient_granular_scope" || refused.Description != want {
				t.Errorf("%s with all but %q: %d %s, want %s", r.path, permission, got.status, got.body, want)
			}
			if got := do(t, r.method, s.APIURL+"/"+r.path, "", "PRIVATE-TOKEN", "one"); permission != "" && got.status >= 300 {
				t.Errorf("%s with %q: %d %s", r.path, permission, got.status, got.body)
			}
		}
	}
}
