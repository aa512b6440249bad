package dotenv

import (
	"errors"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/resolve"
)

// GitLab expands the values, so dollar signs are doubled, and only accepts files below its
// size limit.
func TestDotenvText(t *testing.T) {
	t.Parallel()
	d := Report{Prefix: "LIB_"}
	if got, err := d.text([]Variable{{"REF", "a$CI_JOB_TOKEN=${b}"}, {"SHA", ""}}); err != nil || got != "LIB_REF=a$$CI_JOB_TOKEN=$${b}\nLIB_SHA=\n" {
		t.Errorf("%q, %v", got, err)
	}
	room := maxSize - len("LIB_REF=\n")
	if _, err := d.text([]Variable{{"REF", strings.Repeat("x", room-1)}}); err != nil {
		t.Error(err)
	}
	if _, err := d.text([]Variable{{"REF", strings.Repeat("x", room)}}); !isError(err) {
		t.Errorf("as large as the limit: %v", err)
	}
	for _, odd := range []string{" x", "x\t", "x\ny", "x\r", "x\u0085y", "\xff", "x\x00"} {
		if _, err := d.text([]Variable{{"REF", odd}}); !isError(err) {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

// The n-th value is for the n-th job, unless a single value is for all.
func TestVariables(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, v := range Variables([]resolve.Artifact{
		{Project: "1", PipelineID: 10, Ref: "main", JobID: 3},
		{Project: "1", PipelineID: 10, JobID: 4},
		{Project: "1", PipelineID: 11, Ref: "main"},
	}) {
		got[v.Name] = v.Value
	}
	for name, want := range map[string]string{"PROJECT": "1", "PIPELINE_ID": "10,10,11", "REF": "main,,main", "SHA": "", "JOB_ID": "3,4,", "DIGEST": ""} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	clear(got)
	report := func(job int64, kind, digest string) resolve.Artifact {
		return resolve.Artifact{Project: "1", JobID: job, Status: "success", Report: resolve.Report{Type: kind}, SHA256: digest}
	}
	for _, v := range Variables([]resolve.Artifact{report(3, "junit", "a"), report(3, "sast", ""), report(4, "junit", ""), report(4, "sast", "")}) {
		got[v.Name] = v.Value
	}
	for name, want := range map[string]string{"JOB_ID": "3,4", "STATUS": "success,success", "DIGEST": "a,,,", "PROJECT": "1"} {
		if got[name] != want {
			t.Errorf("of reports: %s = %q, want %q", name, got[name], want)
		}
	}
	for _, v := range Variables(nil) {
		if want := map[string]string{"FOUND": "false"}[v.Name]; v.Value != want {
			t.Errorf("%s = %q of nothing", v.Name, v.Value)
		}
	}
}

// Unknown values are listed by name, with the cause.
func TestUnknownValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		found []resolve.Artifact
		want  map[string]string // names, by a part of the cause
	}{
		{"nothing", nil, nil},
		{"all known", []resolve.Artifact{{Found: resolve.ByListing, JobID: 1, PipelineID: 2, Ref: "main", SHA: "a", Status: "success", SHA256: "b"}}, nil},
		{"by ref", []resolve.Artifact{{Found: resolve.ByRef, Ref: "main", JobName: "build", SHA256: "b"}}, map[string]string{"which job it chose": "PIPELINE_ID,SHA,STATUS,JOB_ID"}},
		{"by id", []resolve.Artifact{{Found: resolve.ByID, JobID: 1}}, map[string]string{"look up a job by its ID": "PIPELINE_ID,REF,SHA,STATUS", "no SHA-256": "DIGEST"}},
		{"several", []resolve.Artifact{{Found: resolve.ByRef, Ref: "main"}, {Found: resolve.ByRef, Ref: "main", SHA256: "b"}}, map[string]string{"which job it chose": "PIPELINE_ID,SHA,STATUS,JOB_ID", "no SHA-256": "DIGEST"}},
	} {
		got := Report{}.Unknown(tt.found)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v", tt.name, got)
		}
		for cause, names := range got {
			for part, want := range tt.want {
				if strings.Contains(cause, part) && strings.Join(names, ",") != want {
					t.Errorf("%s: %s because %s; want %s", tt.name, names, cause, want)
				}
			}
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]bool{"LIB_": true, "_": true, "a": true, "": false, "1A_": false, "A-B_": false, "É_": false, "A B": false, "A\n": false, "ARTIFETCH_LIB_": false, "ci_": false} {
		if err := checkPrefix(prefix); (err == nil) != want || err != nil && !isError(err) {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

func isError(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}
