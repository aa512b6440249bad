package gitlabtest_test

import (
	"fmt"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// visibilities are the projects of tokenWorld, in the order of the columns below.
var visibilities = []string{"own", "listed", "foreign", "internal-listed", "internal", "public-listed", "public"}

// TestVisibility requests each project's archive: a project that the caller can't see is
// "not found", but a job token learns that it isn't allowed (lib/api/helpers.rb).
func TestVisibility(t *testing.T) {
	t.Parallel()
	tests := []struct {
		who  string
		sent sent
		want []int
	}{
		{"nobody", sent{}, []int{404, 404, 404, 404, 404, 200, 200}},
		{"job", carried("JOB-TOKEN", "glcbt-live"), []int{200, 200, 403, 200, 200, 200, 200}},
		{"dead job", carried("JOB-TOKEN", "glcbt-dead"), []int{401, 401, 401, 401, 401, 401, 401}},
		{"dead job as bearer", carried("bearer", "glcbt-dead"), []int{404, 404, 404, 404, 404, 200, 200}},
		{"member", carried("PRIVATE-TOKEN", "guest"), []int{200, 200, 200, 200, 200, 200, 200}},
		{"stranger", carried("PRIVATE-TOKEN", "stranger"), []int{404, 404, 404, 200, 200, 200, 200}},
	}
	s := gitlabtest.Start(tokenWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	for _, tt := range tests {
		for i, project := range visibilities {
			for _, path := range []string{
				fmt.Sprintf("projects/%d/jobs/%d/artifacts", i+1, (i+1)*100),
				fmt.Sprintf("projects/g%%2F%s/jobs/artifacts/main/download?job=build", project),
				fmt.Sprintf("projects/%d/jobs/%d/artifacts/a.txt", i+1, (i+1)*100),
				fmt.Sprintf("projects/g%%2F%s/jobs/artifacts/main/raw/a.txt?job=build", project),
				fmt.Sprintf("projects/%d/pipelines/%d/jobs", i+1, (i+1)*10),
			} {
				if got := ask(t, s.APIURL+"/"+path, tt.sent.header...); got.status != tt.want[i] {
					t.Errorf("%s on %s (%s): %d, want %d", tt.who, project, path, got.status, tt.want[i])
				}
			}
		}
	}
}

// TestArchiveAccess checks artifacts:access. A job token that isn't on the allowlist can
// read what is public in a public project.
func TestArchiveAccess(t *testing.T) {
	t.Parallel()
	tests := []struct {
		who     string
		sent    sent
		project int
		want    []int // public, developer, maintainer, none
	}{
		{"nobody", sent{}, 7, []int{200, 403, 403, 403}},
		{"stranger", carried("PRIVATE-TOKEN", "stranger"), 7, []int{200, 403, 403, 403}},
		{"guest", carried("PRIVATE-TOKEN", "guest"), 1, []int{200, 403, 403, 403}},
		{"developer", carried("PRIVATE-TOKEN", "developer"), 1, []int{200, 200, 403, 403}},
		{"maintainer", carried("PRIVATE-TOKEN", "maintainer"), 1, []int{200, 200, 200, 403}},
		{"own job", carried("JOB-TOKEN", "glcbt-live"), 1, []int{200, 200, 403, 403}},
		{"listed job", carried("JOB-TOKEN", "glcbt-live"), 6, []int{200, 200, 403, 403}},
		{"foreign job", carried("JOB-TOKEN", "glcbt-live"), 7, []int{200, 403, 403, 403}},
	}
	s := gitlabtest.Start(tokenWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	names := []string{"build", "developers", "maintainers", "nobody"}
	for _, tt := range tests {
		for i, want := range tt.want {
			for _, path := range []string{
				fmt.Sprintf("jobs/%d/artifacts", tt.project*100+i),
				fmt.Sprintf("jobs/%d/artifacts/a.txt", tt.project*100+i),
				fmt.Sprintf("jobs/%d/artifacts/missing.txt", tt.project*100+i),
				"jobs/artifacts/main/download?job=" + names[i],
				"jobs/artifacts/main/raw/a.txt?job=" + names[i],
			} {
				want := want
				if want == 200 && path == fmt.Sprintf("jobs/%d/artifacts/missing.txt", tt.project*100+i) {
					want = 404
				}
				got := ask(t, fmt.Sprintf("%s/projects/%d/%s", s.APIURL, tt.project, path), tt.sent.header...)
				if got.status != want {
					t.Errorf("%s on %s: %d, want %d", tt.who, path, got.status, want)
				}
			}
		}
	}
}

// Without the license, a job token doesn't find any project on the artifacts API, not
// even its own; the runner's route and personal tokens aren't affected.
// https://gitlab.com/gitlab-org/gitlab/-/issues/347244
func TestUnlicensed(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(tokenWorld(), gitlabtest.Options{Unlicensed: true})
	t.Cleanup(s.Close)
	for path, want := range map[string]string{
		"projects/1/jobs/100/artifacts":                    `{"message":"404 Project Not Found"}`,
		"projects/1/jobs/100/artifacts/a.txt":              `{"message":"404 Project Not Found"}`,
		"projects/1/jobs/artifacts/main/download?job=none": `{"message":"404 Project Not Found"}`,
		"projects/1/jobs/artifacts/main/raw/a?job=build":   `{"message":"404 Project Not Found"}`,
	} {
		if got := ask(t, s.APIURL+"/"+path, "JOB-TOKEN", "glcbt-live"); got.body != want {
			t.Errorf("%s: %d %.100s", path, got.status, got.body)
		}
	}
	for _, path := range []string{"jobs/100/artifacts", "job", "projects/1/pipelines/10/jobs"} {
		if got := ask(t, s.APIURL+"/"+path, "JOB-TOKEN", "glcbt-live"); got.status != 200 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := ask(t, s.APIURL+"/projects/1/jobs/100/artifacts", "PRIVATE-TOKEN", "developer"); got.status != 200 {
		t.Errorf("personal: %d", got.status)
	}
}
