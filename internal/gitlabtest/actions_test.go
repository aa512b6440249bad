package gitlabtest_test

import (
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestActionRefusals checks who may do what to which job, and how GitLab refuses it:
// lib/api/ci/jobs.rb, lib/api/ci/job_artifacts.rb.
func TestActionRefusals(t *testing.T) {
	t.Parallel()
	const (
		nobody    = `{"message":"401 Unauthorized"}`
		forbidden = `{"message":"403 Forbidden"}`
		record    = `{"message":"404 Not found"}`
		noProject = `{"message":"404 Project Not Found"}`
		badID     = `{"error":"job_id is invalid"}`
		conflict  = `{"message":"Action temporarily disabled. The project this pipeline belongs to is undergoing stats refresh."}`
		verb      = `{"error":"405 Not Allowed"}`
		moved     = `{"message":"Non GET methods are not allowed for moved projects"}`
	)
	tests := []struct {
		who, method, path string
		status            int
		body              string
	}{
		// Anonymous requests, and job tokens, which count as anonymous here, are refused
		// before anything else.
		{"", "POST", "1/jobs/100/artifacts/keep", 401, nobody},
		{"job", "POST", "1/jobs/100/artifacts/keep", 401, nobody},
		{"job", "DELETE", "1/jobs/100/artifacts", 401, nobody},
		{"job", "DELETE", "1/artifacts", 401, nobody},
		{"job", "POST", "1/jobs/101/cancel", 401, nobody},
		{"job", "POST", "1/jobs/100/retry", 401, nobody},
		{"job", "POST", "1/jobs/100/erase", 401, nobody},
		{"job", "POST", "1/jobs/102/play", 401, nobody},
		{"job", "GET", "1/jobs/100/trace", 401, nobody},
		{"", "POST", "9/jobs/x/retry", 401, nobody},
		{"", "GET", "3/jobs/300/trace", 401, nobody},
		// Things that don't exist.
		{"maintainer", "POST", "1/jobs/x/retry", 400, badID},
		{"maintainer", "DELETE", "1/jobs/x/artifacts", 400, badID},
		{"maintainer", "POST", "9/jobs/100/retry", 404, noProject},
		{"stranger", "POST", "1/jobs/100/retry", 404, noProject},
		{"maintainer", "POST", "g%2Fp-was/jobs/100/retry", 405, moved},
		{"maintainer", "DELETE", "g%2Fp-was/artifacts", 405, moved},
		{"maintainer", "POST", "1/jobs/200/retry", 404, record},
		{"maintainer", "POST", "1/jobs/190/erase", 404, record}, // a trigger job
		{"maintainer", "POST", "1/jobs/190/cancel", 404, record},
		{"maintainer", "GET", "1/jobs/190/trace", 404, record},
		{"maintainer", "POST", "1/jobs/999/play", 404, record},
		// If the permission depends on the project, it is checked before the job,
		// otherwise after it.
		{"reporter", "POST", "1/jobs/999/artifacts/keep", 403, forbidden},
		{"reporter", "POST", "1/jobs/999/cancel", 403, forbidden},
		{"developer", "DELETE", "1/jobs/999/artifacts", 403, forbidden},
		{"reporter", "POST", "1/jobs/999/retry", 404, record},
		{"reporter", "POST", "1/jobs/999/erase", 404, record},
		{"reporter", "POST", "1/jobs/999/play", 404, record},
		{"reporter", "POST", "1/jobs/100/retry", 403, forbidden},
		{"reporter", "POST", "1/jobs/100/erase", 403, forbidden},
		{"reporter", "POST", "1/jobs/102/play", 403, forbidden},
		{"stranger", "POST", "3/jobs/300/retry", 403, forbidden},
		{"developer", "DELETE", "1/jobs/100/artifacts", 403, forbidden},
		{"developer", "DELETE", "1/artifacts", 403, forbidden},
		{"developer", "POST", "1/jobs/108/erase", 403, forbidden},
		{"developer", "POST", "1/jobs/110/cancel?force=true", 403, forbidden},
		{"guest", "GET", "1/jobs/108/trace", 403, forbidden},
		// The state of the job.
		{"developer", "POST", "1/jobs/101/retry", 403, `{"message":"403 Forbidden - Job is not retryable"}`},
		{"developer", "POST", "1/jobs/107/retry", 403, `{"message":"403 Forbidden - Job is not retryable"}`},
		{"developer", "POST", "1/jobs/106/retry", 403, `{"message":"403 Forbidden - Job is not retryable"}`},
		{"developer", "POST", "1/jobs/192/retry", 403, `{"message":"403 Forbidden - Job is not retryable"}`},
		{"developer", "POST", "1/jobs/101/erase", 403, `{"message":"403 Forbidden - Job is not erasable!"}`},
		{"developer", "POST", "1/jobs/106/erase", 403, `{"message":"403 Forbidden - Job is not erasable!"}`},
		{"developer", "POST", "1/jobs/109/erase", 403, `{"message":"403 Forbidden - Job is not erasable!"}`},
		{"developer", "POST", "1/jobs/100/play", 400, `{"message":"400 Bad request - Unplayable Job"}`},
		{"developer", "POST", "1/jobs/190/play", 400, `{"message":"400 Bad request - Unplayable Job"}`},
		{"maintainer", "POST", "2/jobs/200/erase", 409, conflict},
		{"maintainer", "DELETE", "2/jobs/200/artifacts", 409, conflict},
		{"maintainer", "DELETE", "2/artifacts", 409, conflict},
		// Methods.
		{"maintainer", "GET", "1/jobs/100/retry", 405, verb},
		{"maintainer", "GET", "1/artifacts", 405, verb},
		{"maintainer", "POST", "1/jobs/100/trace", 405, verb},
		{"maintainer", "POST", "1/jobs", 405, verb},
		{"maintainer", "DELETE", "1/jobs/100", 405, verb},
		{"maintainer", "PUT", "1/jobs/100/retry", 405, verb},
	}
	s := actionServer(t, gitlabtest.Options{})
	for _, tt := range tests {
		if got := do(t, tt.method, s.APIURL+"/projects/"+tt.path, "", as(tt.who)...); got.status != tt.status || got.body != tt.body {
			t.Errorf("%s %s as %q: %d %s, want %d %s", tt.method, tt.path, tt.who, got.status, got.body, tt.status, tt.body)
		}
	}
	for _, id := range []string{"109", "111", "112", "106"} { // erased, expired, only reports, never ran
		got := do(t, "POST", s.APIURL+"/projects/1/jobs/"+id+"/artifacts/keep", "", as("developer")...)
		if got.status != 404 || !strings.HasPrefix(got.body, `{"message":"404 #\u003cCi::Build`) || !strings.HasSuffix(got.body, ` Not Found"}`) {
			t.Errorf("keep %s: %d %s", id, got.status, got.body)
		}
	}
	got := do(t, "POST", s.APIURL+"/projects/1/jobs/100/retry", "", as("maintainerread_api")...)
	if got.status != 403 || !strings.Contains(got.body, `"error":"insufficient_scope"`) || !strings.Contains(got.body, `"scope":"api"`) {
		t.Errorf("with read_api: %d %s", got.status, got.body)
	}
}

// TestActions checks what the world looks like after each action.
func TestActions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		who, method, path string
		status            int
		body              string // a part of it
		after, want       string // the path of a list or a job, and a part of its JSON
	}{
		{"developer", "POST", "jobs/100/artifacts/keep", 200, `"artifacts_expire_at":null`, "jobs/100", `"artifacts_expire_at":null`},
		{"maintainer", "DELETE", "jobs/100/artifacts", 204, "", "jobs/100", `"erased_at":null`},
		{"maintainer", "DELETE", "jobs/100/artifacts", 204, "", "jobs/100", `"artifacts":[{"file_type":"trace","size":8,`},
		{"maintainer", "DELETE", "jobs/100/artifacts", 204, "", "jobs/100/artifacts", "404 Not Found"},
		{"owner", "DELETE", "jobs/112/artifacts", 204, "", "jobs/112", `"artifacts":[{"file_type":"trace"`},
		{"developer", "POST", "jobs/100/erase", 201, `"artifacts":[]`, "jobs/100/artifacts", "404 Not Found"},
		{"developer", "POST", "jobs/100/erase", 201, `"id":100,"status":"success"`, "jobs/artifacts/main/download?job=build", "404 Not found"},
		{"developer", "POST", "jobs/104/erase", 201, `"erased_at":"`, "jobs/104/trace", ""},
		{"maintainer", "POST", "jobs/108/erase", 201, `"erased_at":"`, "jobs/108", `"erased_at":"`},
		{"developer", "POST", "jobs/101/cancel", 201, `"status":"canceled"`, "jobs/101", `"status":"canceled"`},
		{"developer", "POST", "jobs/102/cancel", 201, `"status":"canceled"`, "jobs/102", `"status":"canceled"`},
		{"developer", "POST", "jobs/100/cancel", 201, `"status":"success"`, "jobs/100", `"status":"success"`},
		{"developer", "POST", "jobs/110/cancel", 201, `"status":"canceling"`, "jobs/110", `"status":"canceled"`},
		{"maintainer", "POST", "jobs/101/cancel?force=true", 201, `"status":"running"`, "jobs/101", `"status":"running"`},
		{"developer", "POST", "jobs/105/retry", 201, `"id":301,"status":"pending"`, "pipelines/10/jobs", `"id":301,`},
		{"developer", "POST", "jobs/104/retry", 201, `"id":301,"status":"running"`, "pipelines/10", `"status":"running"`},
		{"developer", "POST", "jobs/190/retry", 201, `"id":301,"status":"pending"`, "pipelines/10/bridges", `"id":301,"status":"pending","stage":"deploy","name":"children"`},
		{"developer", "POST", "jobs/102/play", 200, `"id":102,"status":"pending"`, "pipelines/10", `"status":"running"`},
		{"developer", "POST", "jobs/113/play", 200, `"id":113,"status":"pending"`, "jobs/113", `"status":"pending"`},
		{"developer", "POST", "jobs/191/play", 200, `"downstream_pipeline":null`, "pipelines/10/bridges", `"id":191,"status":"pending"`},
		{"maintainer", "DELETE", "artifacts", 202, `{"message":"202 Accepted"}`, "jobs/100", `"artifacts_file"`}, // of the latest successful pipeline
		{"maintainer", "DELETE", "artifacts", 202, `{"message":"202 Accepted"}`, "jobs/195/artifacts/a.txt", `"404 Not Found"`},
	}
	for _, tt := range tests {
		s := actionServer(t, gitlabtest.Options{})
		got := do(t, tt.method, s.APIURL+"/projects/1/"+tt.path, "", as(tt.who)...)
		if got.status != tt.status || !strings.Contains(got.body, tt.body) || tt.status == 204 && got.body != "" {
			t.Errorf("%s %s: %d %s, want %d with %s", tt.method, tt.path, got.status, got.body, tt.status, tt.body)
		}
		after := ask(t, s.APIURL+"/projects/1/"+tt.after, as("developer")...).body
		if !strings.Contains(after, tt.want) || tt.want == "" && after != "" {
			t.Errorf("%s %s, then %s: %.600s, want %s", tt.method, tt.path, tt.after, after, tt.want)
		}
	}
}
