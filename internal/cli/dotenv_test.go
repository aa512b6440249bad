package cli

import (
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/resolve"
)

// GitLab expands what it reads, so that a dollar is doubled, and takes files that are
// smaller than its limit.
func TestDotenvText(t *testing.T) {
	t.Parallel()
	if got, err := dotenvText([]variable{{"REF", "a$CI_JOB_TOKEN=${b}"}, {"SHA", ""}}); err != nil || got != "ARTIFETCH_REF=a$$CI_JOB_TOKEN=$${b}\nARTIFETCH_SHA=\n" {
		t.Errorf("%q, %v", got, err)
	}
	room := maxDotenv - len("ARTIFETCH_REF=\n")
	if _, err := dotenvText([]variable{{"REF", strings.Repeat("x", room-1)}}); err != nil {
		t.Error(err)
	}
	if _, err := dotenvText([]variable{{"REF", strings.Repeat("x", room)}}); exitCode(err) != codeUsage {
		t.Errorf("as large as the limit: %v", err)
	}
	for _, odd := range []string{" x", "x\t", "x\ny", "x\r", "x\u0085y", "\xff", "x\x00"} {
		if _, err := dotenvText([]variable{{"REF", odd}}); exitCode(err) != codeUsage {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

// The n-th value is about the n-th job, unless one is about all.
func TestVariables(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, v := range variables([]resolve.Artifact{
		{Project: "1", PipelineID: 10, Ref: "main", JobID: 3},
		{Project: "1", PipelineID: 10, JobID: 4},
		{Project: "1", PipelineID: 11, Ref: "main"},
	}) {
		got[v.name] = v.value
	}
	for name, want := range map[string]string{"PROJECT": "1", "PIPELINE_ID": "10,10,11", "REF": "main,,main", "SHA": "", "JOB_ID": "3,4,", "DIGEST": ",,"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	for _, v := range variables(nil) {
		if v.value != "" {
			t.Errorf("%s = %q of nothing", v.name, v.value)
		}
	}
}
