package gitlabtest_test

import (
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestScope checks every form of the parameter scope on both lists of jobs:
// optional_scope of lib/api/ci/jobs.rb.
func TestScope(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for query, want := range map[string][]int64{
		"?scope=success":                      {5999, 5702, 5601, 5502, 5501, 5451, 5401, 5301, 5202, 5201, 5151, 5102, 5101, 5051, 5002, 5001},
		"?scope[]=failed":                     {5302, 5103},
		"?scope[]=failed&scope[]=manual":      {5404, 5402, 5302, 5103},
		"?scope%5B%5D=created&scope[]=failed": {5403, 5302, 5103},
		"?scope[0]=created&scope[x]=running":  {5701, 5403},
		"?scope[]=waiting_for_callback":       {},
		"?scope[]=running&per_page=1&page=2":  {},
	} {
		if got := ids(t, ask(t, s.APIURL+"/projects/5/jobs"+query, credentials["private"]...).body); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for query, want := range map[string][]int64{
		"":                                       {5999, 5102, 5101},
		"?include_retried=true":                  {5999, 5103, 5102, 5101},
		"?include_retried=1&scope=failed":        {5103},
		"?scope=failed":                          {}, // the failed job was retried
		"?include_retried=f&scope[]=success":     {5999, 5102, 5101},
		"?include_retried=&scope[]=success":      {5999, 5102, 5101},
		"?scope[]=success&per_page=2&page=2":     {5101},
		"?scope[]=canceled&scope[]=canceling":    {},
		"?include_retried=yes&scope[]=scheduled": {},
	} {
		if got := ids(t, ask(t, s.APIURL+"/projects/5/pipelines/510/jobs"+query, credentials["private"]...).body); !slices.Equal(got, want) {
			t.Errorf("pipeline 510%s: %v, want %v", query, got, want)
		}
	}
}

// If a route accepts anonymous requests, invalid values are refused with 400 before
// anything else.
func TestWrongParameters(t *testing.T) {
	t.Parallel()
	s := start(t, gitlabtest.Options{})
	for path, want := range map[string]string{
		"projects/9/pipelines/1/jobs?scope=done":                                          "scope does not have a valid value",
		"projects/9/pipelines/1/jobs?scope[]=success&scope[]=":                            "scope does not have a valid value",
		"projects/9/pipelines/1/jobs?scope[a]=Success":                                    "scope does not have a valid value",
		"projects/9/pipelines/1/jobs?include_retried=maybe":                               "include_retried is invalid",
		"projects/9/pipelines/1/jobs?page=one":                                            "page is invalid",
		"projects/9/pipelines/1/jobs?per_page=1.5":                                        "per_page is invalid",
		"projects/9/pipelines/1/bridges?scope=x":                                          "scope does not have a valid value",
		"projects/9/pipelines?source=PUSH":                                                "source does not have a valid value",
		"projects/9/pipelines?status=":                                                    "status does not have a valid value",
		"projects/9/pipelines?yaml_errors=perhaps":                                        "yaml_errors is invalid",
		"projects/9/pipelines?created_before=2026-13-01":                                  "created_before is invalid",
		"projects/9/pipelines?created_after=2026-04-01T25:00:00Z":                         "created_after is invalid",
		"projects/9/pipelines?updated_before=yesterday":                                   "updated_before is invalid",
		"projects/9/pipelines?updated_after=1":                                            "updated_after is invalid",
		"projects/9/pipelines?per_page=x&scope=y":                                         "per_page is invalid",
		"projects/9/pipelines?scope=y&order_by=z":                                         "scope does not have a valid value",
		"projects/9/merge_requests/x":                                                     "merge_request_iid is invalid",
		"projects/9/merge_requests/1/pipelines?page=x":                                    "page is invalid",
		"projects/9/repository/branches?per_page=x":                                       "per_page is invalid",
		"projects/9/repository/commits/main?stats=x":                                      "stats is invalid",
		"projects/9/repository/merge_base":                                                "refs is missing",
		"projects/9/jobs/1/artifacts?file_type=trace":                                     "file_type does not have a valid value",
		"projects/9/jobs/1/artifacts?download_mode=redirect":                              "download_mode does not have a valid value",
		"jobs/1/artifacts?direct_download=x":                                              "direct_download is invalid",
		"projects/9/jobs/artifacts/m/download?job=a&search_recent_successful_pipelines=x": "search_recent_successful_pipelines is invalid",
	} {
		if got := ask(t, s.APIURL+"/"+path); got.status != 400 || got.body != `{"error":"`+want+`"}` {
			t.Errorf("%s: %d %s, want 400 %s", path, got.status, got.body, want)
		}
	}
	// If the route authenticates first, 401 comes first.
	for path, who := range map[string]string{"projects/9/jobs?scope=done": "", "projects/5/jobs?scope=done": "private"} {
		got := ask(t, s.APIURL+"/"+path, credentials[who]...)
		if want := map[string]int{"": 401, "private": 400}[who]; got.status != want {
			t.Errorf("%s as %q: %d %s", path, who, got.status, got.body)
		}
	}
}

// An empty parameter filters nothing.
func TestEmptyFilters(t *testing.T) {
	t.Parallel()
	s := gitlabtest.Start(pipelineWorld(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	all := ids(t, ask(t, s.APIURL+"/projects/1/pipelines").body)
	for _, name := range []string{"ref", "sha", "username", "name", "yaml_errors", "updated_after", "created_before", "page", "per_page"} {
		if got := ids(t, ask(t, s.APIURL+"/projects/1/pipelines?"+name+"=").body); !slices.Equal(got, all) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := ids(t, ask(t, s.APIURL+"/projects/1/pipelines?username=nobody-of-that-name").body); len(got) > 0 {
		t.Errorf("an unknown user: %v", got)
	}
}

// TestSources has one pipeline for each source: the list has all of them except children;
// the search by ref uses only the CI sources.
func TestSources(t *testing.T) {
	t.Parallel()
	sources := []string{
		"push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "webide", "merge_request_event",
		"external_pull_request_event", "ondemand_dast_scan", "ondemand_dast_validation", "security_orchestration_policy",
		"container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule", "unknown",
	}
	for i, source := range sources {
		p := ran(1, &gitlabtest.Job{ID: 10, Name: "build", Archive: gitlabtest.Zip(gitlabtest.File{Name: "a"})})
		p.Source = source
		s := gitlabtest.Start(&gitlabtest.World{Projects: []*gitlabtest.Project{{ID: 1, Path: "g/p", Visibility: gitlabtest.Public, Pipelines: []*gitlabtest.Pipeline{p}}}}, gitlabtest.Options{})
		t.Cleanup(s.Close)
		other := sources[(i+1)%len(sources)]
		if got := ask(t, s.APIURL+"/projects/1/pipelines?source="+source).body; !strings.Contains(got, `"source":"`+source+`"`) {
			t.Errorf("%s: %s", source, got)
		}
		if got := ask(t, s.APIURL+"/projects/1/pipelines?source="+other).body; got != "[]" {
			t.Errorf("%s, asked for %s: %s", source, other, got)
		}
		want := 200
		if slices.Contains([]string{"webide", "ondemand_dast_scan", "ondemand_dast_validation", "security_orchestration_policy", "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule"}, source) {
			want = 404
		}
		if got := ask(t, s.APIURL+"/projects/1/jobs/artifacts/main/download?job=build"); got.status != want {
			t.Errorf("by ref, of %s: %d, want %d", source, got.status, want)
		}
	}
}

// For a branch, newer versions also list its merge request pipelines, unless the request
// asks for another source. Their refs are those of the merge request (gitlab!186590).
func TestWideRefs(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]map[string][]int64{
		"19.4": {
			"?ref=feature/cart":                            {570, 560, 550, 545, 515},
			"?ref=feature/cart&source=push":                {545, 515},
			"?ref=feature/cart&source=merge_request_event": {570, 560, 550},
			"?ref=refs/merge-requests/3/merge":             {560},
			"?ref=main&source=schedule":                    {520},
			"?ref=main&status=manual":                      {540},
		},
		"19.1": {"?ref=feature/cart": {545, 515}, "?ref=feature/cart&source=merge_request_event": {}},
	} {
		s := start(t, gitlabtest.Options{Version: version})
		for query, ids2 := range want {
			if got := ids(t, ask(t, s.APIURL+"/projects/5/pipelines"+query, credentials["private"]...).body); !slices.Equal(got, ids2) {
				t.Errorf("%s %s: %v, want %v", version, query, got, ids2)
			}
		}
	}
	s := start(t, gitlabtest.Options{Since: map[string]string{"ref includes merge requests": "never"}})
	if got := ids(t, ask(t, s.APIURL+"/projects/5/pipelines?ref=feature/cart", credentials["private"]...).body); !slices.Equal(got, []int64{545, 515}) {
		t.Errorf("the other answer: %v", got)
	}
}
