package gitlabtest_test

import (
	"strconv"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestJobTokenByVersion checks what a running job's token can read of its own private
// project, before and after each version that changes it.
func TestJobTokenByVersion(t *testing.T) {
	t.Parallel()
	versions := []string{"17.0", "18.2", "18.3", "18.4", "18.5", "18.10", "19.1", "19.2", "19.4"}
	for path, want := range map[string]string{
		"projects/1/jobs/1001/artifacts":                                                               "200 200 200 200 200 200 200 200 200",
		"projects/1/jobs/artifacts/main/download?job=build":                                            "200 200 200 200 200 200 200 200 200",
		"projects/1/jobs/1001/artifacts/job.txt":                                                       "200 200 200 200 200 200 200 200 200",
		"projects/1/jobs/1001/artifacts/tree":                                                          "404 404 404 404 404 200 200 200 200", // a file before 18.8
		"projects/1/jobs/artifacts/main/download?job=old-only&search_recent_successful_pipelines=true": "404 404 404 404 404 200 200 200 200",
		"jobs/1001/artifacts":                                                                          "200 200 200 200 200 200 200 200 200",
		"job":                                                                                          "200 200 200 200 200 200 200 200 200",
		"projects/1/jobs":                                                                              "401 401 401 401 200 200 200 200 200",
		"projects/1/pipelines/100/jobs":                                                                "404 404 404 404 200 200 200 200 200",
		"projects/1/pipelines":                                                                         "404 404 404 404 404 404 404 200 200",
		"projects/1/pipelines/100":                                                                     "404 404 404 404 404 404 404 200 200",
		"projects/1/pipelines/101":                                                                     "404 404 404 404 404 404 404 200 200",
		"projects/1/pipelines/100/bridges":                                                             "404 404 404 404 404 404 404 200 200",
		"projects/1/pipelines/100/trigger_jobs":                                                        "404 404 404 404 404 404 404 200 200",
		"projects/1/pipelines/latest":                                                                  "404 404 404 404 404 404 404 404 404",
		"projects/1":                                                                                   "404 404 404 404 404 404 404 404 404",
		"projects/1/jobs/1001":                                                                         "401 401 401 401 401 401 401 401 401",
		"projects/1/jobs/1001/trace":                                                                   "401 401 401 401 401 401 401 401 401",
		"projects/1/repository/commits/main":                                                           "404 404 200 200 200 200 200 200 200",
		"projects/1/repository/branches":                                                               "404 404 200 200 200 200 200 200 200",
		"projects/1/repository/branches/main":                                                          "404 404 404 404 404 404 404 404 404",
		"metadata":                                                                                     "401 401 401 401 401 401 401 401 401",
	} {
		var got []string
		for _, version := range versions {
			s := start(t, gitlabtest.Options{Version: version})
			got = append(got, strconv.Itoa(ask(t, s.APIURL+"/"+path, credentials["job"]...).status))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", path, strings.Join(got, " "), want)
		}
	}
	// Ignored tokens and unknown routes have different 404s.
	for path, want := range map[string]string{
		"projects/1/pipelines/100/bridges":      `{"message":"404 Project Not Found"}`,
		"projects/1/pipelines/100/trigger_jobs": `{"error":"404 Not Found"}`,
	} {
		s := start(t, gitlabtest.Options{Version: "19.1"})
		if got := ask(t, s.APIURL+"/"+path, credentials["job"]...); got.body != want {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

// TestJobTokenPolicies checks the fine-grained permissions of lib/api/helpers.rb: for
// other projects' tokens, on routes that accept job tokens. Any job token can read single
// files of a public project by ref.
func TestJobTokenPolicies(t *testing.T) {
	t.Parallel()
	refused := func(project, permission string) string {
		return `{"message":"403 Forbidden - Insufficient permissions to access this resource in project ` + project +
			`. The following token permission is required: ` + permission + `."}`
	}
	// Project 1 may read jobs of 2, pipelines of 4, and everything of its own.
	world := tokenWorld()
	world.Projects[0].JobTokenPolicies = map[int64][]string{1: {}}
	world.Projects[1].JobTokenPolicies = map[int64][]string{1: {"read_jobs"}}
	world.Projects[3].JobTokenPolicies = map[int64][]string{1: {"read_pipelines"}}
	world.Projects[5].JobTokenPolicies = map[int64][]string{1: nil}
	tests := []struct {
		version, path string
		status        int
		body          string
	}{
		{"19.2", "projects/1/jobs/100/artifacts", 200, ""},
		{"19.2", "projects/2/jobs/200/artifacts", 200, ""},
		{"19.2", "projects/2/pipelines/20/jobs", 200, ""},
		{"19.2", "projects/2/pipelines", 403, refused("listed", "read_pipelines")},
		{"19.2", "projects/2/pipelines/20", 403, refused("listed", "read_pipelines")},
		{"19.2", "projects/2/pipelines/20/bridges", 403, refused("listed", "read_pipelines")},
		{"19.2", "projects/2/pipelines/20/trigger_jobs", 403, refused("listed", "read_pipelines")},
		{"19.2", "projects/4/pipelines", 200, ""},
		{"19.2", "projects/4/jobs", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/pipelines/40/jobs", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/jobs/400/artifacts", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/jobs/999/artifacts", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/jobs/400/artifacts/a.txt", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/jobs/400/artifacts/tree", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/jobs/artifacts/main/download?job=build", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/4/jobs/artifacts/main/raw/a.txt?job=build", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "jobs/400/artifacts", 403, refused("internal-listed", "read_jobs")},
		{"19.2", "projects/6/jobs/artifacts/main/download?job=build", 403, refused("public-listed", "read_jobs")},
		{"19.2", "projects/6/jobs/artifacts/main/raw/a.txt?job=build", 200, "a"},
		{"19.2", "job", 200, ""},
		{"17.11", "projects/4/jobs/400/artifacts", 200, ""},
	}
	for _, tt := range tests {
		s := gitlabtest.Start(world, gitlabtest.Options{Version: tt.version})
		got := ask(t, s.APIURL+"/"+tt.path, "JOB-TOKEN", "glcbt-live")
		s.Close()
		if got.status != tt.status || tt.body != "" && got.body != tt.body {
			t.Errorf("%s %s: %d %.300s, want %d %s", tt.version, tt.path, got.status, got.body, tt.status, tt.body)
		}
	}
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	if got := ask(t, s.APIURL+"/projects/4/jobs/400/artifacts", "PRIVATE-TOKEN", "guest"); got.status != 200 {
		t.Errorf("a person: %d", got.status)
	}
}
