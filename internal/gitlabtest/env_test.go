package gitlabtest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestEnv compares the variables that GitLab sets: each row is a job and some of its
// variables. An empty value means that the variable isn't set.
func TestEnv(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version string
		job     int64
		want    map[string]string
	}{
		{"", 1401, map[string]string{
			"CI_PROJECT_ID": "1", "CI_PROJECT_PATH": "group/app", "CI_DEFAULT_BRANCH": "main", "CI_PIPELINE_ID": "120", "CI_PIPELINE_SOURCE": "push",
			"CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_TAG": "", "CI_JOB_NAME": "build", "CI_JOB_ID": "1401",
			"CI_JOB_TOKEN": gitlabtest.JobToken, "CI_UPSTREAM_PIPELINE_ID": "", "CI_MERGE_REQUEST_IID": "", "CI_NODE_TOTAL": "1", "CI_NODE_INDEX": "",
			"CI_SERVER_VERSION": "19.4.0-ee", "CI_SERVER_VERSION_MAJOR": "19", "CI_SERVER_VERSION_MINOR": "4",
		}},
		{"", 1501, map[string]string{"CI_COMMIT_TAG": "v1.0", "CI_COMMIT_BRANCH": "", "CI_COMMIT_REF_NAME": "v1.0", "CI_COMMIT_REF_SLUG": "v1-0", "CI_JOB_TOKEN": ""}},
		{"", 1101, map[string]string{"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_UPSTREAM_PIPELINE_ID": "100", "CI_UPSTREAM_PROJECT_ID": "1", "CI_UPSTREAM_JOB_ID": "1090"}},
		{"18.9", 1201, map[string]string{"CI_UPSTREAM_PIPELINE_ID": "101", "CI_UPSTREAM_JOB_ID": "1190"}},
		{"18.8", 1201, map[string]string{"CI_UPSTREAM_PIPELINE_ID": "", "CI_UPSTREAM_PROJECT_ID": "", "CI_UPSTREAM_JOB_ID": ""}},
		{"", 2001, map[string]string{"CI_PROJECT_ID": "2", "CI_UPSTREAM_PIPELINE_ID": "100", "CI_UPSTREAM_PROJECT_ID": "1", "CI_UPSTREAM_JOB_ID": "1091"}},
		{"", 1004, map[string]string{"CI_JOB_NAME": "test 2/3", "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}},
		{"", 1007, map[string]string{"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "2"}},
		{"", 5501, map[string]string{
			"CI_MERGE_REQUEST_IID": "3", "CI_MERGE_REQUEST_EVENT_TYPE": "detached", "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/3/head",
			"CI_COMMIT_REF_NAME": "feature/cart", "CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "", "CI_MERGE_REQUEST_DIFF_BASE_SHA": sha("02"),
			"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "", "CI_OPEN_MERGE_REQUESTS": "group/shop!3", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
		}},
		{"", 5601, map[string]string{
			"CI_MERGE_REQUEST_EVENT_TYPE": "merged_result", "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/3/head", "CI_COMMIT_SHA": sha("21"),
			"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": sha("12"), "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": sha("04"),
		}},
		{"", 5701, map[string]string{"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train", "CI_JOB_TOKEN": gitlabtest.ShopJobToken, "CI_COMMIT_SHORT_SHA": "50000000"}},
		{"", 5451, map[string]string{"CI_OPEN_MERGE_REQUESTS": "group/shop!3", "CI_MERGE_REQUEST_IID": "", "CI_COMMIT_BRANCH": "feature/cart"}},
		{"", 5051, map[string]string{"CI_OPEN_MERGE_REQUESTS": "", "CI_PIPELINE_SOURCE": "web"}},
		{"", 5201, map[string]string{"CI_PIPELINE_SOURCE": "schedule", "CI_PIPELINE_SCHEDULE_DESCRIPTION": "every night"}},
		{"17.7", 5201, map[string]string{"CI_PIPELINE_SOURCE": "schedule", "CI_PIPELINE_SCHEDULE_DESCRIPTION": ""}},
		{"16.9", 1401, map[string]string{"CI_SERVER_FQDN": "", "CI_SERVER_VERSION_MINOR": "9"}},
	}
	for _, tt := range tests {
		s := start(t, gitlabtest.Options{Version: tt.version, RelativeRoot: "/gitlab"})
		vars, err := s.Env(tt.job)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(tt.want)) {
			if got := vars[name]; got != tt.want[name] {
				t.Errorf("%s, job %d: %s is %q, want %q", tt.version, tt.job, name, got, tt.want[name])
			}
		}
		if vars["CI_API_V4_URL"] != s.APIURL || vars["CI_SERVER_URL"] != s.URL || !strings.HasPrefix(s.URL, "http://"+vars["CI_SERVER_HOST"]+":"+vars["CI_SERVER_PORT"]) {
			t.Errorf("addresses: %v", vars)
		}
	}
	s := start(t, gitlabtest.Options{})
	if _, err := s.Env(999); err == nil {
		t.Error("the variables of a missing job")
	}
	// With its token and address, a client can ask which job it is.
	vars, err := s.Env(5701)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, vars["CI_API_V4_URL"]+"/job", "JOB-TOKEN", vars["CI_JOB_TOKEN"]); got.status != 200 || !strings.Contains(got.body, `"id":5701`) {
		t.Errorf("its own job: %d %s", got.status, got.body)
	}
}
