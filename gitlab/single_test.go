package gitlab_test

import (
	"errors"
	"net/http"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

// Merge requests and default branches are read where GitLab has them; an answer without
// a number isn't a merge request.
func TestSingleThings(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"/gitlab/api/v4/projects/g%2Fp/merge_requests/7":                          `{"id": 900, "iid": 7, "state": "opened", "source_branch": "idea", "source_project_id": 8, "target_project_id": 1, "new_field": {}}`,
		"/gitlab/api/v4/projects/g%2Fp/merge_requests/8":                          `{}`,
		"/gitlab/api/v4/projects/g%2Fp":                                           `{"id": 1, "default_branch": "trunk"}`,
		"/gitlab/api/v4/projects/2":                                               `{"id": 2, "default_branch": null}`,
		"/gitlab/api/v4/projects/1/jobs/artifacts/release%2F2.x/download?job=a+b": "P",
	}
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.RequestURI()]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			body = `{"message": "404 Not found"}`
		case body == "P" && r.Header.Get("Range") == "bytes=0-0":
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write([]byte(body))
	})
	ctx := t.Context()
	if m, err := c.MergeRequest(ctx, "g/p", 7); err != nil || m.IID != 7 || m.SourceBranch != "idea" || m.SourceProjectID != 8 || m.TargetProjectID != 1 || m.State != "opened" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := c.MergeRequest(ctx, "g/p", 8); err == nil {
		t.Error("a merge request without a number")
	}
	if _, err := c.MergeRequest(ctx, "g/p", 9); !errors.Is(err, gitlab.ErrNotFound) {
		t.Error(err)
	}
	for project, want := range map[gitlab.Project]string{"g/p": "trunk", "2": ""} {
		if branch, err := c.DefaultBranch(ctx, project); err != nil || branch != want {
			t.Errorf("%s: %q, %v", project, branch, err)
		}
	}
	if err := c.RefArchiveExists(ctx, "1", "release/2.x", "a b"); err != nil {
		t.Error(err)
	}
	if err := c.RefArchiveExists(ctx, "1", "release/2.x", "c"); !errors.Is(err, gitlab.ErrNotFound) {
		t.Error(err)
	}
}
