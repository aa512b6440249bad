package retrieve_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/resolve"
)

// direct is an instance without a network, so that it works with a fake clock.
type direct struct{ *gitlabtest.Server }

// RoundTrip implements [http.RoundTripper].
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// retriever retrieves with a token, and the policy of the command line.
func (d direct) retriever(api *url.URL, token string) *retrieve.Retriever {
	policy := transport.Policy{}
	clients := transport.New(transport.Options{API: api, Header: "JOB-TOKEN", Token: token, Retry: policy, StallTimeout: -1, Base: d})
	g := gitlab.New(api, clients.Whole, clients.Stream)
	return &retrieve.Retriever{Pauses: soon, Loader: &retrieve.Loader{Opener: &retrieve.Opener{
		HTTP: clients.Stream, API: g, Resolver: resolve.New(resolve.Options{API: g, JobToken: true}),
		Backoff: func() fetch.Backoff { return policy.Backoff() }, Own: retrieve.Project{ID: "1", Path: "group/app"},
	}}}
}

// Forty matrix jobs fetch the same 5 MB archive at once, from a server without the licence
// for job tokens. Each job needs a list, one request that is refused for that reason, and at
// most three for the bytes. With GitLab's own limit for a token on the runner's route, 200
// a minute, none is refused, even if they all had the same token. With a lower limit, each of
// the three kinds of 429 is retried until all jobs are served.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const jobs, each = 40, 1 + 1 + 3
	archive := gitlabtest.Zip(gitlabtest.File{Name: "noise", Content: noise(5_000_000), Store: true})
	for name, limits := range map[string]gitlabtest.Limits{
		"GitLab's limits": {}, "app": {Runner: 25}, "rack": {Runner: 25, Shape: "rack"}, "workhorse": {Runner: 25, Shape: "workhorse"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dirs := make([]string, jobs)
			for i := range dirs {
				dirs[i] = t.TempDir()
			}
			synctest.Test(t, func(t *testing.T) {
				world := history(time.Hour)
				world.Projects[0].Pipelines[1].Jobs[0].Archive = archive
				server := direct{gitlabtest.New(world, gitlabtest.Options{Unlicensed: true, Limits: &limits})}
				api := &url.URL{Scheme: "https", Host: "gitlab.test", Path: "/api/v4"}
				var crowd sync.WaitGroup
				for _, dir := range dirs {
					r := server.retriever(api, gitlabtest.JobToken)
					out := parse(t, dir)
					crowd.Go(func() {
						if _, err := r.Run(t.Context(), retrieve.Options{Query: byName("build"), Output: out}); err != nil {
							t.Error(err)
						}
						_ = os.RemoveAll(dir) // 5 MB
					})
				}
				start := time.Now()
				crowd.Wait()
				refused := 0
				for _, r := range server.Requests() {
					if r.Status == http.StatusTooManyRequests {
						refused++
					}
				}
				served := len(server.Requests()) - refused
				if served > jobs*each || refused == 0 != (limits.Runner == 0) {
					t.Errorf("%d requests were served, at most %d are needed; %d were refused", served, jobs*each, refused)
				}
				t.Logf("%d requests were served, %d refused, in %v", served, refused, time.Since(start))
			})
		})
	}
}
