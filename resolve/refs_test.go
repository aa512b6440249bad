package resolve_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/resolve"
)

// branches is a server with one pipeline for each of some refs.
func branches() *server {
	return &server{
		branch: "trunk",
		pipelines: []gitlab.Pipeline{
			{ID: 40, Ref: "running", Status: "running", Source: "push"},
			{ID: 30, Ref: "trunk", Status: "success", Source: "push"},
			{ID: 20, Ref: "bare", Status: "success", Source: "push"},
			{ID: 10, Ref: "feature", Status: "success", Source: "push"},
			{ID: 5, Ref: "flaky", Status: "success", Source: "push"},
		},
		jobs: map[int64][]gitlab.Job{
			40: {{ID: 401, Name: "build", Status: "running", Pipeline: gitlab.Pipeline{ID: 40}}},
			30: {done(301, "build", 30), done(302, "docs", 30)},
			20: {{ID: 201, Name: "build", Status: "success", Pipeline: gitlab.Pipeline{ID: 20}, Artifacts: []gitlab.ArtifactFile{{FileType: "junit"}}}},
			10: {done(101, "build", 10)},
			5:  {failed(51, "build", 5)},
		},
	}
}

func successful(ref string) string { return "pipelines ref=" + ref + " sha= status=success" }

// The first of several refs that has all jobs counts, and later ones aren't requested.
// Refs are only skipped if they, their jobs or their archives don't exist.
func TestSeveralRefs(t *testing.T) {
	t.Parallel()
	build := []string{"build"}
	tests := []struct {
		name   string
		query  resolve.Query
		want   []int64
		passed string
		err    any
		says   string
		asked  []string
	}{
		{"the first", resolve.Query{Ref: "feature", MoreRefs: []string{"trunk"}, Jobs: build}, []int64{101}, "", nil, "", []string{successful("feature"), "jobs of 10"}},
		{"the next, of a ref that isn't there", resolve.Query{Ref: "nowhere", MoreRefs: []string{"feature", "trunk"}, Jobs: build}, []int64{101}, "nowhere", nil, "", []string{successful("nowhere"), successful("feature"), "jobs of 10"}},
		{"the next, of one without the job", resolve.Query{Ref: "feature", MoreRefs: []string{"trunk"}, Jobs: []string{"docs"}}, []int64{302}, "feature", nil, "", nil},
		{"the next, of one without an archive", resolve.Query{Ref: "bare", MoreRefs: []string{"trunk"}, Jobs: build}, []int64{301}, "bare", nil, "", nil},
		{"all jobs of one ref", resolve.Query{Ref: "feature", MoreRefs: []string{"trunk"}, Jobs: []string{"build", "docs"}}, []int64{301, 302}, "feature", nil, "", nil},
		{"not one that runs", resolve.Query{Ref: "running", MoreRefs: []string{"trunk"}, Jobs: build, Latest: true}, nil, "", new(*resolve.StateError), "it is running", nil},
		{"but the next, if only good jobs count", resolve.Query{Ref: "running", MoreRefs: []string{"trunk"}, Jobs: build, AnyPipeline: true}, []int64{301}, "running", nil, "", nil},
		{"the next, if a failed job is refused", resolve.Query{Ref: "flaky", MoreRefs: []string{"trunk"}, Jobs: build, RequireSuccess: true}, []int64{301}, "flaky", nil, "", nil},
		{"not, if it isn't", resolve.Query{Ref: "flaky", MoreRefs: []string{"trunk"}, Jobs: build}, []int64{51}, "", nil, "", nil},
		{"the newest pipelines", resolve.Query{Ref: "nowhere", MoreRefs: []string{"trunk"}, Jobs: build, Latest: true}, []int64{301}, "nowhere", nil, "", nil},
		{"in none", resolve.Query{Ref: "nowhere", MoreRefs: []string{"feature"}, Jobs: []string{"docs"}}, nil, "nowhere", new(*resolve.NotFoundError), `of ref "feature" in project 7; before that: no successful pipeline of ref "nowhere"`, nil},
		{"a glob", resolve.Query{Ref: "feature", MoreRefs: []string{"trunk"}, Jobs: []string{"d*"}}, []int64{302}, "feature", nil, "", nil},

		{"the default branch", resolve.Query{Ref: resolve.DefaultBranch, Jobs: build}, []int64{301}, "", nil, "", []string{"project", successful("trunk"), "jobs of 30"}},
		{"the default branch, if its turn comes", resolve.Query{Ref: "nowhere", MoreRefs: []string{resolve.DefaultBranch}, Jobs: build}, []int64{301}, "nowhere", nil, "", []string{successful("nowhere"), "project", successful("trunk"), "jobs of 30"}},
		{"the default branch, if it doesn't", resolve.Query{Ref: "feature", MoreRefs: []string{resolve.DefaultBranch}, Jobs: build}, []int64{101}, "", nil, "", []string{successful("feature"), "jobs of 10"}},
		{"the newest pipeline of the default branch", resolve.Query{Ref: resolve.DefaultBranch, Jobs: build, Latest: true}, []int64{301}, "", nil, "", []string{"project", "pipelines ref=trunk sha= status=", "jobs of 30"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api, passed := branches(), []string{}
			r := resolve.New(resolve.Options{API: api, OnPass: func(ref string, _ error) { passed = append(passed, ref) }})
			tt.query.Project = "7"
			found, err := r.Artifacts(t.Context(), tt.query)
			if tt.err != nil && !errors.As(err, tt.err) || (tt.err == nil) != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want a %T that says %q", err, tt.err, tt.says)
			}
			var got []int64
			for _, a := range found {
				got = append(got, a.JobID)
			}
			if !slices.Equal(got, tt.want) || strings.Join(passed, " ") != tt.passed {
				t.Errorf("%v, passed over %v; want %v and %s", got, passed, tt.want, tt.passed)
			}
			if tt.asked != nil && !slices.Equal(api.asked, tt.asked) {
				t.Errorf("asked for %q, want %q", api.asked, tt.asked)
			}
		})
	}
}

// If the token can't list anything, a byte of each archive of each ref is requested before
// files are written. For the last ref, the download itself is the test.
func TestSeveralRefsWithoutLists(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		there []string
		query resolve.Query
		want  string // ref
		asked []string
	}{
		{"the first", []string{"a/build", "b/build"}, resolve.Query{Ref: "a", MoreRefs: []string{"b"}, Jobs: []string{"build"}}, "a", []string{"pipelines", "a byte of a/build", "jobs", "jobs"}},
		{"the next", []string{"b/build"}, resolve.Query{Ref: "a", MoreRefs: []string{"b"}, Jobs: []string{"build"}}, "b", []string{"pipelines", "a byte of a/build", "jobs", "jobs"}},
		{"the second of three", []string{"b/build"}, resolve.Query{Ref: "a", MoreRefs: []string{"b", "c"}, Jobs: []string{"build"}}, "b", []string{"pipelines", "a byte of a/build", "a byte of b/build", "jobs", "jobs"}},
		{"all jobs of one ref", []string{"a/build", "b/build", "b/docs"}, resolve.Query{Ref: "a", MoreRefs: []string{"b"}, Jobs: []string{"build", "docs"}}, "b", []string{"pipelines", "a byte of a/build", "a byte of a/docs"}},
		{"none but perhaps the last", nil, resolve.Query{Ref: "a", MoreRefs: []string{"b"}, Jobs: []string{"build"}}, "b", []string{"pipelines", "a byte of a/build", "jobs", "jobs"}},
		{"one ref is asked for by its download", nil, resolve.Query{Ref: "a", Jobs: []string{"build"}}, "a", []string{"pipelines"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := &server{closed: falseOne, byRef: map[string]bool{}}
			for _, archive := range tt.there {
				api.byRef[archive] = true
			}
			tt.query.Project = "7"
			found, err := resolve.New(resolve.Options{API: api, JobToken: true}).Artifacts(t.Context(), tt.query)
			if err != nil || found[0].Ref != tt.want || found[0].Found != resolve.ByRef || len(found) != len(tt.query.Jobs) {
				t.Errorf("%+v, %v", found, err)
			}
			if !slices.Equal(api.asked, tt.asked) {
				t.Errorf("asked for %q, want %q", api.asked, tt.asked)
			}
		})
	}
}

// A known default branch costs no request, and a repeated ref counts once: GitLab itself
// can choose its job. It can't for several refs, or for a branch without a name.
func TestSettle(t *testing.T) {
	t.Parallel()
	r := resolve.New(resolve.Options{API: &server{}, Branches: map[string]string{"7": "trunk", "g/p": "trunk"}})
	for _, tt := range []struct {
		project, refs, want string
		byRef               bool
	}{
		{"7", "main", "main", true},
		{"7", "@default", "trunk", true},
		{"g/p", "trunk @default", "trunk", true},
		{"7", "a a", "a", true},
		{"7", "a @default a b", "a trunk b", false},
		{"8", "@default", "@default", false},
		{"8", "a @default", "a @default", false},
	} {
		refs := strings.Fields(tt.refs)
		q := resolve.Query{Project: tt.project, Ref: refs[0], MoreRefs: refs[1:], Jobs: []string{"build"}}
		settled := r.Settle(q)
		if got := strings.Join(append([]string{settled.Ref}, settled.MoreRefs...), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.refs, got, tt.want)
		}
		if a, ok := r.ByRef(q); ok != tt.byRef || ok && a.Ref != tt.want {
			t.Errorf("%s: by ref %v, %+v", tt.refs, ok, a)
		}
	}
}

// A project's default branch may not exist, or not be readable with a job token.
func TestNoDefaultBranch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		api      *server
		jobToken bool
		reason   resolve.Reason
		says     string
	}{
		{"a job token", &server{refuse: falseOne}, true, resolve.ReasonForbidden, "cannot look up the default branch of project 7 with this job token (404 Project Not Found)"},
		{"a user's", &server{refuse: falseOne}, false, resolve.ReasonProject, "no project 7 that this token can see"},
		{"a dead one", &server{refuse: nobody}, false, resolve.ReasonToken, "401"},
		{"no repository", &server{}, false, resolve.ReasonNoDefault, "has no default branch that this token can see"},
	} {
		r := resolve.New(resolve.Options{API: tt.api, JobToken: tt.jobToken})
		q := resolve.Query{Project: "7", Ref: "nowhere", MoreRefs: []string{resolve.DefaultBranch}, Jobs: []string{"build"}}
		q.Ref, q.MoreRefs = resolve.DefaultBranch, nil
		_, err := r.Artifacts(t.Context(), q)
		why, ok := errors.AsType[interface {
			error
			Reason() resolve.Reason
		}](err)
		if !ok || why.Reason() != tt.reason || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !slices.Equal(tt.api.asked, []string{"project"}) {
			t.Errorf("%s: asked for %q", tt.name, tt.api.asked)
		}
	}
}

// If the archive of one of several refs is refused, that ref's job is searched for.
func TestFallbackOfOneOfSeveralRefs(t *testing.T) {
	t.Parallel()
	pipeline := func(id int64, ref string) gitlab.Pipeline {
		return gitlab.Pipeline{ID: id, Ref: ref, Status: "success", Source: "push"}
	}
	api := &fakeAPI{all: []gitlab.Job{job(2, "build", pipeline(20, "a")), job(1, "build", pipeline(10, "b"))}}
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	q := resolve.Query{Project: "7", Ref: "a", MoreRefs: []string{"b"}, Jobs: []string{"build"}}
	got, err := r.Fallback(t.Context(), q, resolve.Artifact{Project: "7", Ref: "b", JobName: "build", Found: resolve.ByRef}, falseOne)
	if err != nil || got.JobID != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// If none of several refs has the archive, the list says what is missing on each of them.
func TestFallbackExplainsEachRef(t *testing.T) {
	t.Parallel()
	erased := job(2, "build", gitlab.Pipeline{ID: 20, Ref: "a", Status: "success", Source: "push"})
	erased.ArtifactsFile, erased.Artifacts, erased.ErasedAt = nil, nil, new(time.Now())
	api := &fakeAPI{all: []gitlab.Job{erased, job(1, "other", gitlab.Pipeline{ID: 10, Ref: "b", Status: "success", Source: "push"})}}
	r := resolve.New(resolve.Options{API: api, JobToken: true})
	q := resolve.Query{Project: "7", Ref: "a", MoreRefs: []string{"b"}, Jobs: []string{"build"}}
	_, err := r.Fallback(t.Context(), q, resolve.Artifact{Project: "7", Ref: "b", JobName: "build", Found: resolve.ByRef}, missing)
	if all, ok := errors.AsType[*resolve.RefsError](err); !ok || len(all.Passed) != 1 || !strings.Contains(all.Passed[0].Error(), `"build" (2)`) {
		t.Errorf("%v", err)
	}
	q.Ref, q.MoreRefs = "b", nil
	if _, err := r.Fallback(t.Context(), q, resolve.Artifact{Project: "7", Ref: "b", JobName: "build", Found: resolve.ByRef}, missing); err == nil || strings.Contains(err.Error(), "before that") {
		t.Errorf("of one ref: %v", err)
	}
}

// A token that can't see merge requests can't tell whether one exists. A server error
// doesn't mean that there is no merge request.
func TestMergeRequestThatFails(t *testing.T) {
	t.Parallel()
	broken := &gitlab.Error{StatusCode: http.StatusOK, Message: "the answer is JSON, but not what GitLab sends"}
	_, err := resolve.New(resolve.Options{API: &fakeAPI{mergeRequestErr: broken}}).Artifacts(t.Context(), resolve.Query{Project: "7", MergeRequest: 9, Jobs: []string{"build"}})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestUnseenMergeRequest(t *testing.T) {
	t.Parallel()
	_, err := resolve.New(resolve.Options{API: &fakeAPI{}}).Artifacts(t.Context(), resolve.Query{Project: "7", MergeRequest: 9, Jobs: []string{"build"}})
	missing, ok := errors.AsType[*resolve.NotFoundError](err)
	if !ok || !missing.Unseen || missing.Reason() != resolve.ReasonNoPipeline || !strings.Contains(err.Error(), "no pipeline of merge request !9 in project 7, and this token cannot see whether the merge request exists") || !strings.Contains(missing.Hint(), "18.4") {
		t.Error(err)
	}
}
