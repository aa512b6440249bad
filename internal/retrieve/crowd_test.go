package retrieve_test

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
)

// Forty matrix jobs fetch the same archive at once from a server with a rate limit, which
// returns each of the three kinds of 429. All of them succeed. Besides the requests that
// the limit refuses, each job needs a list, one request that is refused for lack of a
// licence, and at most three for the 5 MB.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const jobs, each = 40, 1 + 1 + 3
	world := history(time.Hour)
	world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(gitlabtest.File{Name: "noise", Content: noise(5_000_000), Store: true})
	for _, shape := range []string{"app", "rack", "workhorse"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			limits := &gitlabtest.Limits{Runner: 15, Period: time.Second, Shape: shape}
			server := gitlabtest.Start(world, gitlabtest.Options{Unlicensed: true, Limits: limits})
			t.Cleanup(server.Close)
			var crowd errgroup.Group
			start := time.Now()
			for range jobs {
				i := connect(t, server, gitlabtest.JobToken, transport.Policy{Retries: 10})
				dir := parse(t, t.TempDir())
				crowd.Go(func() error {
					_, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: dir})
					return err
				})
			}
			if err := crowd.Wait(); err != nil {
				t.Fatal(err)
			}
			refused := 0
			for _, r := range server.Requests() {
				if r.Status == 429 {
					refused++
				}
			}
			slow := time.Since(start) > jobs/time.Duration(limits.Runner)*limits.Period // a busy machine may keep to the limit by itself
			if served := len(server.Requests()) - refused; refused == 0 && !slow || served > jobs*each {
				t.Errorf("%d requests were served, at most %d are needed; %d were refused", served, jobs*each, refused)
			}
			t.Logf("%d requests were served, %d refused", len(server.Requests())-refused, refused)
		})
	}
}
