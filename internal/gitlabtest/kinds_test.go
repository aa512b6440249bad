package gitlabtest_test

import (
	"maps"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// TestCounts counts one request of every kind, and those that were throttled.
func TestCounts(t *testing.T) {
	t.Parallel()
	at := newClock()
	s := start(t, gitlabtest.Options{Now: at.now, Mode: gitlabtest.ModeRedirect, Limits: &gitlabtest.Limits{Project: 1}})
	want := map[string]int{}
	for kind, paths := range map[string][]string{
		gitlabtest.AskedArchive:       {oneJob + "/artifacts", oneJob + "/artifacts?file_type=archive"},
		gitlabtest.AskedReport:        {oneJob + "/artifacts?file_type=junit"},
		gitlabtest.AskedArchiveByRef:  {"projects/1/jobs/artifacts/main/download?job=build", "projects/group%2Fapp/jobs/artifacts/a/b/download"},
		gitlabtest.AskedFile:          {oneJob + "/artifacts/dist/app", oneJob + "/artifacts/tree/x"},
		gitlabtest.AskedFileByRef:     {"projects/1/jobs/artifacts/main/raw/dist/app?job=build"},
		gitlabtest.AskedTree:          {oneJob + "/artifacts/tree"},
		gitlabtest.AskedRunner:        {runnerRoute},
		gitlabtest.AskedOwnJob:        {"job"},
		gitlabtest.AskedOneJob:        {oneJob},
		gitlabtest.AskedLog:           {oneJob + "/trace"},
		gitlabtest.AskedProjectJobs:   {jobsIndex + "?per_page=1"},
		gitlabtest.AskedPipelineJobs:  {"projects/1/pipelines/100/jobs"},
		gitlabtest.AskedBridges:       {"projects/1/pipelines/100/bridges", "projects/1/pipelines/100/trigger_jobs"},
		gitlabtest.AskedPipelines:     {"projects/1/pipelines"},
		gitlabtest.AskedPipeline:      {"projects/1/pipelines/100", "projects/1/pipelines/latest"},
		gitlabtest.AskedProject:       {oneProject, "projects/group%2Fapp"},
		gitlabtest.AskedMergeRequest:  {"projects/5/merge_requests/3"},
		gitlabtest.AskedMergePipeline: {"projects/5/merge_requests/3/pipelines"},
		gitlabtest.AskedRepository:    {"projects/5/repository/branches", "projects/5/repository/merge_base?refs[]=a&refs[]=b"},
		gitlabtest.AskedInstance:      {"metadata", "version", "user"},
		gitlabtest.AskedOther:         {"projects", "projects/1/nothing", "groups/1"},
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
	want[gitlabtest.AskedAction], want[gitlabtest.AskedUpload], want[gitlabtest.AskedStorage] = 2, 1, 1
	if got := s.Counts(); !maps.Equal(got, want) {
		t.Errorf("counts:\n%v, want\n%v", got, want)
	}
	if got := s.Throttled(); !maps.Equal(got, map[string]int{gitlabtest.AskedProject: 1}) {
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
