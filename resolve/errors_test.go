package resolve_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// Each error says what was searched for and where, has a reason for programs and a hint
// for people, and wraps the server's refusal.
func TestErrors(t *testing.T) {
	t.Parallel()
	byRef := resolve.Query{Project: "g/p", Ref: "main", Jobs: []string{"build", "test"}}
	artifact := resolve.Artifact{Project: "g/p", JobID: 5, JobName: "build", Status: "failed", WebURL: "https://g/5"}
	running := artifact
	running.Status = "running"
	yesterday := time.Now().Add(-24 * time.Hour)
	expired := artifact
	expired.ExpireAt = &yesterday
	tests := []struct {
		name   string
		err    error
		says   string
		reason resolve.Reason
		hint   string
	}{
		{"no project", &resolve.NotFoundError{Query: byRef, What: "project", Err: falseOne}, "no project g/p that this token can see (404 Project Not Found)", resolve.ReasonProject, ""},
		{"no job id", &resolve.NotFoundError{Query: resolve.Query{Project: "g/p", JobID: 5}, What: "job id", Err: missing}, "no job 5 in project g/p (404 Not found)", resolve.ReasonNoJob, "the number in the address"},
		{"no success", &resolve.NotFoundError{Query: byRef, What: "successful pipeline"}, `no successful pipeline of ref "main" in project g/p`, resolve.ReasonNoSuccess, "spelling"},
		{"no success as far as was looked", &resolve.NotFoundError{Query: byRef, What: "successful pipeline", Seen: "among the newest 5 jobs"}, `of ref "main" among the newest 5 jobs`, resolve.ReasonNoSuccess, "spelling"},
		{"no pipeline", &resolve.NotFoundError{Query: resolve.Query{Project: "g/p", PipelineID: 9}, What: "pipeline"}, "there is no such pipeline in project g/p: pipeline 9", resolve.ReasonNoPipeline, "the number in the address"},
		{"no job", &resolve.NotFoundError{Query: byRef, What: "job", Job: "build"}, `no job "build" with artifacts in the newest successful pipeline of ref "main" in project g/p`, resolve.ReasonNoJob, "full name"},
		{"none of the jobs", &resolve.NotFoundError{Query: byRef, What: "job"}, `no jobs "build", "test" with artifacts`, resolve.ReasonNoJob, "full name"},
		{"a job that is like another", &resolve.NotFoundError{Query: byRef, What: "job", Job: "biuld", Near: []string{"build", "a\nb"}}, `; did you mean "build" or "a\nb"?`, resolve.ReasonNoJob, "full name"},
		{"a ref that is none", &resolve.NotFoundError{Query: resolve.Query{Ref: "refs/heads/main"}, What: "job"}, "no jobs", resolve.ReasonNoJob, "short names"},
		{"failed", &resolve.StateError{Artifact: artifact, FailureReason: "script_failure"}, `job "build" (5) of project g/p has not succeeded: it is failed (script_failure)`, resolve.ReasonState, "https://g/5"},
		{"running", &resolve.StateError{Artifact: running}, "it is running", resolve.ReasonRunning, "wait"},
		{"no archive", &resolve.NoArchiveError{Artifact: artifact, Err: gone}, `job "build" (5) of project g/p has no artifacts archive (404 Not Found)`, resolve.ReasonNoArchive, "artifacts:expire_in"},
		{"reports only", &resolve.NoArchiveError{Artifact: artifact, Reports: []string{"junit", "sast"}}, "no artifacts archive", resolve.ReasonReports, "junit, sast"},
		{"expired", &resolve.NoArchiveError{Artifact: expired}, "no artifacts archive", resolve.ReasonExpired, yesterday.UTC().Format(time.RFC1123)},
		{"erased", &resolve.NoArchiveError{Artifact: expired, Erased: true}, "no artifacts archive", resolve.ReasonErased, ""},
		{"erased before it expired", &resolve.NoArchiveError{Artifact: artifact, Erased: true}, "no artifacts archive", resolve.ReasonErased, "erased"},
		{"closed", &resolve.ClosedError{Query: resolve.Query{Project: "g/p", PipelineID: 9}, Err: denied}, "cannot list the jobs of project g/p with this job token, which is needed for pipeline 9 (403 Forbidden)", resolve.ReasonClosed, "18.5"},
		{"closed, the list itself", &resolve.ClosedError{Query: resolve.Query{Project: "g/p"}, Err: denied}, "cannot list the jobs of project g/p with this job token (403 Forbidden)", resolve.ReasonClosed, "read_api"},
		{"downstream", &resolve.DownstreamError{Query: byRef, Project: "8", PipelineID: 20, Err: falseOne}, `cannot look for jobs "build", "test" in pipeline 20 of the downstream project 8 (404 Project Not Found)`, resolve.ReasonForbidden, "access to project 8"},
		{"downstream, no list", &resolve.DownstreamError{Query: byRef, Job: "build", Err: denied}, `cannot look for job "build" in downstream pipelines`, resolve.ReasonForbidden, "19.2"},
		{"refused", &resolve.RefusedError{Err: denied}, denied.Error(), resolve.ReasonForbidden, ""},
		{"token refused", &resolve.RefusedError{Err: nobody}, nobody.Error(), resolve.ReasonToken, ""},
	}
	for _, tt := range tests {
		e, ok := errors.AsType[interface {
			error
			Reason() resolve.Reason
			Hint() string
		}](fmt.Errorf("x: %w", tt.err))
		if !ok || !strings.Contains(e.Error(), tt.says) || e.Reason() != tt.reason || !strings.Contains(e.Hint(), tt.hint) {
			t.Errorf("%s: %v, %s, %s", tt.name, tt.err, e.Reason(), e.Hint())
		}
	}
	for _, err := range []error{&resolve.NotFoundError{Err: denied}, &resolve.NoArchiveError{Err: denied}, &resolve.ClosedError{Err: denied}, &resolve.DownstreamError{Err: denied}, &resolve.RefusedError{Err: denied}} {
		if refusal, ok := errors.AsType[*gitlab.Error](err); !ok || refusal.StatusCode != http.StatusForbidden {
			t.Errorf("%T doesn't lead to the refusal", err)
		}
	}
}

// If a whole project is refused, the hint fits the token and GitLab's message.
func TestMeaning(t *testing.T) {
	t.Parallel()
	forbidden := func(message string) error {
		return &gitlab.Error{StatusCode: http.StatusForbidden, Message: message}
	}
	tests := []struct {
		name     string
		jobToken bool
		err      error
		hint     string
	}{
		{"a job token that has ended", true, nobody, "only while its job runs"},
		{"another token", false, nobody, "read_api"},
		{"no such project, or no licence", true, falseOne, "Premium"},
		{"no such project", false, falseOne, "if the token can't see the project"},
		{"not on the allowlist", true, forbidden("403 Forbidden - Authentication by CI/CD job token not allowed from a/b to c/d."), "in project c/d: Settings > CI/CD > Job token permissions > add project a/b"},
		{"on the allowlist with too little", true, forbidden("403 Forbidden - Insufficient permissions to access this resource in project c/d. The following token permission is required: read_jobs."), "add the permission"},
		{"a scope", false, &gitlab.Error{StatusCode: http.StatusForbidden, Lack: &gitlab.Lack{Scopes: []string{"read_api"}}}, "use one with the scope read_api"},
		{"a role", false, forbidden("403 Forbidden"), "Reporter"},
		{"a server in trouble", false, &gitlab.Error{StatusCode: http.StatusBadGateway}, ""},
		{"storage", false, &gitlab.Error{StatusCode: http.StatusForbidden, FromStorage: true}, ""},
		{"a list", false, missing, ""},
		{"no refusal", false, errors.New("x"), ""},
	}
	for _, tt := range tests {
		err := resolve.New(resolve.Options{API: &server{}, JobToken: tt.jobToken}).Meaning(tt.err, "c/d")
		hinter, _ := errors.AsType[interface {
			error
			Hint() string
			Reason() resolve.Reason
		}](err)
		if !errors.Is(err, tt.err) || (hinter == nil) != (tt.hint == "") || hinter != nil && !strings.Contains(hinter.Hint(), tt.hint) {
			t.Errorf("%s: %T: %v, want a hint at %q", tt.name, err, err, tt.hint)
		}
	}
}

// The endpoint for runners also answers 403 for jobs that don't exist.
func TestRunnersRouteIsRefused(t *testing.T) {
	t.Parallel()
	r := resolve.New(resolve.Options{API: &server{}, JobToken: true})
	a, err := r.Fallback(t.Context(), resolve.Query{Project: "7", JobID: 9}, resolve.Artifact{JobID: 9, URL: "7/9", Found: resolve.ByID}, falseOne)
	if err != nil || a.URL != "runner/9" {
		t.Fatalf("%+v, %v", a, err)
	}
	_, err = r.Fallback(t.Context(), resolve.Query{Project: "7", JobID: 9}, a, denied)
	if refused, ok := errors.AsType[*resolve.RefusedError](err); !ok || !strings.Contains(refused.Hint(), "there is no such job, or") {
		t.Error(err)
	}
}

func TestRefMistake(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]struct {
		mistake resolve.RefMistake
		name    string
	}{
		"main": {}, "v1.0": {}, "refs/merge-requests/3/head": {}, "feature/x": {}, "100%": {}, "deadbee-fix": {}, "abc123": {},
		"HEAD": {resolve.RefHead, ""}, "@": {resolve.RefHead, ""},
		"deadbee": {resolve.RefCommit, ""}, fullSHA: {resolve.RefCommit, ""}, "DEADBEEF": {resolve.RefCommit, ""},
		"refs/heads/main": {resolve.RefLong, "main"}, "refs/tags/v1": {resolve.RefLong, "v1"},
		"feature%2Fx": {resolve.RefEncoded, "feature/x"},
		" main":       {resolve.RefAround, "main"}, "main ": {resolve.RefAround, "main"}, `"main"`: {resolve.RefAround, "main"}, "“main”": {resolve.RefAround, "main"}, "main v1": {resolve.RefSeveral, ""}, "it's": {}, "'": {},
		"origin/main": {resolve.RefRemote, "main"}, "origin/a/b": {resolve.RefRemote, "a/b"}, "origins/main": {}, "origin": {},
		"!7": {resolve.RefRequest, "7"}, "!": {}, "!x": {}, "7!": {}, "!7x": {},
		"https://gitlab.com/g/p/-/tree/feature/x?ref_type=heads": {resolve.RefAddress, "feature/x"}, "http://g/p/-/commits/main": {resolve.RefAddress, "main"}, "https://g/p": {resolve.RefAddress, ""},
	} {
		mistake, name := (&resolve.NotFoundError{What: "job", Query: resolve.Query{Ref: ref}}).RefMistake()
		if mistake != want.mistake || name != want.name {
			t.Errorf("%s: %q, %q", ref, mistake, name)
		}
	}
	// If the ref makes no difference, it isn't the mistake.
	for _, e := range []resolve.NotFoundError{
		{What: "project", Query: resolve.Query{Ref: "HEAD"}}, {What: "job id", Query: resolve.Query{Ref: "HEAD"}}, {What: "job", Query: resolve.Query{Ref: "HEAD", PipelineID: 9}},
	} {
		if mistake, _ := e.RefMistake(); mistake != resolve.RefFine {
			t.Errorf("%+v: %s", e.Query, mistake)
		}
	}
}

func TestQueryInWords(t *testing.T) {
	t.Parallel()
	for want, q := range map[string]resolve.Query{
		"job 5 of project 7": {Project: "7", JobID: 5},
		`job "a" in the newest successful pipeline of ref "main" of project 7`:       {Project: "7", Ref: "main", Jobs: []string{"a"}},
		`jobs "a", "b" in any recent successful pipeline of ref "main" of project 7`: {Project: "7", Ref: "main", Recent: true, Jobs: []string{"a", "b"}},
		`job "a" in the newest pipeline of ref "main" of project 7`:                  {Project: "7", Ref: "main", Latest: true, Jobs: []string{"a"}},
		`job "a" in pipeline 9 of project 7`:                                         {Project: "7", PipelineID: 9, Jobs: []string{"a"}},
		`job "a" in the pipelines of commit abc of project 7`:                        {Project: "7", SHA: "abc", Jobs: []string{"a"}},
		`job "a" in the pipelines of merge request !3 of project 7`:                  {Project: "7", MergeRequest: 3, Jobs: []string{"a"}},
	} {
		if got := q.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestProjectName(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"7": "7", "group/app": "group/app", "group%2Fapp": "group/app", "/group/app/": "group/app", "group/app.git": "group/app", "": "", "100%": "100%",
	} {
		if got := resolve.ProjectName(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	final := map[string]bool{"success": true, "failed": true, "canceled": true, "canceling": true, "skipped": true, "manual": true}
	for _, status := range gitlab.Statuses() {
		if resolve.Unfinished(status) == final[status] {
			t.Errorf("%s: %v", status, resolve.Unfinished(status))
		}
	}
}

func TestNameMatcher(t *testing.T) {
	t.Parallel()
	if matches := resolve.NameMatcher("test */2"); !matches("test 1/2") || matches("test 1/3") {
		t.Error("a glob is not matched")
	}
}
