package gitlabtest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/feature"
)

// probe makes one request whose answer depends on a feature.
type probe func(t *testing.T, s *gitlabtest.Running) string

// get returns the status, the ETag and the body, without the server's address.
func get(path string, header ...string) probe {
	return func(t *testing.T, s *gitlabtest.Running) string {
		t.Helper()
		got := ask(t, s.APIURL+"/"+path, header...)
		return fmt.Sprint(got.status, " ", got.header.Get("ETag"), " ", strings.ReplaceAll(got.body, s.URL, ""))
	}
}

// variable returns one variable of a job.
func variable(job int64, name string) probe {
	return func(t *testing.T, s *gitlabtest.Running) string {
		t.Helper()
		vars, err := s.Env(job)
		if err != nil {
			t.Fatal(err)
		}
		_, set := vars[name]
		return fmt.Sprint(set)
	}
}

// after changes the world first.
func after(change func(*gitlabtest.World), then probe) probe {
	return func(t *testing.T, s *gitlabtest.Running) string {
		t.Helper()
		s.Update(change)
		return then(t, s)
	}
}

// TestSince turns each feature of the table on and off, and expects a difference that the
// version alone doesn't make.
func TestSince(t *testing.T) {
	t.Parallel()
	private, job := credentials["private"], credentials["job"]
	probes := map[string]probe{
		"metadata":                           get("metadata", private...),
		"personal_access_tokens/self":        get("personal_access_tokens/self", private...),
		"artifacts tree":                     get("projects/1/jobs/1001/artifacts/tree", private...),
		"search_recent_successful_pipelines": get("projects/1/jobs/artifacts/main/download?job=old-only&search_recent_successful_pipelines=true", private...),
		"digest as ETag":                     get("projects/1/jobs/1001/artifacts", private...),
		"404 for reports alone by ref": after(func(w *gitlabtest.World) {
			j, _, _ := w.Job(1001)
			j.Archive, j.Files, j.Reports = nil, nil, []string{"junit"}
		}, get("projects/1/jobs/artifacts/main/download?job=build", private...)),
		"job token permissions": after(func(w *gitlabtest.World) {
			w.Projects[1].JobTokenPolicies = map[int64][]string{1: {"read_packages"}}
		}, get("projects/2/jobs/2001/artifacts", job...)),
		"trigger_jobs": get("projects/1/pipelines/100/trigger_jobs", private...),
		"artifacts:access on the runner's route": after(func(w *gitlabtest.World) {
			j, _, _ := w.Job(1001)
			j.Access = "none"
		}, get("jobs/1001/artifacts", job...)),
		"file_type":            get("projects/1/jobs/1001/artifacts?file_type=sast", private...),
		"download_mode":        get("projects/1/jobs/1001/artifacts?download_mode=none", private...),
		"download_mode by ref": get("projects/1/jobs/artifacts/main/download?job=build&download_mode=none", private...),
		"job_inputs": func(t *testing.T, s *gitlabtest.Running) string {
			t.Helper()
			return fmt.Sprint(do(t, "POST", s.APIURL+"/projects/5/jobs/5402/play", `{"job_inputs":1}`, private...).status)
		},
		"upstream variables":               variable(1101, "CI_UPSTREAM_PIPELINE_ID"),
		"CI_SERVER_FQDN":                   variable(1001, "CI_SERVER_FQDN"),
		"CI_PIPELINE_SCHEDULE_DESCRIPTION": variable(5201, "CI_PIPELINE_SCHEDULE_DESCRIPTION"),
		"runner jobs limit": func(t *testing.T, s *gitlabtest.Running) string {
			t.Helper()
			return fmt.Sprint(allowed(t, 3, s.APIURL+"/"+runnerRoute, job...))
		},
		"ref includes merge requests": get("projects/5/pipelines?ref=feature/cart", private...),
		"job source":                  get("projects/5/jobs/5201", private...),
		"pipeline merge_request":      get("projects/5/pipelines/570", private...),
		"job token: project jobs":     get("projects/1/jobs", job...),
		"job token: pipeline jobs":    get("projects/1/pipelines/100/jobs", job...),
		"job token: pipelines":        get("projects/1/pipelines/100", job...),
		"job token: job":              get("projects/1/jobs/1001", job...),
		"job token: project":          get("projects/1", job...),
		"job token: commits":          get("projects/5/repository/commits/main", shopJob...),
		"job token: branches":         get("projects/5/repository/branches", shopJob...),
		"job token: merge request":    get("projects/5/merge_requests/3", shopJob...),
	}
	if got, want := slices.Sorted(maps.Keys(probes)), slices.Sorted(slices.Values(feature.Names())); !slices.Equal(got, want) {
		t.Errorf("probes of %q, features %q", got, want)
	}
	for name, probe := range probes {
		seen := map[string][]string{}
		for _, tt := range []struct{ version, since string }{{"16.0", "never"}, {"19.4", "never"}, {"19.4", "19.5"}, {"16.0", "15.11"}, {"16.0", "16.0"}} {
			since := map[string]string{}
			for _, other := range feature.Names() {
				since[other] = "never" // so the version changes nothing else
			}
			since[name] = tt.since
			s := start(t, gitlabtest.Options{Version: tt.version, Since: since, Limits: &gitlabtest.Limits{Runner: 1}, Now: newClock().now})
			got := probe(t, s)
			seen[got] = append(seen[got], tt.version+" since "+tt.since)
		}
		has, hasNot := []string{"16.0 since 15.11", "16.0 since 16.0"}, []string{"16.0 since never", "19.4 since never", "19.4 since 19.5"}
		groups := slices.Collect(maps.Values(seen))
		if len(groups) != 2 || !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, has) }) || !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, hasNot) }) {
			t.Errorf("%s: %v", name, seen)
		}
	}
}
