package cli

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/jobs"
	"gitlab.com/artifetch/artifetch/resolve"
)

// optionsOf returns the options that a command line results in, without running it.
func optionsOf[O any](t *testing.T, line string, read func(*cli.Context) (O, error)) (o O, err error) {
	t.Helper()
	OneAtATime.Lock()
	defer OneAtATime.Unlock()
	con := console.New(nil, io.Discard, io.Discard)
	app := newApp(con)
	for _, c := range app.Commands {
		for _, c := range append(c.Subcommands, c) {
			c.Action = func(c *cli.Context) error {
				o, err = read(c)
				return nil
			}
		}
	}
	args, arrangeErr := arrange.Args(app, strings.Fields("artifetch "+line))
	if arrangeErr != nil {
		t.Fatal(arrangeErr)
	}
	if runErr := app.RunContext(t.Context(), args); runErr != nil {
		t.Fatal(runErr)
	}
	return o, err
}

// wantUsage checks that an error is a usage error that contains certain words.
func wantUsage(t *testing.T, line string, err error, words string) {
	t.Helper()
	if words == "" && err == nil {
		return
	}
	if err == nil || words == "" || failure.Of(err) != failure.CodeUsage || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %v, want %q", line, err, words)
	}
}

func TestGlobalOptions(t *testing.T) {
	for _, tt := range []struct {
		line, retries string // the second from the environment
		want          globalOptions
	}{
		{"doctor", "", globalOptions{anyProject: true, variables: map[string]string{}}},
		{"doctor --retries 0", "7", globalOptions{anyProject: true, retries: -1, variables: map[string]string{}}},
		{"doctor", "7", globalOptions{anyProject: true, retries: 7, variables: map[string]string{}}},
		{"-q doctor -R 1 --deadline 1m --stall-timeout 2s --retry-max-time 3s", "", globalOptions{quiet: true, deadline: time.Minute, stallTimeout: 2 * time.Second, retryMaxTime: 3 * time.Second, variables: map[string]string{}}},
		{"doctor -v --log-format json --server-url https://x --token-type job", "", globalOptions{
			anyProject: true, verbose: true, logFormat: "json", variables: map[string]string{"ARTIFETCH_SERVER_URL": "https://x", "ARTIFETCH_TOKEN_TYPE": "job"},
		}},
	} {
		t.Setenv("ARTIFETCH_RETRIES", tt.retries)
		got, err := optionsOf(t, tt.line, func(c *cli.Context) (globalOptions, error) { return readGlobal(c), nil })
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(globalOptions{})); diff != "" || err != nil {
			t.Errorf("%s: %v %s", tt.line, err, diff)
		}
	}
}

func TestJobsOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, usage string }{
		{"jobs", ""},
		{"jobs --format jsonl --scope failed --scope success --limit 0", ""},
		{"jobs 5", "takes no argument"},
		{"jobs --format yaml", "--format"},
		{"jobs --scope green", `--scope "green"`},
	} {
		_, err := optionsOf(t, tt.line, readJobs)
		wantUsage(t, tt.line, err, tt.usage)
	}
	got, _ := optionsOf(t, "jobs -R g/p --ref main --pipeline latest --name t* --with-artifacts --include-retried --limit 7", readJobs)
	want := jobsOptions{project: "g/p", pipeline: "latest", format: "text", query: jobs.Query{
		Query: resolve.Query{Ref: "main"}, Name: "t*", WithArtifacts: true, IncludeRetried: true, Limit: 7,
	}}
	got.global = globalOptions{}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(jobsOptions{}, globalOptions{})); diff != "" {
		t.Error(diff)
	}
}

// Which list to show depends on the environment: a pipeline's, a ref's or a project's.
func TestJobsQuery(t *testing.T) {
	t.Parallel()
	inJob := env.Config{Project: "1", ProjectPath: "g/p", Ref: "main", PipelineID: 9}
	for _, tt := range []struct {
		line  string
		cfg   env.Config
		want  resolve.Query
		usage string
	}{
		{"jobs", inJob, resolve.Query{Project: "1"}, ""},
		{"jobs", env.Config{}, resolve.Query{}, "no project"},
		{"jobs --pipeline latest", inJob, resolve.Query{Project: "1", Ref: "main", Latest: true}, ""},
		{"jobs --pipeline latest -R g/other", inJob, resolve.Query{Project: "g/other", Latest: true}, "no ref given"},
		{"jobs --pipeline current", inJob, resolve.Query{Project: "1", PipelineID: 9}, ""},
		{"jobs --pipeline current", env.Config{Project: "1"}, resolve.Query{}, "CI_PIPELINE_ID"},
		{"jobs --pipeline 7 --ref main", inJob, resolve.Query{Project: "1", Ref: "main", PipelineID: 7}, "each say which pipeline"},
		{"jobs --pipeline x", inJob, resolve.Query{}, "--pipeline"},
	} {
		o, err := optionsOf(t, tt.line, readJobs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.list(tt.cfg)
		wantUsage(t, tt.line, err, tt.usage)
		if diff := cmp.Diff(tt.want, got.Query); diff != "" {
			t.Errorf("%s: %s", tt.line, diff)
		}
	}
}

func TestJobOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, usage string }{
		{"job show", ""},
		{"job show 5", ""},
		{"job show 5 6", "takes one ID"},
		{"job cancel", "no job given"},
		{"job erase", "no job given"},
		{"job log", "no job given"},
		{"job play 5 --variable A=", ""},
		{"job play 5 --variable A", "not KEY=VALUE"},
		{"job play 5 --variable =b", "not KEY=VALUE"},
		{"job retry 5 --format jsonl", "--format"},
	} {
		_, err := optionsOf(t, tt.line, readJob)
		wantUsage(t, tt.line, err, tt.usage)
	}
	got, err := optionsOf(t, "job play 5 --variable A=b=c --variable D= --format json -R 1", readJob)
	got.global = globalOptions{}
	want := jobOptions{query: queryOptions{project: "1"}, id: "5", asJSON: true, variables: []gitlab.Variable{{Key: "A", Value: "b=c"}, {Key: "D"}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(jobOptions{}, globalOptions{}, queryOptions{})); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if o, _ := optionsOf(t, "job cancel 5 --force", readJob); !o.force {
		t.Error("--force is not read")
	}
	if o, _ := optionsOf(t, "job erase 5 -y", readJob); !o.yes {
		t.Error("--yes is not read")
	}
	if o, _ := optionsOf(t, "job log 5 -f --no-ansi", readJobLog); !o.follow || !o.plain {
		t.Errorf("%+v", o)
	}
}

// A job is an ID or an address, or the running job where that is allowed.
func TestJobAt(t *testing.T) {
	t.Parallel()
	cfg, err := env.Load(t.Context(), mapLookuper{"CI_API_V4_URL": "https://gitlab.example.com/api/v4", "CI_JOB_ID": "3", "CI_PROJECT_ID": "1", "GITLAB_CI": "true"})
	if err != nil {
		t.Fatal(err)
	}
	const page = "https://gitlab.example.com/g/p/-/jobs/5"
	for _, tt := range []struct {
		project, value string
		path           string
		id             int64
		usage          string
	}{
		{"", "", "1", 3, ""},
		{"g/q", "7", "g/q", 7, ""},
		{"", page, "g/p", 5, ""},
		{"g/q", page, "g/q", 5, ""},
		{"", "https://gitlab.example.com/g/p", "", 0, "no job in"},
		{"", "https://elsewhere.example.com/g/p/-/jobs/5", "", 0, "isn't on"},
		{"", "five", "", 0, "isn't the number"},
		{"", "-5", "", 0, "isn't the number"},
	} {
		path, id, err := jobAt(cfg, tt.project, tt.value)
		wantUsage(t, tt.project+" "+tt.value, err, tt.usage)
		if err == nil && (path != tt.path || id != tt.id) {
			t.Errorf("%q of %q: job %d of %s", tt.value, tt.project, id, path)
		}
	}
	cfg.JobID, cfg.Project = 0, ""
	_, _, err = jobAt(cfg, "1", "")
	wantUsage(t, "no job runs here", err, "no job given")
	_, _, err = jobAt(cfg, "", "5")
	wantUsage(t, "no project is known", err, "no project")
}

// mapLookuper is an environment.
type mapLookuper map[string]string

// Lookup implements envconfig.Lookuper.
func (m mapLookuper) Lookup(key string) (string, bool) {
	value, found := m[key]
	return value, found
}

func TestDoctorOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, usage string }{
		{"doctor -R g/p --format json", ""},
		{"doctor x", "takes no argument"},
		{"doctor --format yaml", "--format"},
	} {
		o, err := optionsOf(t, tt.line, readDoctor)
		wantUsage(t, tt.line, err, tt.usage)
		if err == nil && (o.project != "g/p" || !o.asJSON || o.global.retries != -1) {
			t.Errorf("%+v", o)
		}
	}
}

func TestCompletionOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, usage string }{
		{"completion bash", ""}, {"completion powershell", ""},
		{"completion", "name of a shell"}, {"completion csh", `no completion for "csh"`}, {"completion bash zsh", "name of one shell"},
	} {
		script, err := optionsOf(t, tt.line, readCompletion)
		wantUsage(t, tt.line, err, tt.usage)
		if err == nil && !strings.Contains(script, "__complete") {
			t.Errorf("%s: %q", tt.line, script)
		}
	}
}
