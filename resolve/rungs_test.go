package resolve_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// asker sends requests to a simulated instance, with a token.
type asker struct {
	server        *gitlabtest.Server
	header, token string
}

// RoundTrip implements [http.RoundTripper].
func (a asker) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.token != "" {
		r.Header.Set(a.header, a.token)
	}
	answer := httptest.NewRecorder()
	a.server.ServeHTTP(answer, r)
	response := answer.Result()
	response.Request = r
	return response, nil
}

// rung is an instance that lets a token read certain lists.
type rung struct{ name, version, visibility, header, token string }

var rungs = []rung{
	{"everything is open", "19.4", "private", "PRIVATE-TOKEN", "owner"},
	{"the project's jobs are closed", "19.4", "public", "", ""},
	{"pipelines are closed", "18.5", "private", "JOB-TOKEN", "job"},
}

func (r rung) resolver(t *testing.T, h *history) *resolve.Resolver {
	t.Helper()
	return r.resolverOf(t, r.client(h))
}

func (r rung) client(h *history) *http.Client {
	return &http.Client{Transport: asker{gitlabtest.New(h.world(r.visibility), gitlabtest.Options{Version: r.version}), r.header, r.token}}
}

func (r rung) resolverOf(t *testing.T, client *http.Client) *resolve.Resolver {
	t.Helper()
	api, err := url.Parse("http://gitlab.example/api/v4")
	if err != nil {
		t.Fatal(err)
	}
	return resolve.New(resolve.Options{API: gitlab.New(api, client, client), JobToken: r.token == "job"})
}

// history is a project in which pipelines ran, children were triggered and jobs retried.
type history struct {
	rand *rand.Rand
	at   time.Time
	next int64
	of   *gitlabtest.Project
	all  []*gitlabtest.Pipeline
}

func newHistory(seed uint64) *history {
	h := &history{rand: rand.New(rand.NewPCG(seed, 16)), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), next: 1}
	h.of = &gitlabtest.Project{ID: 7, Path: "group/app", DefaultBranch: "main"}
	for range 10 + h.rand.IntN(20) {
		switch {
		case len(h.all) == 0 || h.rand.IntN(2) > 0:
			h.pipeline()
		case h.rand.IntN(2) > 0:
			h.retry(h.pick())
		default:
			h.child(h.pick())
		}
	}
	running := &gitlabtest.Job{ID: h.id(), Name: "this", Status: "running", CreatedAt: h.at}
	h.of.Pipelines = append(h.of.Pipelines, &gitlabtest.Pipeline{ID: h.id(), Ref: "this", SHA: h.sha(), Status: "running", CreatedAt: h.at, Jobs: []*gitlabtest.Job{running}})
	for _, p := range h.all {
		p.Status = status(p)
	}
	return h
}

func (h *history) world(visibility string) *gitlabtest.World {
	h.of.Visibility = visibility
	last := h.of.Pipelines[len(h.of.Pipelines)-1]
	return &gitlabtest.World{Projects: []*gitlabtest.Project{h.of}, Tokens: []*gitlabtest.Token{
		{Value: "owner", Kind: "private", Roles: map[int64]string{7: "owner"}},
		{Value: "job", Kind: "job", Project: 7, Job: last.Jobs[0].ID},
	}}
}

// id returns an ID higher than any before, and advances the time.
func (h *history) id() int64 {
	h.next++
	h.at = h.at.Add(time.Minute)
	return h.next
}

func (h *history) sha() string { return fmt.Sprintf("%040x", h.next) }

func (h *history) pick() *gitlabtest.Pipeline { return h.all[h.rand.IntN(len(h.all))] }

func (h *history) pipeline() {
	p := &gitlabtest.Pipeline{
		ID: h.id(), SHA: h.sha(), CreatedAt: h.at, Ref: []string{"main", "main", "other"}[h.rand.IntN(3)],
		Source: []string{"push", "push", "schedule", "web", "webide"}[h.rand.IntN(5)],
	}
	if n := len(h.all); n > 0 {
		h.of.Commits = append(h.of.Commits, &gitlabtest.Commit{ID: p.SHA, Parents: []string{h.all[n-1].SHA}})
	}
	h.jobs(p)
	h.of.Pipelines, h.all = append(h.of.Pipelines, p), append(h.all, p)
}

func (h *history) child(parent *gitlabtest.Pipeline) {
	p := &gitlabtest.Pipeline{ID: h.id(), SHA: parent.SHA, CreatedAt: h.at, Ref: parent.Ref, Source: "parent_pipeline"}
	h.jobs(p)
	p.Status = status(p)
	parent.Bridges = append(parent.Bridges, &gitlabtest.Bridge{ID: h.id(), Name: "child", CreatedAt: h.at, Child: p})
}

func (h *history) jobs(p *gitlabtest.Pipeline) {
	for _, name := range []string{"build", "test", "lint"} {
		if h.rand.IntN(4) > 0 {
			h.job(p, name)
		}
	}
	for n := range h.rand.IntN(5) { // so that one page of jobs doesn't reach back to the first pipeline
		p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: h.id(), CreatedAt: h.at, Name: fmt.Sprint("other ", n)})
	}
}

func (h *history) job(p *gitlabtest.Pipeline, name string) {
	j := &gitlabtest.Job{ID: h.id(), CreatedAt: h.at, Name: name, AllowFailure: h.rand.IntN(2) == 0}
	j.Status = []string{"success", "success", "success", "success", "success", "failed", "failed", "canceled", "running"}[h.rand.IntN(9)]
	switch h.rand.IntN(6) {
	case 0: // nothing
	case 1:
		j.Reports = []string{"junit"}
	default:
		j.Archive = fmt.Append(nil, j.ID)
	}
	p.Jobs = append(p.Jobs, j)
}

func (h *history) retry(p *gitlabtest.Pipeline) {
	if len(p.Jobs) == 0 {
		return
	}
	name := p.Jobs[h.rand.IntN(len(p.Jobs))].Name
	for _, j := range p.Jobs {
		j.Retried = j.Retried || j.Name == name
	}
	h.job(p, name)
}

// status returns the pipeline's status, which follows from the newest attempts.
func status(p *gitlabtest.Pipeline) string {
	sum := "success"
	for _, j := range p.Jobs {
		switch {
		case j.Retried:
		case j.Status == "running":
			return "running"
		case j.Status != "success" && !j.AllowFailure:
			sum = j.Status
		}
	}
	return sum
}

const histories = 12

// truth returns the job that a query for "build" means, computed from all the data.
func (h *history) truth(q resolve.Query) string {
	var roots []*gitlabtest.Pipeline
	for _, p := range slices.Backward(h.all) {
		ci := p.Source != "webide" || slices.Contains(q.Sources, "webide")
		fits := q.Base != "" || p.Ref == q.Ref && (q.Latest || q.AnyPipeline || p.Status == "success") && (q.Before == 0 || p.ID < q.Before && p.SHA != q.Besides) &&
			(q.MaxAge == 0 || time.Since(p.CreatedAt) <= q.MaxAge)
		if ci && fits && q.FromSource(p.Source) {
			roots = append(roots, p)
		}
	}
	for _, root := range roots {
		family := []*gitlabtest.Pipeline{root}
		for _, b := range root.Bridges {
			family = append(family, b.Child)
		}
		if q.Exact() {
			slices.Reverse(family[1:])
		}
		for _, p := range family {
			if id, decides := choice(p, q); id != 0 {
				return fmt.Sprint([]int64{id})
			} else if decides {
				break
			}
		}
		if !q.Recent && !q.AnyPipeline && q.Base == "" {
			break
		}
	}
	return "none"
}

// choice returns the job "build" of one pipeline, or whether the pipeline rules out any
// job.
func choice(p *gitlabtest.Pipeline, q resolve.Query) (id int64, decides bool) {
	for _, j := range slices.Backward(p.Jobs) {
		good := j.Status == "success" && j.HasArchive()
		switch {
		case j.Name != "build":
		case q.AnyPipeline || q.Base != "":
			if good {
				return j.ID, true
			}
		case j.Retried, !q.Latest && !j.Downloadable():
		case q.Latest && !good, q.RequireSuccess && j.Status != "success", !j.HasArchive():
			return 0, true
		default:
			return j.ID, true
		}
	}
	return 0, false
}

// outcome returns which jobs a query finds, or that it finds none.
func outcome(t *testing.T, r *resolve.Resolver, q resolve.Query) string {
	t.Helper()
	found, err := r.Artifacts(t.Context(), q)
	if _, closed := errors.AsType[*resolve.ClosedError](err); closed {
		return "closed"
	}
	if err != nil {
		if refusal, ok := errors.AsType[*gitlab.Error](err); ok && refusal.StatusCode != http.StatusNotFound {
			t.Errorf("%v: %v", q, err)
		}
		return "none"
	}
	ids := make([]int64, len(found))
	for i, a := range found {
		ids[i] = a.JobID
	}
	slices.Sort(ids)
	return fmt.Sprint(ids)
}

// Whatever a token can list, a query that says which pipelines count finds the same jobs.
func TestEveryRungFindsTheSame(t *testing.T) {
	t.Parallel()
	found, unsure := map[string]int{}, 0
	for seed := range uint64(histories) {
		h := newHistory(seed)
		newest := h.all[len(h.all)-1]
		of := func(change func(q *resolve.Query)) resolve.Query {
			q := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
			change(&q)
			return q
		}
		queries := map[string]resolve.Query{
			"any pipeline":           of(func(q *resolve.Query) { q.AnyPipeline = true }),
			"any pipeline, two jobs": of(func(q *resolve.Query) { q.AnyPipeline, q.Jobs = true, []string{"build", "lint"} }),
			"any pipeline, a glob":   of(func(q *resolve.Query) { q.AnyPipeline, q.Jobs = true, []string{"*t*"} }),
			"any pipeline of pushes": of(func(q *resolve.Query) { q.AnyPipeline, q.Sources = true, []string{"push"} }),
			"any pipeline before":    of(func(q *resolve.Query) { q.AnyPipeline, q.Before = true, newest.ID }),
			"from schedules":         of(func(q *resolve.Query) { q.Sources = []string{"schedule"} }),
			"not from pushes":        of(func(q *resolve.Query) { q.Sources = []string{"!push"} }),
			"newest from the editor": of(func(q *resolve.Query) { q.Latest, q.Sources = true, []string{"webide"} }),
			"recent, from pushes":    of(func(q *resolve.Query) { q.Recent, q.Sources = true, []string{"push", "web"} }),
			"before":                 of(func(q *resolve.Query) { q.Before = newest.ID }),
			"recent before":          of(func(q *resolve.Query) { q.Recent, q.Before = true, newest.ID }),
			"before, another commit": of(func(q *resolve.Query) { q.Before, q.Besides = newest.ID+1, newest.SHA }),
			"success":                of(func(q *resolve.Query) { q.RequireSuccess = true }),
			"recent success":         of(func(q *resolve.Query) { q.Recent, q.RequireSuccess = true, true }),
			"base":                   of(func(q *resolve.Query) { q.Ref, q.Base = "", newest.SHA }),
			"base, from schedules":   of(func(q *resolve.Query) { q.Ref, q.Base, q.Sources = "", newest.SHA, []string{"schedule"} }),
			"base, two jobs":         of(func(q *resolve.Query) { q.Ref, q.Base, q.Jobs = "", newest.SHA, []string{"build", "test"} }),
		}
		for name, q := range queries {
			want := ""
			if len(q.Jobs) == 1 && q.Jobs[0] == "build" {
				want = h.truth(q)
			}
			for _, rung := range rungs {
				got := outcome(t, rung.resolver(t, h), q)
				if want == "" {
					want = got
				}
				if got == "closed" && rung.token == "job" { // a parent without jobs may be the right one
					unsure++
					continue
				}
				if got != want {
					t.Errorf("history %d, %s: %s, and where %s: %s", seed, name, want, rung.name, got)
				}
			}
			if want != "none" {
				found[name]++
			}
		}
	}
	if unsure > len(found)*histories/10 {
		t.Errorf("%d queries were not answered where pipelines are closed", unsure)
	}
	for name, n := range found {
		if n == 0 {
			t.Errorf("%s: only %d histories have the job", name, n)
		}
	}
}

// received is like outcome, for a download from the addresses that the resolver returns: a
// history's archives contain their jobs' IDs.
func received(t *testing.T, rung rung, h *history, q resolve.Query) string {
	t.Helper()
	client := rung.client(h)
	r := rung.resolverOf(t, client)
	found, err := r.Artifacts(t.Context(), q)
	var ids []int64
	for _, a := range found {
		for a.JobID == 0 && err == nil {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL, http.NoBody) // the resolver made it
			answer, _ := client.Do(req)                                                           // asker doesn't fail
			if refusal := gitlab.CheckResponse(answer); refusal != nil {
				a, err = r.Fallback(t.Context(), q, a, refusal)
				continue
			}
			if _, err := fmt.Fscan(answer.Body, &a.JobID); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, a.JobID)
	}
	switch {
	case err == nil:
		slices.Sort(ids)
		return fmt.Sprint(ids)
	case errorIs[*resolve.ClosedError](err):
		return "closed"
	}
	return "none"
}

func errorIs[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// GitLab's own search for recent pipelines (since 18.10) takes children before their
// parents, and ignores their age: no query may use it.
func TestRecentIsTheSameOnEveryRung(t *testing.T) {
	t.Parallel()
	rungs := append([]rung{{"GitLab has a search of its own", "18.10", "private", "JOB-TOKEN", "job"}}, rungs...)
	found := map[string]int{}
	for seed := range uint64(2 * histories) {
		h := newHistory(seed)
		middle := h.all[len(h.all)/2]
		q := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}, Recent: true}
		young, two, other, twice := q, q, q, q
		young.MaxAge = time.Since(middle.CreatedAt) + 30*time.Second
		two.Jobs = []string{"build", "test"}
		other.Jobs = []string{"test", "lint"}
		twice.Jobs, twice.Recent = []string{"build", "build"}, false
		for name, q := range map[string]resolve.Query{"one job": q, "young pipelines": young, "two jobs": two, "two other jobs": other, "one job of the newest, twice": twice} {
			want := h.truth(q)
			if len(q.Jobs) > 1 && q.Recent {
				want = outcome(t, rungs[1].resolver(t, h), q)
			}
			for _, rung := range rungs {
				if got := received(t, rung, h, q); got != want && got != "closed" {
					t.Errorf("history %d, %s: %s, and where %s: %s", seed, name, want, rung.name, got)
				}
			}
			if want != "none" {
				found[name]++
			}
		}
	}
	if len(found) != 5 {
		t.Errorf("only found: %v", found)
	}
}

// The cheap way to find the job that GitLab chooses, one page of the newest jobs, gives
// the same result as the full lists and as GitLab itself.
func TestOnRefIsWhatGitLabChooses(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		h := newHistory(seed)
		q := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}}
		chosen := h.of.LatestJob("main", "build")
		found, err := rungs[0].resolver(t, h).OnRef(t.Context(), q)
		if (chosen == nil || !chosen.HasArchive()) != (err != nil) || err == nil && found.JobID != chosen.ID {
			t.Errorf("history %d: %+v, %v; GitLab chooses %+v", seed, found, err, chosen)
		}
	}
}

// One page of the newest jobs doesn't show which pipeline a child belongs to, or that an
// older attempt counts.
func TestNewestJobsThatSettleNothing(t *testing.T) {
	t.Parallel()
	old, main := at(10, 90, "main", "success"), at(20, 100, "main", "success")
	child := at(31, 121, "main", "success")
	child.Source = "parent_pipeline"
	build, oldBuild := created(20, job(5, "build", main)), created(10, job(1, "build", old))
	canceled := created(25, gitlab.Job{ID: 7, Name: "build", Pipeline: main})
	canceled.Status = "canceled"
	for name, tt := range map[string]struct {
		all []gitlab.Job
		any bool
	}{
		"a child's":              {[]gitlab.Job{created(31, job(9, "build", child)), build, oldBuild}, true},
		"a newer attempt":        {[]gitlab.Job{canceled, build, oldBuild}, false},
		"a page that ends early": {slices.Repeat([]gitlab.Job{created(30, job(9, "lint", main))}, 20), true},
	} {
		api := &fakeAPI{all: tt.all, pipelines: []gitlab.Pipeline{main}, jobs: []gitlab.Job{build}}
		r := resolve.New(resolve.Options{API: api})
		q := resolve.Query{Project: "7", Ref: "main", Jobs: []string{"build"}, AnyPipeline: tt.any}
		var err error
		if tt.any {
			_, err = r.Artifacts(t.Context(), q)
		} else {
			_, err = r.OnRef(t.Context(), q)
		}
		if err != nil || api.pipelinesAsked != 1 {
			t.Errorf("%s: %v after %d lists of pipelines", name, err, api.pipelinesAsked)
		}
	}
}

// Whatever the token can list, a job that exists is never reported as missing, and a job
// that hasn't succeeded counts as missing.
func TestWhatIsMissingOnEveryRung(t *testing.T) {
	t.Parallel()
	h := &history{rand: rand.New(rand.NewPCG(1, 16)), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), next: 1}
	job := func(name, status string) *gitlabtest.Job {
		return &gitlabtest.Job{ID: h.id(), CreatedAt: h.at, Name: name, Status: status, Archive: []byte("a")}
	}
	for _, jobs := range [][]*gitlabtest.Job{{job("build", "success"), job("flaky", "failed")}, {job("build", "running"), job("test", "success")}} {
		h.of = cmp.Or(h.of, &gitlabtest.Project{ID: 7, Path: "group/app", DefaultBranch: "main"})
		h.of.Pipelines = append(h.of.Pipelines, &gitlabtest.Pipeline{ID: h.id(), Ref: "main", SHA: h.sha(), Status: "running", CreatedAt: jobs[0].CreatedAt.Add(-time.Second), Jobs: jobs})
	}
	for _, tt := range []struct {
		jobs []string
		want string
	}{
		{[]string{"flaky"}, `no job "flaky" that has succeeded with artifacts in any recent pipeline of ref "main" in project 7`},
		{[]string{"build", "nope"}, `no jobs "build", "nope" that have succeeded with artifacts together in any recent pipeline of ref "main" in project 7`},
		{[]string{"nope", "build"}, `no job "nope" that has succeeded with artifacts in any recent pipeline of ref "main" in project 7`},
	} {
		for _, rung := range rungs {
			_, err := rung.resolver(t, h).Artifacts(t.Context(), resolve.Query{Project: "7", Ref: "main", Jobs: tt.jobs, AnyPipeline: true})
			if err == nil || err.Error() != tt.want {
				t.Errorf("where %s: %v", rung.name, err)
			}
		}
	}
}
