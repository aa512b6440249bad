package gitlabtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// do sends a request with a body: JSON if it looks like it, otherwise a form.
func do(t *testing.T, method, address, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content)}
}

// actionWorld has a job in every state in project 1, "g/p"; project 2, whose statistics
// are being refreshed; and project 3, which is public.
func actionWorld() *gitlabtest.World {
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	archive := gitlabtest.Zip(gitlabtest.File{Name: "a.txt", Content: "a"})
	project := func(id int64, path, visibility string, jobs ...*gitlabtest.Job) *gitlabtest.Project {
		return &gitlabtest.Project{ID: id, Path: path, OldPaths: []string{path + "-was"}, Visibility: visibility, DefaultBranch: "main", Pipelines: []*gitlabtest.Pipeline{ran(id*10, jobs...)}}
	}
	one := project(1, "g/p", gitlabtest.Private,
		&gitlabtest.Job{ID: 100, Name: "build", Archive: archive, Reports: []string{"junit"}, ExpireAt: &soon, Trace: "the log\n"},
		&gitlabtest.Job{ID: 101, Name: "running", Status: "running", Trace: "0123456789", TraceStep: 4},
		&gitlabtest.Job{ID: 102, Name: "manual", Status: "manual"},
		&gitlabtest.Job{ID: 103, Name: "pending", Status: "pending"},
		&gitlabtest.Job{ID: 104, Name: "failed", Status: "failed", Again: &gitlabtest.Job{Archive: archive, FinishAfter: 1}},
		&gitlabtest.Job{ID: 105, Name: "canceled", Status: "canceled"},
		&gitlabtest.Job{ID: 106, Name: "skipped", Status: "skipped"},
		&gitlabtest.Job{ID: 107, Name: "retried", Retried: true, Archive: archive},
		&gitlabtest.Job{ID: 108, Name: "another's", User: "somebody", DebugTrace: true},
		&gitlabtest.Job{ID: 109, Name: "erased", Erased: true},
		&gitlabtest.Job{ID: 110, Name: "graceful", Status: "running", Graceful: true},
		&gitlabtest.Job{ID: 111, Name: "expired", Archive: archive, ExpireAt: &past},
		&gitlabtest.Job{ID: 112, Name: "reports", Reports: []string{"junit"}},
		&gitlabtest.Job{ID: 113, Name: "scheduled", Status: "scheduled"},
	)
	one.Pipelines[0].Bridges = []*gitlabtest.Bridge{
		{ID: 190, Name: "children", Child: ran(11, &gitlabtest.Job{ID: 195, Name: "inner", Archive: archive})},
		{ID: 191, Name: "later", Status: "manual"}, {ID: 192, Name: "was", Retried: true},
	}
	one.Pipelines[0].Bridges[0].Child.Source = "parent_pipeline"
	return &gitlabtest.World{
		Projects: []*gitlabtest.Project{
			one,
			project(2, "g/refreshing", gitlabtest.Private, &gitlabtest.Job{ID: 200, Name: "build", Archive: archive}),
			project(3, "g/open", gitlabtest.Public, &gitlabtest.Job{ID: 300, Name: "build", Archive: archive}),
		},
		Tokens: actionTokens(),
	}
}

func actionTokens() []*gitlabtest.Token {
	as := func(role string, scopes ...string) *gitlabtest.Token {
		return &gitlabtest.Token{Value: role + strings.Join(scopes, ""), Kind: gitlabtest.KindPrivate, Scopes: scopes, Roles: map[int64]string{1: role, 2: role}}
	}
	return []*gitlabtest.Token{
		as("owner"), as("maintainer"), as("developer"), as("reporter"), as("guest"), as("maintainer", "read_api"),
		{Value: "stranger", Kind: gitlabtest.KindPrivate},
		{Value: "glcbt-live", Kind: gitlabtest.KindJob, Project: 1, Job: 101},
	}
}

func actionServer(t *testing.T, o gitlabtest.Options) *gitlabtest.Running {
	t.Helper()
	world := actionWorld()
	world.Projects[1].StatsRefresh = true
	s := gitlabtest.Start(world, o)
	t.Cleanup(s.Close)
	return s
}

// as returns the headers for one of actionTokens.
func as(who string) []string {
	switch who {
	case "":
		return nil
	case "job":
		return []string{"JOB-TOKEN", "glcbt-live"}
	}
	return []string{"PRIVATE-TOKEN", who}
}
