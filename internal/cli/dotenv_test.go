package cli

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// GitLab expands what it reads, so that a dollar is doubled, and takes files that are
// smaller than its limit.
func TestDotenvText(t *testing.T) {
	t.Parallel()
	d := dotenv{prefix: "LIB_"}
	if got, err := d.text([]variable{{"REF", "a$CI_JOB_TOKEN=${b}"}, {"SHA", ""}}); err != nil || got != "LIB_REF=a$$CI_JOB_TOKEN=$${b}\nLIB_SHA=\n" {
		t.Errorf("%q, %v", got, err)
	}
	room := maxDotenv - len("LIB_REF=\n")
	if _, err := d.text([]variable{{"REF", strings.Repeat("x", room-1)}}); err != nil {
		t.Error(err)
	}
	if _, err := d.text([]variable{{"REF", strings.Repeat("x", room)}}); exitCode(err) != codeUsage {
		t.Errorf("as large as the limit: %v", err)
	}
	for _, odd := range []string{" x", "x\t", "x\ny", "x\r", "x\u0085y", "\xff", "x\x00"} {
		if _, err := d.text([]variable{{"REF", odd}}); exitCode(err) != codeUsage {
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
		if want := map[string]string{"FOUND": "false"}[v.name]; v.value != want {
			t.Errorf("%s = %q of nothing", v.name, v.value)
		}
	}
}

// Later jobs get the report's variables above their own: none may be the variable of
// a flag, one that GitLab or a runner reads, or make one with any prefix that is taken.
func TestReportSteersNothing(t *testing.T) {
	t.Parallel()
	taken := map[string]string{ // https://docs.gitlab.com/ci/runners/configure_runners/
		"ARTIFACT_COMPRESSION_LEVEL": "the runner", "ARTIFACT_DOWNLOAD_ATTEMPTS": "the runner",
		"CI_PROJECT_ID": "env", "CI_PIPELINE_ID": "env", "CI_JOB_ID": "env", "CI_COMMIT_SHA": "env", "GITLAB_TOKEN": "env",
	}
	app := newApp(console.New(nil, nil, nil))
	of := func(command string, flags []cli.Flag) {
		for _, f := range flags {
			for _, name := range f.Names() {
				taken[envName(name)] = command + " --" + name
			}
		}
	}
	of("artifetch", app.Flags)
	for _, c := range app.Commands {
		of(c.Name, c.Flags)
		for _, sub := range c.Subcommands {
			of(c.Name+" "+sub.Name, sub.Flags)
		}
	}
	if taken["ARTIFETCH_JOB_ID"] == "" || taken["ARTIFETCH_VARIABLE"] == "" || len(taken) < 60 {
		t.Fatalf("not all flags were found: %d", len(taken))
	}
	for _, v := range fetchedVariables(retrieve.Output{}, nil) {
		if owner := taken[defaultPrefix+v.name]; owner != "" {
			t.Errorf("%s%s steers %s", defaultPrefix, v.name, owner)
		}
		for name, owner := range taken {
			prefix, ends := strings.CutSuffix(name, v.name)
			if ends && checkPrefix(prefix) == nil || ends && checkPrefix(strings.ToLower(prefix)) == nil {
				t.Errorf("--dotenv-prefix %s makes %s, which steers %s", prefix, name, owner)
			}
		}
	}
	for prefix, want := range map[string]code{"LIB_": codeDone, "_": codeDone, "a": codeDone, "": codeUsage, "1A_": codeUsage, "A-B_": codeUsage, "É_": codeUsage, "A B": codeUsage, "A\n": codeUsage, "ARTIFETCH_LIB_": codeUsage} {
		if err := checkPrefix(prefix); (err == nil) != (want == codeDone) || err != nil && exitCode(err) != want {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

// What is empty because it is unknown is told by its name, with the cause.
func TestUnknownValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		found []resolve.Artifact
		want  map[string]string // names, by a part of the cause
	}{
		{"nothing", nil, nil},
		{"all known", []resolve.Artifact{{Found: resolve.ByListing, JobID: 1, PipelineID: 2, Ref: "main", SHA: "a", SHA256: "b"}}, nil},
		{"by ref", []resolve.Artifact{{Found: resolve.ByRef, Ref: "main", JobName: "build", SHA256: "b"}}, map[string]string{"which job it chose": "PIPELINE_ID,SHA,JOB_ID"}},
		{"by id", []resolve.Artifact{{Found: resolve.ByID, JobID: 1}}, map[string]string{"look up a job by its ID": "PIPELINE_ID,REF,SHA", "no SHA-256": "DIGEST"}},
		{"several", []resolve.Artifact{{Found: resolve.ByRef, Ref: "main"}, {Found: resolve.ByRef, Ref: "main", SHA256: "b"}}, map[string]string{"which job it chose": "PIPELINE_ID,SHA,JOB_ID", "no SHA-256": "DIGEST"}},
	} {
		got := unknown(tt.found)
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
