package gitlabtest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// A pipeline that a manual job blocks is "manual", and the job behind it "created". An
// optional manual job doesn't block. Playing the blocking job lets the pipeline continue
// (lib/gitlab/ci/status/composite.rb).
func TestBlockedPipeline(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	status := func() string {
		var p struct{ Status string }
		body := ask(t, s.APIURL+"/projects/5/pipelines/540", credentials["private"]...).body
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return p.Status
	}
	jobs := ask(t, s.APIURL+"/projects/5/pipelines/540/jobs", credentials["private"]...).body
	for _, want := range []string{
		`"id":5402,"status":"manual","stage":"approve"`, `"id":5403,"status":"created"`, `"id":5404,"status":"manual"`, `"started_at":null,"finished_at":null`,
	} {
		if !strings.Contains(jobs, want) {
			t.Errorf("%s is missing: %s", want, jobs)
		}
	}
	if got := status(); got != "manual" {
		t.Errorf("before: %s", got)
	}
	if got := do(t, "POST", s.APIURL+"/projects/5/jobs/5402/play", "", credentials["private"]...); got.status != 200 {
		t.Fatalf("play: %d %s", got.status, got.body)
	}
	if got := status(); got != "running" {
		t.Errorf("played: %s", got)
	}
	end := func(id int64, with string) {
		s.Update(func(w *gitlabtest.World) {
			job, pipeline, _ := w.Job(id)
			job.Status = with
			w.Ended(job, pipeline)
		})
	}
	end(5402, "success")
	if got := status(); got != "running" { // release hasn't run yet
		t.Errorf("approved: %s", got)
	}
	end(5403, "success")
	if got := status(); got != "success" { // the optional job doesn't count
		t.Errorf("released: %s", got)
	}
}

// The status of a pipeline, from its jobs.
func TestPipelineStatus(t *testing.T) {
	t.Parallel()
	for jobs, want := range map[string]string{
		"success success":         "success",
		"success failed":          "failed",
		"success failed?":         "success",
		"success manual":          "manual",
		"success manual?":         "success",
		"failed manual":           "manual",
		"failed manual created":   "manual",
		"success manual? created": "running",
		"failed running":          "running",
		"canceled success":        "canceled",
		"canceled? success":       "success",
		"canceled failed":         "failed",
		"skipped success":         "success",
		"failed! success":         "success", // retried
	} {
		p := &gitlabtest.Pipeline{ID: 1, Ref: "main", Status: "running", Follows: true}
		for i, state := range strings.Fields(jobs) {
			plain := strings.TrimRight(state, "?!")
			p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: int64(i + 1), Status: plain, AllowFailure: strings.HasSuffix(state, "?"), Retried: strings.HasSuffix(state, "!")})
		}
		w := &gitlabtest.World{}
		w.Ended(p.Jobs[0], p)
		if p.Status != want {
			t.Errorf("%s: %s, want %s", jobs, p.Status, want)
		}
	}
}

// A retried job's successor is younger than the jobs of later pipelines, in the world and
// by POST …/retry.
func TestRetriedDates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := start(t, gitlabtest.Options{Now: func() time.Time { return now }})
	type row struct {
		ID       int64
		Created  time.Time `json:"created_at"`
		Pipeline struct {
			ID      int64
			Created time.Time `json:"created_at"`
		}
	}
	list := func(path string) []row {
		var rows []row
		body := ask(t, s.APIURL+"/projects/5/"+path, credentials["private"]...).body
		if err := json.Unmarshal([]byte(body), &rows); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return rows
	}
	rows := list("jobs?per_page=2")
	if rows[0].ID != 5999 || rows[0].Pipeline.ID != 510 || !rows[0].Created.After(rows[1].Created) || !rows[0].Pipeline.Created.Before(rows[1].Pipeline.Created) {
		t.Errorf("in the world: %+v", rows)
	}
	if got := do(t, "POST", s.APIURL+"/projects/5/jobs/5302/retry", "", credentials["private"]...); got.status != 201 || !strings.Contains(got.body, `"created_at":"2026-06-01T12:00:00.000Z"`) {
		t.Errorf("retry: %d %s", got.status, got.body)
	}
	if rows := list("jobs?per_page=1"); rows[0].ID != 6000 || !rows[0].Created.Equal(now) {
		t.Errorf("retried: %+v", rows)
	}
	// A job's dates are in order.
	s.Update(func(w *gitlabtest.World) {
		job, _, _ := w.Job(5001)
		job.CreatedAt, job.StartedAt, job.FinishedAt = now, now.Add(90*time.Second), now.Add(100*time.Second)
	})
	got := ask(t, s.APIURL+"/projects/5/jobs/5001", credentials["private"]...).body
	for _, want := range []string{`"started_at":"2026-06-01T12:01:30.000Z"`, `"finished_at":"2026-06-01T12:01:40.000Z"`, `"duration":10`, `"queued_duration":90`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing: %s", want, got)
		}
	}
}

// If pipelines are for members only, strangers and guests see the project but not its
// pipelines: 403, or 404 for a pipeline that doesn't exist.
func TestPrivateJobs(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	for _, p := range []int{3, 4} {
		world.Projects[p].PrivateJobs = true
	}
	world.Projects[4].Visibility = gitlabtest.Internal
	for _, role := range []string{"guest", "reporter"} {
		world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: role, Kind: gitlabtest.KindPrivate, Roles: map[int64]string{4: role, 5: role}})
	}
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	for path, want := range map[string][]int{ // anonymous, a guest, a reporter, another project's job
		"pipelines":                                 {403, 403, 200, 403},
		"pipelines/400":                             {403, 403, 200, 403},
		"pipelines/999":                             {404, 404, 404, 404},
		"pipelines/latest":                          {403, 403, 200, 403},
		"pipelines/400/jobs":                        {403, 403, 200, 403},
		"pipelines/999/jobs":                        {403, 403, 404, 403},
		"pipelines/400/bridges":                     {403, 403, 200, 403},
		"jobs":                                      {401, 403, 200, 403},
		"jobs/4001":                                 {401, 403, 200, 401},
		"jobs/4001/trace":                           {401, 403, 200, 401},
		"jobs/4001/artifacts":                       {403, 403, 200, 403},
		"jobs/4001/artifacts/job.txt":               {403, 403, 200, 403},
		"jobs/4001/artifacts/tree":                  {403, 403, 200, 403},
		"jobs/artifacts/main/download?job=build":    {403, 403, 200, 403},
		"jobs/artifacts/main/raw/job.txt?job=build": {403, 403, 200, 403},
		"": {200, 200, 200, 200},
	} {
		address := strings.TrimSuffix(s.APIURL+"/projects/4/"+path, "/")
		for i, header := range [][]string{nil, {"PRIVATE-TOKEN", "guest"}, {"PRIVATE-TOKEN", "reporter"}, credentials["job"]} {
			if got := ask(t, address, header...); got.status != want[i] {
				t.Errorf("%s, caller %d: %d, want %d: %s", path, i, got.status, want[i], got.body)
			}
		}
	}
	if got := ask(t, s.APIURL+"/jobs/4001/artifacts", credentials["job"]...); got.status != 403 {
		t.Errorf("the runner's route: %d", got.status)
	}
}

// Only callers who can read the repository see the default branch. A job token can read a
// public project like anyone else, and a private one not at all.
func TestDefaultBranch(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: "guest", Kind: gitlabtest.KindPrivate, Roles: map[int64]string{5: "guest"}})
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	const branch = `"default_branch":"main"`
	for _, tt := range []struct {
		path   string
		header []string
		status int
		has    bool
	}{
		{"5", credentials["private"], 200, true}, {"5", credentials["bearer"], 200, true}, {"5", []string{"PRIVATE-TOKEN", "guest"}, 200, false},
		{"5", shopJob, 404, false}, {"5", nil, 404, false}, {"4", shopJob, 200, true}, {"4", nil, 200, true},
	} {
		if got := ask(t, s.APIURL+"/projects/"+tt.path, tt.header...); got.status != tt.status || strings.Contains(got.body, branch) != tt.has {
			t.Errorf("%s as %v: %d %s", tt.path, tt.header, got.status, got.body)
		}
	}
	other := start(t, gitlabtest.Options{Since: map[string]string{"job token: project": "19.4"}})
	if got := ask(t, other.APIURL+"/projects/5", shopJob...); got.status != 200 || !strings.Contains(got.body, branch) {
		t.Errorf("the other answer: %d %s", got.status, got.body)
	}
}
