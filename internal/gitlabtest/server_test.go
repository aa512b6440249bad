package gitlabtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// answer is the part of a response that tests check.
type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, address string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body) // a fault may break it
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func start(t *testing.T, o gitlabtest.Options) *gitlabtest.Running {
	t.Helper()
	s := gitlabtest.Start(gitlabtest.Fixture(), o)
	t.Cleanup(s.Close)
	return s
}

var credentials = map[string][]string{
	"nobody":           nil,
	"job":              {"JOB-TOKEN", gitlabtest.JobToken},
	"dead job":         {"JOB-TOKEN", gitlabtest.DeadJobToken},
	"job as bearer":    {"Authorization", "Bearer " + gitlabtest.JobToken},
	"job as private":   {"PRIVATE-TOKEN", gitlabtest.JobToken},
	"private":          {"PRIVATE-TOKEN", gitlabtest.PrivateToken},
	"unknown private":  {"PRIVATE-TOKEN", "glpat-nobody"},
	"expired private":  {"PRIVATE-TOKEN", gitlabtest.ExpiredPrivateToken},
	"bearer":           {"Authorization", "Bearer " + gitlabtest.BearerToken},
	"private, bad job": {"PRIVATE-TOKEN", gitlabtest.PrivateToken, "JOB-TOKEN", "x"},
}

// Who gets what from which kind of route, by the version that accepts job tokens:
// lib/gitlab/auth/auth_finders.rb, lib/api/helpers.rb.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const (
		archive   = "projects/1/jobs/1001/artifacts"
		byRef     = "projects/group%2Fapp/jobs/artifacts/main/download?job=build"
		jobs      = "projects/1/jobs"
		oneJob    = "projects/1/jobs/1001"
		inside    = "projects/1/pipelines/100/jobs"
		bridges   = "projects/1/pipelines/100/bridges"
		pipelines = "projects/1/pipelines"
		secret    = "projects/3/jobs/3001/artifacts"
		public    = "projects/4/jobs/4001/artifacts"
		me        = "job"
		runner    = "jobs/1001/artifacts"
	)
	tests := []struct {
		version, path, who string
		want               int
		text               string
	}{
		{"19.2", archive, "job", 200, ""},
		{"19.2", archive, "private", 200, ""},
		{"19.2", archive, "bearer", 200, ""},
		{"19.2", archive, "private, bad job", 200, ""},
		{"19.2", archive, "job as bearer", 200, ""},
		{"19.2", archive, "job as private", 404, "404 Project Not Found"},
		{"19.2", archive, "nobody", 404, "404 Project Not Found"},
		{"19.2", archive, "dead job", 401, "401 Unauthorized"},
		{"19.2", archive, "unknown private", 401, "401 Unauthorized"},
		{"19.2", archive, "expired private", 401, "invalid_token"},
		{"19.2", byRef, "job", 200, ""},
		{"17.0", byRef, "job", 200, ""},
		{"19.2", secret, "job", 403, "403 Forbidden - Authentication by CI/CD job token not allowed from app to secret."},
		{"19.2", secret, "private", 404, "404 Project Not Found"},
		{"19.2", public, "nobody", 200, ""},
		{"19.2", public, "job", 200, ""},
		{"17.0", jobs, "job", 401, "401 Unauthorized"},
		{"18.5", jobs, "job", 200, ""},
		{"19.2", jobs, "nobody", 401, "401 Unauthorized"},
		{"19.2", oneJob, "job", 401, "401 Unauthorized"},
		{"19.2", oneJob, "private", 200, ""},
		{"17.0", inside, "job", 404, "404 Project Not Found"},
		{"18.5", inside, "job", 200, ""},
		{"18.5", bridges, "job", 404, "404 Project Not Found"},
		{"19.2", bridges, "job", 200, ""},
		{"18.5", pipelines, "job", 404, "404 Project Not Found"},
		{"19.2", pipelines, "job", 200, ""},
		{"19.2", me, "job", 200, `"name":"build"`},
		{"19.2", me, "nobody", 401, ""},
		{"19.2", me, "private", 404, "404 Job Not Found"},
		{"19.2", runner, "job", 200, ""},
		{"19.2", runner, "private", 403, "403 Forbidden"},
		{"19.2", "jobs/999/artifacts", "job", 403, "403 Forbidden"},
		{"19.2", "projects/1/jobs/999/artifacts", "job", 404, `{"message":"404 Not found"}`},
		{"19.2", "projects/1/jobs/1009/artifacts", "job", 404, `{"message":"404 Not Found"}`},
		{"19.2", "projects/1/jobs/1090/artifacts", "job", 404, `{"message":"404 Not found"}`},
		{"19.2", "projects/1/nothing", "job", 404, `{"error":"404 Not Found"}`},
		{"19.2", "projects/1/jobs/artifacts/main/download", "nobody", 400, `{"error":"job is missing"}`},
		{"19.2", "projects/1/jobs?scope[]=wrong", "private", 400, "scope does not have a valid value"},
		{"19.2", "projects/group%2Fold-lib/jobs/2001/artifacts", "private", 301, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s %s", tt.version, tt.path, tt.who), func(t *testing.T) {
			t.Parallel()
			s := start(t, gitlabtest.Options{Version: tt.version})
			got := ask(t, s.APIURL+"/"+tt.path, credentials[tt.who]...)
			if got.status != tt.want || !strings.Contains(got.body, tt.text) {
				t.Errorf("%d %.200s, want %d with %q", got.status, got.body, tt.want, tt.text)
			}
			if got.header.Get("X-Request-Id") == "" {
				t.Error("no X-Request-Id")
			}
		})
	}
}
