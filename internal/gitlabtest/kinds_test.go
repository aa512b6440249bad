package gitlabtest_test

import (
	"maps"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/asked"
)

// TestCounts counts one request of every kind, and the throttled ones.
func TestCounts(t *testing.T) {
	t.Parallel()
	at := newClock()
	s := start(t, gitlabtest.Options{Now: at.now, Mode: gitlabtest.ModeRedirect, Limits: &gitlabtest.Limits{Project: 1}})
	want := map[string]int{}
	for kind, paths := range map[string][]string{
		asked.Archive:       {oneJob + "/artifacts", oneJob + "/artifacts?file_type=archive"},
		asked.Report:        {oneJob + "/artifacts?file_type=junit"},
		asked.ArchiveByRef:  {"projects/1/jobs/artifacts/main/download?job=build", "projects/group%2Fapp/jobs/artifacts/a/b/download"},
		asked.File:          {oneJob + "/artifacts/dist/app", oneJob + "/artifacts/tree/x"},
		asked.FileByRef:     {"projects/1/jobs/artifacts/main/raw/dist/app?job=build"},
		asked.Tree:          {oneJob + "/artifacts/tree"},
		asked.Runner:        {runnerRoute},
		asked.OwnJob:        {"job"},
		asked.OneJob:        {oneJob},
		asked.Log:           {oneJob + "/trace"},
		asked.ProjectJobs:   {jobsIndex + "?per_page=1"},
		asked.PipelineJobs:  {"projects/1/pipelines/100/jobs"},
		asked.Bridges:       {"projects/1/pipelines/100/bridges", "projects/1/pipelines/100/trigger_jobs"},
		asked.Pipelines:     {"projects/1/pipelines"},
		asked.Pipeline:      {"projects/1/pipelines/100", "projects/1/pipelines/latest"},
		asked.Project:       {oneProject, "projects/group%2Fapp"},
		asked.MergeRequest:  {"projects/5/merge_requests/3"},
		asked.MergePipeline: {"projects/5/merge_requests/3/pipelines"},
		asked.Repository:    {"projects/5/repository/branches", "projects/5/repository/merge_base?refs[]=a&refs[]=b"},
		asked.Instance:      {"metadata", "version", "user", "projects", "personal_access_tokens/self"},
		asked.Other:         {"projects/1/nothing", "groups/1"},
	} {
		for _, path := range paths {
			ask(t, s.APIURL+"/"+path, credentials["private"]...)
		}
		want[kind] = len(paths)
	}
	do(t, "POST", s.APIURL+"/"+oneJob+"/artifacts/keep", "", credentials["private"]...)
	do(t, "DELETE", s.APIURL+"/"+oneJob+"/artifacts", "", credentials["private"]...)
	do(t, "POST", s.APIURL+"/jobs/1001/artifacts", "", credentials["job"]...)
	ask(t, s.StorageURL)
	want[asked.Action], want[asked.Upload], want[asked.Storage] = 2, 1, 1
	if got := s.Counts(); !maps.Equal(got, want) {
		t.Errorf("counts:\n%v, want\n%v", got, want)
	}
	if got := s.Throttled(); !maps.Equal(got, map[string]int{asked.Project: 1}) {
		t.Errorf("throttled: %v", got)
	}
	s.ResetRequests()
	if got := s.Counts(); len(got) != 0 {
		t.Errorf("counts after a reset: %v", got)
	}
	if got := ask(t, s.APIURL+"/"+oneProject, credentials["private"]...); got.status != 429 {
		t.Errorf("a reset of the counts opened the window: %d", got.status)
	}
}
