package gitlabtest_test

import (
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

var shopJob = []string{"JOB-TOKEN", gitlabtest.ShopJobToken}

// TestMergeRequest checks GET /projects/:id/merge_requests/:iid, which accepts job tokens
// in newer versions, and its pipelines, which don't in any.
func TestMergeRequest(t *testing.T) {
	t.Parallel()
	const project, record = `{"message":"404 Project Not Found"}`, `{"message":"404 Not found"}`
	tests := []struct {
		version, path string
		who           []string
		status        int
		body          string
	}{
		{"", "3", credentials["private"], 200, `"iid":3,"project_id":5,"title":"A cart","description":"","state":"opened"`},
		{"", "3", credentials["private"], 200, `"source_branch":"feature/cart"`},
		{"", "3", credentials["private"], 200, `"head_pipeline":{"id":570,`},
		{"", "3", credentials["private"], 200, `"base_sha":"5000000000000000000000000000000000000002"`},
		{"", "4", credentials["private"], 200, `"state":"closed"`},
		{"", "99", credentials["private"], 404, record},
		{"", "99/pipelines", credentials["private"], 404, record},
		{"", "3/notes", credentials["private"], 404, `{"error":"404 Not Found"}`},
		{"", "3", shopJob, 200, `"iid":3`},
		{"", "99", shopJob, 404, record},
		{"18.3", "3", shopJob, 404, project},
		{"18.4", "3", shopJob, 200, `"iid":3`},
		{"", "3/pipelines", shopJob, 404, project},
		{"", "3", credentials["job"], 403, "not allowed from app to shop"},
		{"", "3", nil, 404, project},
		{"", "3/pipelines", nil, 404, project},
	}
	for _, tt := range tests {
		s := start(t, gitlabtest.Options{Version: tt.version})
		got := ask(t, s.APIURL+"/projects/group%2Fshop/merge_requests/"+tt.path, tt.who...)
		if got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s %s as %v: %d %s", tt.version, tt.path, tt.who, got.status, got.body)
		}
	}
	s := start(t, gitlabtest.Options{Since: map[string]string{"job token: merge request": "19.0"}, Version: "18.11"})
	if got := ask(t, s.APIURL+"/projects/5/merge_requests/3", shopJob...); got.status != 404 {
		t.Errorf("the other answer: %d", got.status)
	}
}

// TestMergeRequestPipelines follows app/finders/ci/pipelines_for_merge_request_finder.rb:
// the merge request's own pipelines of every type, then those of the source branch for
// its commits, even removed ones; from a fork, only those that the caller may read.
func TestMergeRequestPipelines(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	shop := world.Projects[4]
	fork := &gitlabtest.Project{ID: 6, Path: "fork/shop", Visibility: gitlabtest.Private, Pipelines: []*gitlabtest.Pipeline{
		{ID: 600, Ref: "idea", SHA: "a1", Status: "success"}, {ID: 601, Ref: "idea", SHA: "b2", Status: "success"},
		{ID: 602, Ref: "idea", SHA: "a1", Status: "success", Source: "webide"}, {ID: 603, Ref: "idea", SHA: "a1", Status: "success", Tag: true},
	}}
	world.Projects = append(world.Projects, fork)
	shop.MergeRequests = append(shop.MergeRequests,
		&gitlabtest.MergeRequest{IID: 8, SourceBranch: "idea", SourceProject: 6, TargetBranch: "main", SHA: "a1"},
		&gitlabtest.MergeRequest{IID: 9, SourceBranch: "idea", SourceProject: 66, TargetBranch: "main", SHA: "a1"})
	shop.Pipelines = append(shop.Pipelines, &gitlabtest.Pipeline{ID: 604, Ref: "refs/merge-requests/8/head", SHA: "a1", Status: "success", Source: "merge_request_event"})
	world.Tokens = append(world.Tokens, &gitlabtest.Token{Value: "both", Kind: gitlabtest.KindPrivate, Roles: map[int64]string{5: "reporter", 6: "guest"}})
	s := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(s.Close)
	for path, want := range map[string][]int64{
		"3/pipelines":                   {570, 560, 550, 545, 515},
		"3/pipelines?per_page=2&page=2": {550, 545},
		"4/pipelines":                   {505},
		"8/pipelines":                   {604},
		"9/pipelines":                   {}, // the fork no longer exists
	} {
		if got := ids(t, ask(t, s.APIURL+"/projects/5/merge_requests/"+path, credentials["private"]...).body); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	got := ask(t, s.APIURL+"/projects/5/merge_requests/8/pipelines", "PRIVATE-TOKEN", "both").body
	if !slices.Equal(ids(t, got), []int64{604, 600}) || !strings.Contains(got, `"id":600,"iid":0,"project_id":6`) {
		t.Errorf("of a fork: %s", got)
	}
	// A guest can't read a private project's code, and so can't read its merge requests
	// either.
	s.Update(func(w *gitlabtest.World) { w.Token("both").Roles[5] = "guest" })
	for path, want := range map[string]int{"3": 403, "3/pipelines": 403, "99": 404} {
		if got := ask(t, s.APIURL+"/projects/5/merge_requests/"+path, "PRIVATE-TOKEN", "both"); got.status != want {
			t.Errorf("a guest on %s: %d, want %d", path, got.status, want)
		}
	}
}

// The ref of each type finds its merge request pipeline, on the artifacts API too.
func TestMergeRequestRefs(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for ref, want := range map[string]string{
		"refs/merge-requests/3/head": "build 5501\n", "refs/merge-requests/3/merge": "build 5601\n",
		"refs/merge-requests/3/train": `{"message":"404 Not found"}`, // still running
		"feature/cart":                "build 5451\n",                // the newest pipeline, whatever its commit
	} {
		if got := ask(t, s.APIURL+"/projects/5/jobs/artifacts/"+ref+"/raw/job.txt?job=build", credentials["private"]...); got.body != want {
			t.Errorf("%s: %d %q", ref, got.status, got.body)
		}
	}
	s.Update(func(w *gitlabtest.World) { w.Projects[4].Pipeline(570).Status = "success" })
	if got := ask(t, s.APIURL+"/projects/5/jobs/artifacts/refs%2Fmerge-requests%2F3%2Ftrain/raw/job.txt?job=build", credentials["private"]...); got.body != "build 5702\n" {
		t.Errorf("the train: %d %q", got.status, got.body)
	}
}
