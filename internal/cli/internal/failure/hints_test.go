package failure

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/space"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Errors of lower packages don't name flags; the command line adds those that help.
func TestHints(t *testing.T) {
	t.Parallel()
	forbidden := &gitlab.Error{StatusCode: http.StatusForbidden, Message: "403 Forbidden"}
	failed, runs := resolve.Artifact{Status: "failed", WebURL: "https://g/1"}, resolve.Artifact{Status: "running"}
	missing := func(what string, q resolve.Query) error { return &resolve.NotFoundError{What: what, Query: q} }
	without := func(m *gitlab.MergeRequest) error {
		return &resolve.NotFoundError{What: "pipeline", Query: resolve.Query{MergeRequest: 9}, MergeRequest: m}
	}
	tests := []struct {
		name string
		err  error
		want string // empty: the error's own hint has to do
	}{
		{"an error without a hint", errors.New("x"), ""},
		{"no project", missing("project", resolve.Query{Ref: "HEAD"}), ""},
		{"no success", missing("successful pipeline", resolve.Query{Ref: "main"}), "--pipeline latest takes the newest one"},
		{"no pipeline", missing("pipeline", resolve.Query{PipelineID: 9}), "check --project"},
		{"no merge request", missing("merge request", resolve.Query{MergeRequest: 9, Ref: "HEAD"}), "after the ! of the merge request"},
		{"a merge request without pipelines", without(&gitlab.MergeRequest{SourceBranch: "idea", SourceProjectID: 7, TargetProjectID: 7}), "source branch: --ref idea"},
		{"of a fork", without(&gitlab.MergeRequest{SourceBranch: "idea", SourceProjectID: 8, TargetProjectID: 7}), "--project 8 --ref idea"},
		{"of a fork that is gone", without(&gitlab.MergeRequest{SourceBranch: "idea", TargetProjectID: 7}), "its source project is gone"},
		{"a merge request that can't be seen", &resolve.NotFoundError{What: "pipeline", Query: resolve.Query{MergeRequest: 9}, Unseen: true}, "since about GitLab 18.4"},
		{"several refs", &resolve.RefsError{Err: missing("job", resolve.Query{Ref: "main"})}, "--recent looks further back"},
		{"the default branch, with a job token", &resolve.DefaultBranchError{Err: forbidden}, "name the branch by --ref"},
		{"no default branch", &resolve.DefaultBranchError{}, ""},
		{"two refs in one", missing("job", resolve.Query{Ref: "a,b"}), "its own --ref"},
		{"a word for a ref", missing("successful pipeline", resolve.Query{Ref: "@main"}), "--ref @default"},
		{"closed, above a pipeline", &resolve.ClosedError{Query: resolve.Query{PipelineID: 9, Root: true}}, `--pipeline "$ROOT_PIPELINE_ID"`},
		{"no such id", missing("job id", resolve.Query{JobID: 9}), "check --project"},
		{"no job", missing("job", resolve.Query{Ref: "main"}), "--recent looks further back"},
		{"no recent job", missing("job", resolve.Query{Ref: "main", Recent: true}), "one of the newest successful pipelines has it"},
		{"no young job", missing("job", resolve.Query{Ref: "main", Recent: true, MaxAge: 1}), "a longer --max-age"},
		{"no recent job, without lists", &resolve.NotFoundError{What: "job", Query: resolve.Query{Ref: "main", Recent: true}, Err: errors.New("404")}, "only the newest successful pipeline was searched"},
		{"no job in a pipeline", missing("job", resolve.Query{PipelineID: 9}), "need --downstream"},
		{"no job downstream", missing("job", resolve.Query{PipelineID: 9, Downstream: true}), "linux, amd64]\")"},
		{"HEAD", missing("job", resolve.Query{Ref: "HEAD"}), `--sha "$(git rev-parse HEAD)"`},
		{"a commit for a ref", missing("successful pipeline", resolve.Query{Ref: "0123abc"}), "use --sha with"},
		{"a long ref", missing("job", resolve.Query{Ref: "refs/tags/v1"}), "--ref v1"},
		{"an encoded ref", missing("pipeline", resolve.Query{Ref: "feature%2Fx", Latest: true}), "--ref feature/x"},
		{"a ref that doesn't count", missing("job", resolve.Query{Ref: "HEAD", PipelineID: 9}), "need --downstream"},
		{"failed", &resolve.StateError{Artifact: failed}, "use --any-status to fetch its artifacts anyway; https://g/1"},
		{"runs", &resolve.StateError{Artifact: runs}, "use --wait DURATION to wait for it;"},
		{"closed", &resolve.ClosedError{}, "--job-id"},
		{"downstream, no list", &resolve.DownstreamError{}, "--project"},
		{"downstream, not seen", &resolve.DownstreamError{Project: "8"}, "access to project 8, or leave out --downstream"},
		{"downstream, forbidden", &resolve.DownstreamError{Project: "8", Err: forbidden}, ""},
		{"bytes", &extract.LimitError{Option: "MaxBytes"}, "raise --max-bytes"},
		{"files", &extract.LimitError{Option: "MaxFiles"}, "raise --max-files"},
		{"ratio", &extract.LimitError{Option: "MaxRatio"}, "raise --max-ratio"},
		{"a fixed limit", &extract.LimitError{}, ""},
		{".git", &extract.UnsafeError{Entry: ".git/x", Reason: extract.ReasonGit}, "--allow-git allows it"},
		{"unsafe", &extract.UnsafeError{Entry: "../x", Reason: "it leads out"}, ""},
		{"unfit", &extract.UnfitError{}, "--exclude (-x)"},
		{"conflict", &extract.ConflictError{}, "--output"},
		{"no room", &space.Error{}, "--output"},
		{"broken", &fetch.BrokenError{}, "--retries and --retry-max-time"},
		{"silent", &transport.StallError{After: time.Second}, "--stall-timeout"},
		{"slow", &transport.SlowError{After: time.Second}, "--retry-max-time"},
		{"unknown authority", &transport.TLSError{Cause: transport.CauseAuthority}, "--ca-file"},
		{"unknown authority behind a proxy", &transport.TLSError{Cause: transport.CauseAuthority, Proxy: "p:3128"}, "belong to the proxy p:3128"},
		{"handshake", &transport.TLSError{Cause: transport.CauseHandshake}, "--cert-file, --key-file"},
		{"no certificate", &transport.TLSError{Cause: transport.CauseNoCertificate}, "--cert-file and --key-file"},
		{"another certificate", &transport.TLSError{Cause: transport.CauseCertificate}, "--cert-file"},
		{"an expired one", &transport.TLSError{Next: "renew it"}, ""},
	}
	for _, tt := range tests {
		for _, err := range []error{tt.err, fmt.Errorf("source %q: %w", "a", tt.err)} {
			got := hintFor(err)
			if !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
		if h, ok := asHinter(tt.err); ok && strings.Contains(h.Hint(), "--") {
			t.Errorf("%s: the package knows a flag: %s", tt.name, h.Hint())
		}
	}
}

// Hints about an archive that is kept as a file are about that file, not about an output
// directory.
func TestHintsOfArchive(t *testing.T) {
	t.Parallel()
	plain := errors.New("x")
	for want, err := range map[string]error{
		"nothing was changed; choose another file than a.zip with --archive":          &extract.ConflictError{Path: "a.zip"},
		"nothing was written; make room, or choose a file on another disk than a.zip": &space.Error{},
		"nothing was written; check the digest, and whether":                          fmt.Errorf("archive: %w", &fetch.DigestError{Asked: true}),
		"nothing was written; re-run the job":                                         &extract.CorruptError{Err: plain},
		"":                                                                            plain,
	} {
		got := OfArchive(err, "a.zip")
		if hint := Hint(got); !strings.HasPrefix(hint, want) || want == "" && hint != "" || !errors.Is(got, err) || got.Error() != err.Error() || Of(got) != Of(err) {
			t.Errorf("%v: %q, want %q", err, hint, want)
		}
	}
	if OfArchive(nil, "a.zip") != nil {
		t.Error("no error has become one")
	}
}

// If explain has a finding, the hint is its remedy, with flags; otherwise, it is the
// error's.
func TestRemedies(t *testing.T) {
	t.Parallel()
	err := error(&resolve.ClosedError{})
	for remedy, want := range map[resolve.Remedy]string{
		resolve.RemedyHint: "--job-id", resolve.RemedyWait: "--wait DURATION", resolve.RemedyPipeline: "--pipeline 9 ",
		resolve.RemedyRecent: "--recent takes it", resolve.RemedyLicence: "Premium", resolve.RemedyToken: "GITLAB_TOKEN",
	} {
		if got := Remedy(resolve.Explanation{Remedy: remedy, PipelineID: 9}, err); !strings.Contains(got, want) {
			t.Errorf("%s: %s", remedy, got)
		}
	}
}

// The environment is read from variables, but the command line names flags.
func TestEnvironmentInFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, says, hint string }{
		{"ARTIFETCH_SERVER_URL", "ftp://x", "--server-url is not an http", "https://"},
		{"ARTIFETCH_TOKEN_FILE", "/nonexistent/t", "--token-file cannot be read", "path"},
		{"ARTIFETCH_TOKEN_TYPE", "some", "--token-type must be", "leave it out"},
		{"CI_JOB_TOKEN", "", "CI_JOB_TOKEN is set but empty", "use --token-type none"},
	} {
		vars := map[string]string{"CI_API_V4_URL": "https://g/api/v4", "CI_JOB_TOKEN": "glcbt-x", tt.name: tt.value}
		_, err := LoadEnv(t.Context(), envconfig.MapLookuper(vars))
		e, ok := errors.AsType[*env.UsageError](err)
		if !ok || !errors.Is(err, env.ErrUsage) || !strings.HasPrefix(e.Error(), tt.says) || !strings.Contains(e.Hint(), tt.hint) || strings.Contains(e.Error()+e.Hint(), "ARTIFETCH_") {
			t.Errorf("%s=%s: %v", tt.name, tt.value, err)
		}
	}
}
