package resolve_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// reportsOf returns a job with reports, but no archive.
func reportsOf(id int64, name string, types ...string) gitlab.Job {
	job := gitlab.Job{ID: id, Name: name, Status: "success", Pipeline: gitlab.Pipeline{ID: 9, Ref: "main"}, Artifacts: []gitlab.ArtifactFile{{FileType: "trace"}}}
	for _, kind := range types {
		job.Artifacts = append(job.Artifacts, gitlab.ArtifactFile{FileType: kind, Size: id, Filename: kind + ".x", FileFormat: "raw"})
	}
	return job
}

func TestReports(t *testing.T) {
	t.Parallel()
	jobs := []gitlab.Job{reportsOf(1, "test 1", "junit"), reportsOf(2, "test 2", "junit", "sast"), reportsOf(3, "scan", "sast"), reportsOf(4, "other", "dotenv")}
	pipeline := gitlab.Pipeline{ID: 9, Ref: "main", Status: "success", Source: "push"}
	for _, tt := range []struct {
		names, types []string
		want         []string // ID, type
		lacks        string
	}{
		{[]string{"test 1"}, []string{"junit"}, []string{"1 junit"}, ""},
		{[]string{"test 2"}, []string{"sast", "junit", "sast"}, []string{"2 sast", "2 junit"}, ""},
		{[]string{"test 1"}, []string{"junit", "sast"}, nil, "sast"},
		{[]string{"test*"}, []string{"junit", "sast"}, []string{"1 junit", "2 junit", "2 sast"}, ""},
		{[]string{"*"}, []string{"sast"}, []string{"2 sast", "3 sast"}, ""},
		{[]string{"test 1", "s*"}, []string{"junit"}, nil, "junit"},           // none that s* means has it
		{[]string{"test 1", "test*"}, []string{"junit", "sast"}, nil, "sast"}, // a job named in full must have all of them
		{[]string{"*"}, []string{"dast"}, nil, "dast"},
	} {
		api := &fakeAPI{pipelines: []gitlab.Pipeline{pipeline}, jobs: jobs}
		q := resolve.Query{Project: "7", Ref: "main", Jobs: tt.names, Reports: tt.types}
		found, err := resolve.New(resolve.Options{API: api}).Artifacts(t.Context(), q)
		var got []string
		for _, a := range found {
			got = append(got, fmt.Sprint(a.JobID, " ", a.Report.Type))
			if a.URL != "report "+a.Report.Type || a.Size != a.JobID || a.Report.Name != a.Report.Type+".x" {
				t.Errorf("%v: %+v", tt, a)
			}
		}
		empty, none := errors.AsType[*resolve.NoArchiveError](err)
		if none != (tt.lacks != "") || none && empty.Artifact.Report.Type != tt.lacks || err == nil && !slices.Equal(got, tt.want) {
			t.Errorf("%v %v: %v, %v", tt.names, tt.types, got, err)
		}
	}
}

// Without the job's ID, there is no report: by ref, GitLab only serves the archive.
func TestReportsNeedTheJob(t *testing.T) {
	t.Parallel()
	q := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"test"}, Reports: []string{"junit"}}
	api := &fakeAPI{pipelinesErr: nobody, jobsErr: nobody}
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	if _, one := r.ByRef(q); one {
		t.Error("by ref")
	}
	if _, err := r.Artifacts(t.Context(), q); err == nil {
		t.Error("found without a list")
	} else if _, closed := errors.AsType[*resolve.ClosedError](err); !closed {
		t.Errorf("%v (%T)", err, err)
	}
	q.JobID, q.Jobs, q.Ref = 5, nil, ""
	found, err := r.Artifacts(t.Context(), q)
	if err != nil || len(found) != 1 || found[0].URL != "report junit" || found[0].Reports != nil {
		t.Errorf("%+v, %v", found, err)
	}
}
