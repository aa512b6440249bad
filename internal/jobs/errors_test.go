package jobs

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// answering is a client of a server that gives one answer. The server counts.
func answering(t *testing.T, status int, body string) (*Client, *int) {
	t.Helper()
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	api, err := url.Parse(s.URL + "/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	return &Client{API: gitlab.New(api, s.Client(), s.Client())}, &asked
}

// hintOf is the hint of an error's type, and the name of that.
func hintOf(err error) (kind, hint string) {
	switch e := err.(type) { //nolint:errorlint // the error itself is wanted, not what it wraps
	case *RefusedError:
		return "refused", e.Hint()
	case *UnsureError:
		return "unsure", e.Hint()
	case *resolve.NotFoundError:
		return "not found: " + e.What, ""
	case *gitlab.Error:
		return "gitlab", e.Hint()
	case nil:
		return "done", ""
	}
	return err.Error(), ""
}

// A refusal says what the token, the job or the address lacks; an answer that may have
// come too late says that it is not known what was done. No action is made twice.
func TestActionsExplainRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		status     int
		kind, hint string
	}{
		{"done", `{"id":5}`, 201, "done", ""},
		{"no role", `{"message":"403 Forbidden"}`, 403, "refused", "the role Developer in project g/p"},
		{"no token", `{"message":"401 Unauthorized"}`, 401, "refused", "it needs the scope api"},
		{"moved", `{"message":"405 Method Not Allowed"}`, 405, "refused", "its new path"},
		{"no project", `{"message":"404 Project Not Found"}`, 404, "not found: project", ""},
		{"no job", `{"message":"404 Not Found"}`, 404, "not found: job id", ""},
		{"too late", `{"message":"Unplayable Job"}`, 400, "refused", "manual or scheduled"},
		{"a server in between", `bad gateway`, 502, "unsure", "did not retry"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, asked := answering(t, tt.status, tt.body)
			_, err := c.Play(t.Context(), "g/p", 5, nil, nil)
			kind, hint := hintOf(err)
			if kind != tt.kind || !strings.Contains(hint, tt.hint) {
				t.Errorf("%s: %q; want %s: %q", kind, hint, tt.kind, tt.hint)
			}
			if *asked != 1 {
				t.Errorf("%d requests", *asked)
			}
		})
	}
}

// GitLab answers 201 to the cancellation of a job that has finished, and shows it as it is.
// The answer of another job, too, isn't what was asked for.
func TestNotCanceled(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{"canceled": true, "canceling": true, "": true, "success": false, "failed": false, "skipped": false, "running": false} {
		c, _ := answering(t, 201, fmt.Sprintf(`{"id": 5, "name": "build", "status": %q}`, status))
		_, err := c.Cancel(t.Context(), "g/p", 5, false)
		left, not := errors.AsType[*NotCanceledError](err)
		if not == want || !want && (left.Job.Status != status || !strings.Contains(err.Error(), `"build" (5) was not canceled`)) {
			t.Errorf("%s: %v", status, err)
		}
	}
	c, _ := answering(t, 201, `{"id": 6, "status": "canceled"}`)
	if _, err := c.Cancel(t.Context(), "g/p", 5, false); err == nil || !strings.Contains(err.Error(), "the answer is about job 6, and job 5 was asked for") {
		t.Errorf("another job: %v", err)
	}
}

// A job token may be that of another job than CI_JOB_ID says, which then isn't the one that
// is shown.
func TestOwnJob(t *testing.T) {
	t.Parallel()
	for own, want := range map[string]bool{`{"id": 5}`: true, `{"id": 6}`: false} {
		c, asked := answering(t, 200, own)
		c.JobToken, c.OwnJob = true, 5
		job, err := c.Job(t.Context(), "g/p", 5)
		_, refused := errors.AsType[*TokenError](err)
		if refused == want || want && job.ID != 5 || *asked != 1 {
			t.Errorf("%s: %d, %v after %d requests", own, job.ID, err, *asked)
		}
	}
}

// Who may do it depends on the action.
func TestRoles(t *testing.T) {
	t.Parallel()
	artifact := resolve.Artifact{Project: "g/p", JobID: 5}
	for name, tt := range map[string]struct {
		do   func(*Client) error
		role string
	}{
		"cancel": {func(c *Client) error { _, err := c.Cancel(t.Context(), "g/p", 5, false); return err }, "Developer"},
		"retry":  {func(c *Client) error { _, err := c.Retry(t.Context(), "g/p", 5, nil); return err }, "Developer"},
		"erase":  {func(c *Client) error { _, err := c.Erase(t.Context(), "g/p", 5); return err }, "Maintainer, or Developer for jobs of one's own"},
		"keep":   {func(c *Client) error { _, err := c.Keep(t.Context(), artifact); return err }, "Developer"},
		"delete": {func(c *Client) error { return c.DeleteArtifacts(t.Context(), "g/p", 5) }, "Maintainer"},
		"all":    {func(c *Client) error { return c.DeleteAllArtifacts(t.Context(), "g/p") }, "Maintainer"},
		"show":   {func(c *Client) error { _, err := c.Job(t.Context(), "g/p", 5); return err }, "Reporter"},
		"log":    {func(c *Client) error { return c.Log(t.Context(), "g/p", 5, false, nil) }, "Reporter"},
	} {
		c, _ := answering(t, 403, `{"message":"403 Forbidden"}`)
		if kind, hint := hintOf(tt.do(c)); kind != "refused" || !strings.Contains(hint, "the role "+tt.role) {
			t.Errorf("%s: %s %q, want the role %s", name, kind, hint, tt.role)
		}
		c, asked := answering(t, 403, "")
		c.JobToken = true
		if _, is := errors.AsType[*TokenError](tt.do(c)); !is || *asked != 0 {
			t.Errorf("%s by the token of a job: %d requests", name, *asked)
		}
	}
}

// Of a job without an archive, GitLab answers 404 and shows the job as Ruby does.
func TestNothingToKeep(t *testing.T) {
	t.Parallel()
	c, _ := answering(t, 404, `{"message":"404 #<Ci::Build:0x0> Not Found"}`)
	_, err := c.Keep(t.Context(), resolve.Artifact{Project: "g/p", JobID: 5})
	if _, is := errors.AsType[*resolve.NoArchiveError](err); !is {
		t.Errorf("%v", err)
	}
}

// A list that is refused says why.
func TestListRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body   string
		status int
		query  resolve.Query
		kind   string
	}{
		{`{"message":"401 Unauthorized"}`, 401, resolve.Query{Project: "g/p"}, "refused"},
		{`{"message":"404 Project Not Found"}`, 404, resolve.Query{Project: "g/p"}, "not found: project"},
		{`{"message":"404 Not found"}`, 404, resolve.Query{Project: "g/p", PipelineID: 7}, "not found: pipeline"},
		{`{"message":"500"}`, 500, resolve.Query{Project: "g/p"}, "gitlab"},
	} {
		c, _ := answering(t, tt.status, tt.body)
		for _, err := range c.List(t.Context(), Query{Query: tt.query}) {
			if kind, _ := hintOf(err); kind != tt.kind {
				t.Errorf("%d %s: %s, want %s", tt.status, tt.body, kind, tt.kind)
			}
		}
	}
	c, _ := answering(t, 401, `{"message":"401 Unauthorized"}`)
	c.JobToken = true
	for _, err := range c.List(t.Context(), Query{Query: resolve.Query{Project: "g/p"}}) {
		if _, is := errors.AsType[*resolve.ClosedError](err); !is {
			t.Errorf("by the token of a job: %v", err)
		}
	}
}
