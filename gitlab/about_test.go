package gitlab_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
)

const aCommit = "0123456789abcdef0123456789abcdef01234567"

// calls are the requests whose answer says what it is about; each is about project 7, job 5,
// pipeline 9, merge request 3 or a commit.
func calls(t *testing.T) map[string]func(*gitlab.Client, gitlab.Project) error {
	ctx, none := t.Context(), gitlab.JobsOptions{}
	drop := func(_ gitlab.Job, err error) error { return err }
	return map[string]func(*gitlab.Client, gitlab.Project) error{
		"job":           func(c *gitlab.Client, p gitlab.Project) error { return drop(c.Job(ctx, p, 5)) },
		"keep":          func(c *gitlab.Client, p gitlab.Project) error { return drop(c.KeepArtifacts(ctx, p, 5)) },
		"cancel":        func(c *gitlab.Client, p gitlab.Project) error { return drop(c.CancelJob(ctx, p, 5, false)) },
		"force":         func(c *gitlab.Client, p gitlab.Project) error { return drop(c.CancelJob(ctx, p, 5, true)) },
		"erase":         func(c *gitlab.Client, p gitlab.Project) error { return drop(c.EraseJob(ctx, p, 5)) },
		"play":          func(c *gitlab.Client, p gitlab.Project) error { return drop(c.PlayJob(ctx, p, 5, nil, nil)) },
		"retry":         func(c *gitlab.Client, p gitlab.Project) error { return drop(c.RetryJob(ctx, p, 5, nil)) },
		"pipeline":      func(c *gitlab.Client, p gitlab.Project) error { _, err := c.Pipeline(ctx, p, 9); return err },
		"merge request": func(c *gitlab.Client, p gitlab.Project) error { _, err := c.MergeRequest(ctx, p, 3); return err },
		"commit":        func(c *gitlab.Client, p gitlab.Project) error { _, err := c.Commit(ctx, p, aCommit); return err },
		"project":       func(c *gitlab.Client, p gitlab.Project) error { _, err := c.DefaultBranch(ctx, p); return err },
		"project jobs":  func(c *gitlab.Client, p gitlab.Project) error { return lastOf(c.ProjectJobs(ctx, p, none)) },
		"pipeline jobs": func(c *gitlab.Client, p gitlab.Project) error { return lastOf(c.PipelineJobs(ctx, p, 9, none)) },
		"bridges":       func(c *gitlab.Client, p gitlab.Project) error { return lastOf(c.Bridges(ctx, p, 9, false)) },
		"pipelines": func(c *gitlab.Client, p gitlab.Project) error {
			return lastOf(c.Pipelines(ctx, p, gitlab.PipelinesOptions{}))
		},
	}
}

// An answer about another job, pipeline, project, merge request or commit than the request
// names is an error, however the project is named. A missing field isn't an error.
func TestAnswersAboutOtherThings(t *testing.T) {
	t.Parallel()
	tests := []struct{ calls, body, about string }{
		{"job,keep,cancel,force,erase,play,retry", `{"id": 5, "pipeline": {"id": 9, "project_id": 7}}`, ""},
		{"job,keep,cancel,force,erase,play,retry", `{"id": 5}`, ""},
		{"job,keep,cancel,force,erase,play", `{"id": 6, "pipeline": {"id": 9, "project_id": 7}}`, "about job 6, and job 5"},
		{"job,keep,cancel,force,erase,play,retry", `{"id": 5, "pipeline": {"id": 9, "project_id": 8}}`, "about project 8, and project 7"},
		{"retry", `{"id": 6, "pipeline": {"id": 9, "project_id": 7}}`, ""}, // a new job
		{"pipeline", `{"id": 9, "project_id": 7}`, ""},
		{"pipeline", `{"id": 8, "project_id": 7}`, "about pipeline 8, and pipeline 9"},
		{"pipeline", `{"id": 9, "project_id": 8}`, "about project 8"},
		{"merge request", `{"iid": 3, "source_project_id": 8, "target_project_id": 7}`, ""},
		{"merge request", `{"iid": 4, "target_project_id": 7}`, "about merge request 4, and merge request 3"},
		{"merge request", `{"iid": 3, "source_project_id": 7, "target_project_id": 8}`, "about project 8"},
		{"commit", `{"id": "` + aCommit + `", "parent_ids": ["` + strings.Repeat("a", 64) + `"]}`, ""},
		{"commit", `{"id": "` + strings.Repeat("a", 40) + `"}`, "about commit aaa"},
		{"commit", `{"id": "` + aCommit + `", "parent_ids": ["` + aCommit + `", "../../user?x="]}`, "an ID that can't be"},
		{"commit", `{"id": "` + aCommit + `", "parent_ids": ["` + aCommit[1:] + `"]}`, "an ID that can't be"},
		{"project", `{"id": 7, "default_branch": "main"}`, ""},
		{"project", `{"id": 8, "default_branch": "main"}`, "about project 8"},
		{"project jobs", `[{"id": 5, "pipeline": {"id": 8, "project_id": 7}}, {"id": 4, "pipeline": {"id": 9}}]`, ""},
		{"project jobs,pipeline jobs,bridges", `[{"id": 5, "pipeline": {"id": 9, "project_id": 7}}, {"id": 4, "pipeline": {"id": 9, "project_id": 8}}]`, "about project 8"},
		{"pipeline jobs,bridges", `[{"id": 5, "pipeline": {"id": 9, "project_id": 7}}, {"id": 4}]`, ""},
		{"pipeline jobs,bridges", `[{"id": 5, "pipeline": {"id": 9}}, {"id": 4, "pipeline": {"id": 8}}]`, "about pipeline 8, and pipeline 9"},
		{"bridges", `[{"id": 5, "pipeline": {"id": 9, "project_id": 7}, "downstream_pipeline": {"id": 1, "project_id": 8}}]`, ""},
		{"pipelines", `[{"id": 5, "project_id": 7}, {"id": 4}]`, ""},
		{"pipelines", `[{"id": 5, "project_id": 7}, {"id": 4, "project_id": 8}]`, "about project 8"},
	}
	for _, tt := range tests {
		for name := range strings.SplitSeq(tt.calls, ",") {
			for project, known := range map[gitlab.Project]string{"7": "", "g/p": `{"id": 7}`} {
				body := known // of the path's first answer
				server := &counted{answers: func(*http.Request, int) (http.Header, string) { return http.Header{}, body }}
				c := gitlab.New(&url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}, &http.Client{Transport: server}, nil)
				_, _ = c.DefaultBranch(t.Context(), "G/p")
				body = tt.body
				err := calls(t)[name](c, project)
				refusal, refused := errors.AsType[*gitlab.Error](err)
				if refused != (tt.about != "") || refused && (refusal.StatusCode != http.StatusOK || !strings.Contains(strings.ReplaceAll(refusal.Message, "g/p", "7"), tt.about)) {
					t.Errorf("%s of %s: %s: %v, want %q", name, project, tt.body, err, tt.about)
				}
			}
		}
	}
}

// GitLab lists the pipelines of a branch's merge requests with those of the branch; they
// are left out, and the list of a ref ends where there is nothing else.
func TestPipelinesOfARef(t *testing.T) {
	t.Parallel()
	page := func(refs ...string) string {
		var rows []string
		for _, ref := range refs {
			rows = append(rows, fmt.Sprintf(`{"id": %d, "ref": %q}`, 90000-next.Add(1), ref))
		}
		return "[" + strings.Join(rows, ",") + "]"
	}
	for name, tt := range map[string]struct {
		ref         string
		pages       []string
		rows, asked int
	}{
		"of a branch":           {"a", []string{page("refs/merge-requests/1/head", "a"), page("b", "a", "A", "")}, 2, 2},
		"of any":                {"", []string{page("refs/merge-requests/1/head", "a"), page("b", "")}, 4, 2},
		"of others without end": {"a", []string{page("a"), page(slices.Repeat([]string{"b"}, 999)...), page("a"), page(slices.Repeat([]string{"b"}, 1000)...), page("a")}, 2, 4},
	} {
		server := &counted{answers: func(_ *http.Request, asked int) (http.Header, string) {
			return http.Header{"X-Next-Page": {strings.TrimSuffix(fmt.Sprint(asked+1), fmt.Sprint(len(tt.pages)+1))}}, tt.pages[asked-1]
		}}
		c := gitlab.New(&url.URL{Scheme: "http", Host: "gitlab.example.com", Path: "/api/v4"}, &http.Client{Transport: server}, nil)
		rows := 0
		for _, err := range c.Pipelines(t.Context(), "7", gitlab.PipelinesOptions{Ref: tt.ref}) {
			if rows++; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if rows != tt.rows || server.asked != tt.asked {
			t.Errorf("%s: %d rows in %d requests", name, rows, server.asked)
		}
	}
}

var next atomic.Int64 // number of a pipeline
