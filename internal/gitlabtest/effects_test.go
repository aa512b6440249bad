package gitlabtest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// A retried job's successor finishes as declared, and so does the pipeline. A retried
// trigger job keeps its child.
func TestRetryEnds(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	s.Update(func(w *gitlabtest.World) { // everything else has finished
		p := w.Projects[0].Pipelines[0]
		p.Jobs = p.Jobs[4:5]
		p.Status = "failed"
	})
	project := s.APIURL + "/projects/1/"
	const byRef = "jobs/artifacts/main/download?job=failed"
	do(t, "POST", project+"jobs/104/retry", "", as("developer")...)
	for i, want := range []string{`"id":301,"status":"running"`, `"id":301,"status":"success"`} {
		list := ask(t, project+"pipelines/10/jobs", as("developer")...).body
		if !strings.Contains(list, want) || strings.Contains(list, `"id":104`) {
			t.Errorf("look %d: %s", i, list)
		}
		if strings.Contains(list, `"artifacts_file"`) != (i == 1) {
			t.Errorf("look %d, its archive: %s", i, list)
		}
	}
	if got := ask(t, project+"pipelines/10", as("developer")...).body; !strings.Contains(got, `"status":"success"`) {
		t.Errorf("pipeline: %s", got)
	}
	if got := ask(t, project+byRef, as("developer")...).status; got != 200 {
		t.Errorf("by ref: %d", got)
	}
	do(t, "POST", project+"jobs/190/retry", "", as("developer")...)
	s.Update(func(w *gitlabtest.World) { w.Projects[0].Pipelines[0].Status = "success" })
	if got := ask(t, project+"jobs/artifacts/main/download?job=inner", as("developer")...); got.status != 200 {
		t.Errorf("the child of a retried trigger: %d", got.status)
	}
	if got := ids(t, ask(t, project+"pipelines/10/bridges?include_retried=true", as("developer")...).body); len(got) != 4 {
		t.Errorf("trigger jobs: %v", got)
	}
}

// Canceling a job ends its token (app/finders/ci/auth_job_finder.rb).
func TestCancelEndsToken(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	before := ask(t, s.APIURL+"/job", as("job")...)
	do(t, "POST", s.APIURL+"/projects/1/jobs/101/cancel", "", as("developer")...)
	after := ask(t, s.APIURL+"/job", as("job")...)
	if before.status != 200 || after.status != 401 {
		t.Errorf("%d, then %d", before.status, after.status)
	}
}

// Variables come as JSON or as a form.
func TestPlayVariables(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body   string
		status int
		want   map[string]string
		text   string
	}{
		{`{"job_variables_attributes":[{"key":"A","value":"1"},{"key":"B","value":"x y"}]}`, 200, map[string]string{"A": "1", "B": "x y"}, ""},
		{"job_variables_attributes[][key]=A&job_variables_attributes[][value]=1%2B1", 200, map[string]string{"A": "1+1"}, ""},
		{`{"job_variables_attributes":[]}`, 200, nil, ""},
		{"", 200, nil, ""},
		{`{"job_variables_attributes":[{"key":"A"}]}`, 400, nil, `{"error":"job_variables_attributes[0][value] is missing"}`},
		{`{"job_variables_attributes":[{"value":"A"}]}`, 400, nil, `{"error":"job_variables_attributes[0][key] is missing"}`},
		{`{"job`, 400, nil, `{"message":"400 Bad request"}`},
	}
	for _, tt := range tests {
		s := actionServer(t, gitlabtest.Options{})
		got := do(t, "POST", s.APIURL+"/projects/1/jobs/102/play", tt.body, as("developer")...)
		if got.status != tt.status || tt.text != "" && got.body != tt.text {
			t.Errorf("%s: %d %s", tt.body, got.status, got.body)
		}
		s.Update(func(w *gitlabtest.World) {
			if got := w.Projects[0].Pipelines[0].Jobs[2].Variables; !maps.Equal(got, tt.want) {
				t.Errorf("%s: %v, want %v", tt.body, got, tt.want)
			}
		})
		if all := s.Requests(); all[0].Body != tt.body || all[0].Method != http.MethodPost {
			t.Errorf("noted as %+v", all[0])
		}
	}
}

// cancel also reads force from the body.
func TestForce(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	for body, want := range map[string]string{`{"force":true}`: "running", "force=true": "running"} { // not yet canceling
		var job struct{ Status string }
		got := do(t, "POST", s.APIURL+"/projects/1/jobs/110/cancel", body, as("maintainer")...)
		if err := json.Unmarshal([]byte(got.body), &job); err != nil || job.Status != want {
			t.Errorf("%s: %v %s", body, err, got.body)
		}
	}
	do(t, "POST", s.APIURL+"/projects/1/jobs/110/cancel", "", as("developer")...)
	if got := do(t, "POST", s.APIURL+"/projects/1/jobs/110/cancel", `{"force":true}`, as("maintainer")...); !strings.Contains(got.body, `"status":"canceled"`) {
		t.Errorf("forced: %s", got.body)
	}
}

// The project's artifacts expire, unless they are locked or belong to a ref's latest
// successful pipeline. Purging removes them.
func TestDeleteAll(t *testing.T) {
	t.Parallel()
	world := actionWorld()
	old, locked := ran(5, built(50, "build")), ran(6, built(60, "build"))
	locked.Locked = true
	world.Projects[0].Pipelines = append(world.Projects[0].Pipelines, old, locked)
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	statuses := func() (got [3]int) {
		for i, id := range []string{"50", "60", "100"} {
			got[i] = ask(t, s.APIURL+"/projects/1/jobs/"+id+"/artifacts", as("developer")...).status
		}
		return got
	}
	do(t, "DELETE", s.APIURL+"/projects/1/artifacts", "", as("maintainer")...)
	if got := statuses(); got != [3]int{200, 200, 200} {
		t.Errorf("at once: %v", got)
	}
	if got := ask(t, s.APIURL+"/projects/1/jobs/50", as("developer")...).body; strings.Contains(got, `"artifacts_file"`) {
		t.Errorf("has not expired: %s", got)
	}
	s.Update(func(w *gitlabtest.World) { w.Purge(time.Now()) })
	if got := statuses(); got != [3]int{404, 200, 200} {
		t.Errorf("purged: %v", got)
	}
}
