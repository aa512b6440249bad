package cli_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// An invalid query is reported with the names of flags, before any request.
func TestQueryMistakes(t *testing.T) {
	const sha = "0123456789abcdef0123456789abcdef01234567"
	t.Setenv("CI_PROJECT_ID", "")
	tests := []struct{ args, want string }{
		{"fetch --job a --ref b", "no token, and no project: GITLAB_TOKEN and CI_JOB_TOKEN are not set\n  set GITLAB_TOKEN"},
		{"fetch -R 1", "no job given\n  give --job NAME"},
		{"fetch -R 1 --job a", "no ref given\n  give --ref"},
		{"fetch -R 1 --job a --pipeline latest", "no ref given"},
		{"fetch -R 1 --job-id 5 --job a", "--job-id already says which job\n  leave out --job"},
		{"fetch -R 1 --job-id 5 --ref a", "--job-id already says which job"},
		{"fetch -R 1 --job-id 5 --pipeline 9", "--job-id and --pipeline each say which job or pipeline"},
		{"fetch -R 1 --job a --mr 3 --sha " + sha, "--sha and --mr each say which job or pipeline"},
		{"fetch -R 1 --job a --mr 3 --pipeline latest --ref b", "--pipeline and --mr each say which job or pipeline"},
		{"fetch -R 1 --job a --mr 0", "--mr must be a positive number"},
		{"fetch -R 1 --job a --mr -1", "--mr must be a positive number"},
		{"fetch --job a --mr https://gitlab.com/g/p/-/issues/3", "--mr: no merge request in https://gitlab.com/g/p/-/issues/3"},
		{"fetch --job a --mr https://example.com/g/p/-/merge_requests/3", "isn't on gitlab.com"},
		{"fetch -R 1 --job a --mr none", "--mr must be a positive number"},
		{"fetch -R 1 --job a --mr ", "flag needs an argument: --mr"},
		{"fetch -R 1 --job a --mr 3 --ref b --ref c", "--mr and --ref each say which pipeline\n  leave one of them out"},
		{"fetch -R 1 --job a --pipeline 9 --ref b --ref c", "--pipeline and --ref each say which pipeline"},
		{"fetch -R 1 --job a --pipeline upstream", "--pipeline upstream: CI_UPSTREAM_PIPELINE_ID is not set"},
		{"fetch -R 1 --job a --pipeline root", "--pipeline root: CI_PIPELINE_ID is not set"},
		{"fetch -R 1 --job a --pipeline rot", `--pipeline "rot" is unknown`},
		{"jobs -R 1 --pipeline upstream", "CI_UPSTREAM_PIPELINE_ID is not set"},
		{"fetch --job-id https://gitlab.com/g/p/-/jobs/artifacts/main/browse?job=a --ref b", "--job-id and --ref each say which job or pipeline"},
		{"fetch -R 1 --job a --sha abc", "--sha must be a full commit SHA\n  GitLab does not find pipelines by a short one: git rev-parse abc"},
		{"fetch -R 1 --job a --sha " + sha + " --recent", "--recent looks through the pipelines of a ref; --sha names one"},
		{"fetch -R 1 --job a --ref b --pipeline latest --recent", "--recent looks through the pipelines of a ref; --pipeline names one"},
		{"fetch -R 1 --job a --ref b --max-age 1h", "--max-age limits --recent and --any-pipeline, but neither is given\n  add one of them"},
		{"fetch -R 1 --job a --ref b --any-pipeline --recent", "--recent searches successful pipelines, --any-pipeline all\n  leave one of them out"},
		{"fetch -R 1 --job a --ref b --any-pipeline --any-status", "--any-pipeline takes jobs that have succeeded, --any-status others too"},
		{"fetch -R 1 --job a --ref b --require-success --any-status", "--require-success takes jobs that have succeeded, --any-status others too"},
		{"fetch -R 1 --job a --pipeline 9 --any-pipeline", "--any-pipeline looks through the pipelines of a ref; --pipeline names one"},
		{"fetch -R 1 --job-id 5 --any-pipeline --require-success", "--job-id already says which job\n  leave out --any-pipeline and --require-success"},
		{"fetch -R 1 --job-id 5 --source push", "--job-id already says which job\n  leave out --source"},
		{"fetch -R 1 --job a --pipeline 9 --source push", "--source chooses among pipelines; --pipeline names one"},
		{"fetch -R 1 --job a --ref b --source shedule", "--source \"shedule\" is not the source of a pipeline\n  did you mean schedule? It is one of push, web, "},
		{"fetch -R 1 --job a --ref b --source merge-request", "did you mean merge_request_event?"},
		{"fetch -R 1 --job a --ref b --source !nightly", "--source \"!nightly\" is not the source of a pipeline"},
		{"fetch -R 1 --job a --ref b --source !", "--source \"!\" is not the source of a pipeline"},
		{"fetch -R 1 --job a --ref b --source push,web", "--source \"push,web\" is not the source of a pipeline\n  repeat --source"},
		{"fetch -R 1 --job a --ref b --source push --source !push", "--source push and --source !push exclude each other"},
		{"fetch -R 1 --job a --ref b --source parent_pipeline", "child pipelines, which are searched below their parents"},
		{"fetch -R 1 --job a --previous", "--previous: CI_PIPELINE_ID is not set\n"},
		{"fetch -R 1 --job a --base", "--base: CI_MERGE_REQUEST_DIFF_BASE_SHA is not set\n"},
		{"fetch -R 1 --job a --base --ref b", "--base: CI_MERGE_REQUEST_DIFF_BASE_SHA is not set\n"},
		{"jobs -R 1 --source pushes", "--source \"pushes\" is not the source of a pipeline"},
		{"jobs -R 1 --pipeline 9 --source push", "--source chooses among pipelines; --pipeline names one"},
		{"jobs --token-type none", "no project: CI_PROJECT_ID is not set\n  give --project"},
		{"jobs -R 1 --pipeline latest", "no ref given\n  --pipeline latest is that of --ref"},
		{"jobs -R 1 --pipeline 9 --ref a", "--pipeline and --ref each say which pipeline"},
		{"jobs -R 1 --limit -1", "--limit must not be negative"},
		{"fetch --job-id https://gitlab.com/g/p/-/jobs/artifacts/main/browse?job=a --pipeline 9", "--job-id and --pipeline each say which job or pipeline"},
	}
	for _, tt := range tests {
		var errs bytes.Buffer
		args := append([]string{"artifetch"}, strings.Fields(tt.args)...)
		if code := command(t, args, cli.IO{Err: &errs}); code != 2 || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%s: code %d, %s; want %s", tt.args, code, errs.String(), tt.want)
		}
	}
}

// An image build that got the token of a job, but not its project, is told how to pass it on.
func TestProjectOfABuild(t *testing.T) {
	t.Setenv("CI_JOB_TOKEN", "glcbt-x")
	t.Setenv("CI_API_V4_URL", "http://127.0.0.1:1/api/v4")
	for ci, want := range map[string]string{
		"":     "no project: CI_PROJECT_ID is not set\n  pass CI_PROJECT_ID on, in a Dockerfile by ARG CI_PROJECT_ID and --build-arg CI_PROJECT_ID, or give --project\n",
		"true": "no project: CI_PROJECT_ID is not set\n  give --project with an id",
	} {
		t.Setenv("GITLAB_CI", ci)
		var errs bytes.Buffer
		if code := command(t, []string{"artifetch", "fetch", "--ref", "main", "--job", "build"}, cli.IO{Err: &errs}); code != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("GITLAB_CI=%s: code %d, %s", ci, code, errs.String())
		}
	}
}

// Without a token, a variable that seems to hold one is named. A server that isn't GitLab's
// API is one, too: it isn't a project that is missing.
func TestMistakesAboutTheServer(t *testing.T) {
	s := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(s.Close)
	t.Setenv("ARTIFETCH_SECRETS_DIR", t.TempDir())
	t.Setenv("GL_TOKEN", gitlabtest.PrivateToken)
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"ls -R 1 -r main -j build --server-url " + s.URL, 3, "\n  there is no token: GL_TOKEN is set, but not read: use GITLAB_TOKEN or --token-file\n"},
		{"jobs --server-url " + s.URL, 2, "no token, and no project: GITLAB_TOKEN and CI_JOB_TOKEN are not set\n  GL_TOKEN is set, but not read: use GITLAB_TOKEN or --token-file; a public project needs none"},
		{"ls -R 1 -r main -j build --server-url " + s.URL + "/group/app", 6, "\n  a page answers, not GitLab's API: --server-url must be GitLab's address"},
		{"fetch -R 1 -r main -j build --if-missing ignore --server-url " + s.URL + "/group/app", 6, "a page answers, not GitLab's API"},
		{"jobs -R group/app --server-url " + s.URL + "/group/app", 6, "a page answers, not GitLab's API"},
	} {
		var errs bytes.Buffer
		if code := command(t, strings.Fields("artifetch "+tt.args), cli.IO{Out: io.Discard, Err: &errs}); code != tt.code || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("%s: code %d, %s", tt.args, code, errs.String())
		}
	}
}
