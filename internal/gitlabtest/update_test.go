package gitlabtest_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestFinishAfter requests a job until it has finished; every route that shows it or
// looks for its archive counts.
func TestFinishAfter(t *testing.T) {
	t.Parallel()
	const archive = "jobs/100/artifacts"
	tests := []struct {
		name string
		job  gitlabtest.Job
		path string
		want string // the answers in order
	}{
		{"by its id", gitlabtest.Job{FinishAfter: 2}, "jobs/100", "running running success success"},
		{"one look", gitlabtest.Job{FinishAfter: 1, Status: "pending"}, "jobs/100", "pending success"},
		{"in its pipeline", gitlabtest.Job{FinishAfter: 1}, "pipelines/10/jobs", "running success"},
		{"in the project", gitlabtest.Job{FinishAfter: 1, FinishAs: "failed"}, "jobs", "running failed"},
		{"its archive", gitlabtest.Job{FinishAfter: 2}, archive, "404 404 200 200"},
		{"by ref", gitlabtest.Job{FinishAfter: 1}, "jobs/artifacts/main/download?job=slow", "404 200"},
		{"its log", gitlabtest.Job{FinishAfter: 1}, "jobs/100/trace", "0 14"},
		{"a manual one waits", gitlabtest.Job{FinishAfter: 1, Status: "manual"}, "jobs/100", "manual manual manual"},
		{"a canceled one too", gitlabtest.Job{FinishAfter: 1, Status: "canceled"}, "jobs/100", "canceled canceled"},
	}
	for _, tt := range tests {
		tt.job.ID, tt.job.Name = 100, "slow"
		tt.job.Files = []gitlabtest.File{{Name: "a.txt"}}
		s := gitlabtest.Start(&gitlabtest.World{
			Projects: []*gitlabtest.Project{{ID: 1, Path: "g/p", Visibility: gitlabtest.Public, Pipelines: []*gitlabtest.Pipeline{ran(10, &tt.job)}}},
			Tokens:   []*gitlabtest.Token{{Value: "reader", Kind: gitlabtest.KindPrivate}},
		}, gitlabtest.Options{})
		var got []string
		for range strings.Fields(tt.want) {
			a := ask(t, s.APIURL+"/projects/1/"+tt.path, "PRIVATE-TOKEN", "reader")
			_, status, _ := strings.Cut(a.body, `"status":"`)
			status, _, found := strings.Cut(status, `"`)
			switch {
			case strings.HasSuffix(tt.path, "trace"):
				status = strconv.Itoa(strings.Count(a.body, "Job succeeded") * 14)
			case !found:
				status = strconv.Itoa(a.status)
			}
			got = append(got, status)
			if strings.Contains(a.body, `"artifacts_file"`) != (status == "success" || status == "failed") && found {
				t.Errorf("%s: %s with %s", tt.name, status, a.body)
			}
		}
		s.Close()
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, strings.Join(got, " "), tt.want)
		}
	}
}

// When a job ends, its token dies, and a pipeline that follows its jobs may end too.
func TestFollows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		jobs []*gitlabtest.Job
		want string // of the pipeline after job 100 has finished
	}{
		{"alone", []*gitlabtest.Job{{ID: 100, FinishAfter: 1}}, "success"},
		{"failed", []*gitlabtest.Job{{ID: 100, FinishAfter: 1, FinishAs: "failed"}}, "failed"},
		{"allowed to", []*gitlabtest.Job{{ID: 100, FinishAfter: 1, FinishAs: "failed", AllowFailure: true}}, "success"},
		{"another failed", []*gitlabtest.Job{{ID: 100, FinishAfter: 1}, {ID: 101, Status: "failed"}}, "failed"},
		{"but was retried", []*gitlabtest.Job{{ID: 100, FinishAfter: 1}, {ID: 101, Status: "failed", Retried: true}}, "success"},
		{"another runs", []*gitlabtest.Job{{ID: 100, FinishAfter: 1}, {ID: 101, Status: "running"}}, "running"},
	}
	for _, tt := range tests {
		p := ended("running", ran(10, tt.jobs...))
		p.Follows = true
		s := gitlabtest.Start(&gitlabtest.World{
			Projects: []*gitlabtest.Project{{ID: 1, Path: "g/p", Visibility: gitlabtest.Public, Pipelines: []*gitlabtest.Pipeline{p}}},
			Tokens:   []*gitlabtest.Token{{Value: "glcbt-100", Kind: gitlabtest.KindJob, Project: 1, Job: 100}},
		}, gitlabtest.Options{})
		var tokens []int
		for range 2 {
			tokens = append(tokens, ask(t, s.APIURL+"/job", "JOB-TOKEN", "glcbt-100").status)
			ask(t, s.APIURL+"/projects/1/pipelines/10/jobs")
		}
		got := ask(t, s.APIURL+"/projects/1/pipelines/10").body
		after := ask(t, s.APIURL+"/job", "JOB-TOKEN", "glcbt-100").status
		s.Close()
		if !strings.Contains(got, `"status":"`+tt.want+`"`) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if tokens[0] != 200 || tokens[1] != 200 || after != 401 {
			t.Errorf("%s: token %v, then %d", tt.name, tokens, after)
		}
	}
}

// TestTrace reads a log that grows until its job has ended.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	for _, tt := range []struct{ id, who, want string }{
		{"100", "guest", "the log\n"},
		{"101", "guest", "0123"},
		{"101", "guest", "01234567"},
		{"101", "guest", "0123456789"},
		{"101", "guest", "0123456789"},
		{"102", "guest", ""}, // never ran
		{"109", "guest", ""}, // erased
		{"108", "developer", "Running with gitlab-runner 19.4.0\nJob succeeded\n"},
		{"104", "guest", "Running with gitlab-runner 19.4.0\nERROR: Job failed: exit code 1\n"},
	} {
		got := ask(t, s.APIURL+"/projects/1/jobs/"+tt.id+"/trace", append(as(tt.who), "Range", "bytes=2-3")...)
		if got.status != 200 || got.body != tt.want {
			t.Errorf("%s: %d %q, want %q", tt.id, got.status, got.body, tt.want)
		}
		if got.header.Get("Content-Type") != "text/plain" || got.header.Get("Content-Disposition") != `infile; filename="`+tt.id+`.log"` {
			t.Errorf("%s: %v", tt.id, got.header)
		}
	}
}

// TestJobStates checks which keys have a value in which state.
func TestJobStates(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	for id, want := range map[string]string{
		"100": `"started_at":" "finished_at":" "duration":60 "erased_at":null "artifacts_file":{"filename":"artifacts.zip","size": "file_type":"metadata" "file_type":"junit" "file_type":"trace","size":8 "runner":{ !failure_reason`,
		"101": `"status":"running" "started_at":" "finished_at":null "runner":{ "artifacts":[] !artifacts_file !failure_reason`,
		"102": `"status":"manual" "started_at":null "finished_at":null "runner":null "duration":null "queued_duration":null`,
		"103": `"status":"pending" "started_at":null "runner":null`,
		"104": `"status":"failed" "failure_reason":"script_failure" "finished_at":"`,
		"105": `"status":"canceled" "started_at":null "finished_at":" !failure_reason`,
		"106": `"status":"skipped" "finished_at":null !failure_reason`,
		"109": `"erased_at":" "artifacts":[] !artifacts_file`,
		"111": `"file_type":"archive" "artifacts_expire_at":" !artifacts_file`,
		"112": `"file_type":"junit" "artifacts_expire_at":null !artifacts_file`,
	} {
		got := ask(t, s.APIURL+"/projects/1/jobs/"+id, as("guest")...).body
		for _, piece := range strings.Split(want, " ") {
			if key, absent := strings.CutPrefix(piece, "!"); strings.Contains(got, key) == absent {
				t.Errorf("%s: %s in %s", id, piece, got)
			}
		}
	}
}

// Concurrent requests and changes don't interfere; the race detector checks.
func TestUpdate(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s.Update(func(w *gitlabtest.World) { w.Projects[0].Pipelines[0].Jobs[0].Name = strconv.Itoa(i) })
			req, err := http.NewRequest(http.MethodGet, s.APIURL+"/projects/1/pipelines/10/jobs", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("PRIVATE-TOKEN", "guest")
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	s.Update(func(w *gitlabtest.World) { w.Projects[0].Visibility = gitlabtest.Public })
	if got := ask(t, s.APIURL+"/projects/1/jobs/100/artifacts"); got.status != 200 {
		t.Errorf("after a change: %d", got.status)
	}
}

// A request is carried out, although its answer is lost.
func TestResetAfter(t *testing.T) {
	t.Parallel()
	s := actionServer(t, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "reset-after", On: "/retry", Times: 1}}})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL+"/projects/1/jobs/100/retry", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("PRIVATE-TOKEN", "developer")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !wasReset(err) {
		t.Errorf("%v, want a reset", err)
	}
	if all := s.Requests(); len(all) != 1 || all[0].Status != 0 {
		t.Errorf("noted as %+v", all)
	}
	again := do(t, "POST", s.APIURL+"/projects/1/jobs/100/retry", "", as("developer")...)
	if again.status != 403 || !strings.Contains(again.body, "Job is not retryable") {
		t.Errorf("again: %d %s", again.status, again.body)
	}
}

// TestReadWorld reads a world that finishes by itself, and refuses invalid JSON.
func TestReadWorld(t *testing.T) {
	t.Parallel()
	world, err := gitlabtest.ReadWorld(strings.NewReader(`{
	  "projects": [
	    {"id": 1, "path": "g/p", "visibility": "public", "pipelines": [
	      {"id": 10, "ref": "main", "status": "running", "follows": true,
	       "bridges": [{"id": 190, "name": "other", "downstreamProject": 2, "downstream": {"id": 20}}],
	       "jobs": [{"id": 100, "name": "build", "finishAfter": 1, "files": [{"name": "a.txt", "content": "a"}]}]}]},
	    {"id": 2, "path": "g/q", "visibility": "public", "pipelines": [{"id": 20, "ref": "main", "status": "success"}]}],
	  "tokens": [{"value": "glpat-x", "kind": "private", "roles": {"1": "maintainer"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	ask(t, s.APIURL+"/projects/1/pipelines/10/jobs")
	for path, want := range map[string]string{
		"jobs/100/artifacts/a.txt": "a", "pipelines/10/bridges": `"downstream_pipeline":{"id":20,`,
	} {
		ask(t, s.APIURL+"/projects/1/pipelines/10/jobs")
		if got := ask(t, s.APIURL+"/projects/1/"+path); !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	for _, wrong := range []string{
		"", "{", `{"projekts": []}`, `{"projects": [{"id": 1, "pipelines": [{"bridges": [{"downstreamProject": 2, "downstream": {"id": 3}}]}]}]}`,
	} {
		if _, err := gitlabtest.ReadWorld(strings.NewReader(wrong)); err == nil || errors.Unwrap(err) == nil && !strings.Contains(err.Error(), "no pipeline 3") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
