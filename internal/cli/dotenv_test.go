package cli

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/internal/cli/internal/dotenv"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// The report's variables take precedence in later jobs: none may be a flag's variable, one
// that GitLab or a runner reads, or, with any prefix, become one.
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
	for _, v := range dotenv.Fetched(retrieve.Output{}, nil) {
		if owner := taken[dotenv.DefaultPrefix+v.Name]; owner != "" {
			t.Errorf("%s%s steers %s", dotenv.DefaultPrefix, v.Name, owner)
		}
		for name, owner := range taken {
			prefix, ends := strings.CutSuffix(name, v.Name)
			if ends && (dotenv.Report{Prefix: prefix}).Check() == nil || ends && (dotenv.Report{Prefix: strings.ToLower(prefix)}).Check() == nil {
				t.Errorf("--dotenv-prefix %s makes %s, which steers %s", prefix, name, owner)
			}
		}
	}
}
