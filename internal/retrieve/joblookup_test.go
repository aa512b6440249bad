package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// version is the archive of one version of a job. All have the same size.
func version(n int) []byte {
	return gitlabtest.Zip(gitlabtest.File{Name: "version", Content: fmt.Sprint(n)}, gitlabtest.File{Name: "noise", Content: noise(100_000), Store: true})
}

// history is a project whose pipelines of main ended some time ago.
func history(ago time.Duration) *gitlabtest.World {
	then := time.Now().Add(-ago)
	pipeline := func(id int64, created time.Time) *gitlabtest.Pipeline {
		return &gitlabtest.Pipeline{
			ID: id, Ref: "main", SHA: strings.Repeat("a", 40), Status: "success", CreatedAt: created, UpdatedAt: then,
			Jobs: []*gitlabtest.Job{job(id*10+1, "build", version(int(id)))},
		}
	}
	w := gitlabtest.Fixture()
	w.Projects[0].Pipelines = []*gitlabtest.Pipeline{pipeline(1, then.Add(-2*time.Hour)), pipeline(2, then.Add(-time.Hour))}
	return w
}

// The archive that GitLab chooses is requested at the same time as the list that says
// which job it belongs to. If the ref's pipelines have just changed, one byte is requested
// by the job's ID, to be certain.
func TestBytesBesideTheList(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeProxy, gitlabtest.ModeRedirect} {
		for _, tt := range []struct {
			ago       time.Duration
			byID, all int // requests to GitLab
		}{{time.Hour, 0, 2}, {time.Second, 1, 3}} {
			i := start(t, history(tt.ago), gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
			dir := t.TempDir()
			done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, dir)})
			if err != nil {
				t.Fatal(err)
			}
			if a := done[0].Artifact; a.JobID != 21 || a.PipelineID != 2 || read(t, dir, "version") != "2" {
				t.Errorf("%s, %v ago: job %d of pipeline %d, version %s", mode, tt.ago, a.JobID, a.PipelineID, read(t, dir, "version"))
			}
			stored := map[gitlabtest.Mode]int{gitlabtest.ModeRedirect: 1}[mode]
			if _, byID, all := i.toGitLab(21); byID != tt.byID || all != tt.all || len(i.Requests())-all != stored {
				t.Errorf("%s, %v ago: %d requests to GitLab, %d by id, %d to storage; want %d, %d, %d", mode, tt.ago, all, byID, len(i.Requests())-all, tt.all, tt.byID, stored)
			}
		}
	}
}

// bodyLater delays the bytes of the archive that GitLab chooses until its job has been
// identified by ID.
type bodyLater struct {
	http.RoundTripper
	byID chan struct{}
}

// RoundTrip implements [http.RoundTripper].
func (b *bodyLater) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	switch {
	case err != nil:
	case strings.HasSuffix(r.URL.Path, "/jobs/21/artifacts"):
		close(b.byID)
	case resp.StatusCode == http.StatusPartialContent:
		resp.Body = &laterBody{resp.Body, r.Context(), b.byID}
	}
	return resp, err
}

type laterBody struct {
	io.ReadCloser
	ctx   context.Context
	after <-chan struct{}
}

// Read implements [io.Reader].
func (l *laterBody) Read(p []byte) (int, error) {
	select {
	case <-l.after:
		return l.ReadCloser.Read(p)
	case <-l.ctx.Done():
		return 0, l.ctx.Err()
	}
}

// The request by ID doesn't wait for the archive, so it takes no time of its own.
func TestIdentifiedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect} {
		i := start(t, history(time.Second), gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
		i.HTTP.Transport = &bodyLater{i.HTTP.Transport, make(chan struct{})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only if it waits
		defer cancel()
		dir := t.TempDir()
		done, err := i.retriever().Run(ctx, retrieve.Options{Query: byName("build"), Output: parse(t, dir)})
		if err != nil || done[0].Artifact.JobID != 21 || read(t, dir, "version") != "2" {
			t.Errorf("%s: %+v, %v", mode, done, err)
		}
	}
}

// erasing erases a job's archive when it is requested by ID.
type erasing struct {
	http.RoundTripper
	instance
}

// RoundTrip implements [http.RoundTripper].
func (e *erasing) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/jobs/21/artifacts") {
		e.Update(func(w *gitlabtest.World) { w.Projects[0].Pipelines[1].Jobs[0].Archive = nil })
	}
	return e.RoundTripper.RoundTrip(r)
}

// If GitLab refuses the listed job's archive by ID, the run starts over with the lists,
// which say why.
func TestErasedMeanwhile(t *testing.T) {
	t.Parallel()
	i := start(t, history(time.Second), gitlabtest.Options{}, gitlabtest.PrivateToken)
	i.HTTP.Transport = &erasing{RoundTripper: i.HTTP.Transport, instance: i}
	_, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, t.TempDir())})
	if missing, ok := errors.AsType[*resolve.NoArchiveError](err); !ok || missing.Artifact.JobID != 21 {
		t.Errorf("%T: %v", err, err)
	}
}

// With Recent, GitLab also chooses the job, from an older pipeline if necessary. The
// archive is requested at once; lists are then read until the job is certain.
func TestRecentBesideTheList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		newer     *gitlabtest.Job // of a newer pipeline
		job       int64
		byID, all int // requests to GitLab
	}{
		{"the newest has it", job(31, "build", version(3)), 31, 0, 2},
		{"an older one has it", job(31, "test", version(3)), 21, 1, 7},
	} {
		w := history(time.Hour)
		p := w.Projects[0]
		p.Pipelines = append(p.Pipelines, &gitlabtest.Pipeline{
			ID: 3, Ref: "main", SHA: strings.Repeat("b", 40), Status: "success", CreatedAt: time.Now().Add(-time.Hour), UpdatedAt: time.Now().Add(-time.Hour),
			Jobs: []*gitlabtest.Job{tt.newer},
		})
		i := start(t, w, gitlabtest.Options{}, gitlabtest.PrivateToken)
		dir, q := t.TempDir(), byName("build")
		q.Recent = true
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: q, Output: parse(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		byRef, byID, all := i.toGitLab(tt.job)
		if done[0].Artifact.JobID != tt.job || byRef != 1 || byID != tt.byID || all != tt.all {
			t.Errorf("%s: job %d, %d requests by ref, %d by id, %d to GitLab: want job %d, 1, %d, %d", tt.name, done[0].Artifact.JobID, byRef, byID, all, tt.job, tt.byID, tt.all)
		}
	}
}

// toGitLab counts the requests to GitLab, and those of them for an archive by ref and by
// ID.
func (i instance) toGitLab(job int64) (byRef, byID, all int) {
	for _, r := range i.Requests() {
		switch {
		case r.Host == "storage":
			continue
		case strings.HasSuffix(r.Path, fmt.Sprintf("/jobs/%d/artifacts", job)):
			byID++
		case strings.HasSuffix(r.Path, "/artifacts/main/download"):
			byRef++
		}
		all++
	}
	return byRef, byID, all
}

// Once the list and the first bytes agree about the job, all later requests use its ID: by
// ref, GitLab might mean another job by then.
func TestLaterRequestsAreByID(t *testing.T) {
	t.Parallel()
	files := make([]gitlabtest.File, 40)
	for n := range files {
		files[n] = gitlabtest.File{Name: fmt.Sprint("dist/", n), Content: noise(1 << 20), Store: true}
	}
	for _, ago := range []time.Duration{time.Hour, time.Second} {
		w := history(ago)
		w.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(files...)
		i := start(t, w, gitlabtest.Options{Mode: gitlabtest.ModeDisk}, gitlabtest.PrivateToken)
		agreed := make(chan struct{})
		i.Events.Opened = func(resolve.Artifact, int64, bool) { close(agreed) }
		i.HTTP.Transport = &endLater{i.HTTP.Transport, agreed}
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, t.TempDir()), Extract: extract.Options{Pace: extract.Pace{Workers: 4, Connections: 4}}})
		if err != nil {
			t.Fatal(err)
		}
		// The first three parts of the end may be requested before the job is certain.
		if byRef, byID, all := i.toGitLab(21); byRef > 4 || byID == 0 || byRef+byID != all-1 || done[0].Artifact.JobID != 21 {
			t.Errorf("%v ago: %d requests by ref, %d by id, %d to GitLab", ago, byRef, byID, all)
		}
	}
}

// endLater delays requests for the end of an archive until its job is known. Nothing can
// be extracted before that.
type endLater struct {
	http.RoundTripper
	agreed <-chan struct{}
}

// RoundTrip implements [http.RoundTripper].
func (e *endLater) RoundTrip(r *http.Request) (*http.Response, error) {
	if asked := r.Header.Get("Range"); asked != "" && !strings.HasPrefix(asked, "bytes=0-") {
		<-e.agreed
	}
	return e.RoundTripper.RoundTrip(r)
}

// waitForList waits until the server has answered a list of jobs.
func (i instance) waitForList() {
	for listed := false; !listed; time.Sleep(time.Millisecond) {
		for _, r := range i.Requests() {
			listed = listed || strings.HasSuffix(r.Path, "/jobs") && r.Status == http.StatusOK
		}
	}
}

// overtaken ends a pipeline after the list was answered, and before the archive that
// GitLab chooses is requested.
type overtaken struct {
	http.RoundTripper
	instance
	done bool
}

// RoundTrip implements [http.RoundTripper].
func (o *overtaken) RoundTrip(r *http.Request) (*http.Response, error) {
	if !o.done && strings.Contains(r.URL.Path, "/artifacts/main/download") {
		o.done = true
		o.waitForList()
		o.Update(func(w *gitlabtest.World) {
			p := w.Projects[0]
			p.Pipelines = append(p.Pipelines, &gitlabtest.Pipeline{
				ID: 3, Ref: "main", SHA: strings.Repeat("b", 40), Status: "success", CreatedAt: time.Now().Add(-time.Hour), UpdatedAt: time.Now(),
				Jobs: []*gitlabtest.Job{job(31, "build", version(3))},
			})
		})
	}
	return o.RoundTripper.RoundTrip(r)
}

// A job's ID is never reported with another job's bytes, even if both archives have the
// same size. The run starts over with the list.
func TestAnotherJob(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeProxy, gitlabtest.ModeRedirect} {
		i := start(t, history(time.Second), gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
		i.HTTP.Transport = &overtaken{RoundTripper: i.HTTP.Transport, instance: i}
		over := 0
		i.Events.StartingOver = func(error) { over++ }
		dir := t.TempDir()
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, dir, "version"); over != 1 || done[0].Artifact.JobID != 31 || got != "3" {
			t.Errorf("%s: started over %d times, job %d, version %s", mode, over, done[0].Artifact.JobID, got)
		}
	}
}

// ending ends a pipeline that the list has shown as running, or a new one, before GitLab
// chooses the archive, and delays its choice.
type ending struct {
	http.RoundTripper
	instance
	delay time.Duration
	once  sync.Once
}

// RoundTrip implements [http.RoundTripper].
func (e *ending) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/artifacts/main/download") {
		e.once.Do(func() {
			e.waitForList()
			time.Sleep(e.delay)
			e.Update(func(w *gitlabtest.World) {
				p := w.Projects[0].Pipelines[2]
				p.Status, p.UpdatedAt, p.Jobs[0].Status = "success", time.Now(), "success"
			})
		})
	}
	return e.RoundTripper.RoundTrip(r)
}

// That nothing has happened for a minute doesn't help if a newer pipeline is running, and
// may succeed in the next moment; or if GitLab chooses much later than it has listed.
func TestPipelineEndsAfterTheList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status string
		delay  time.Duration
	}{{"running", 0}, {"pending", 0}, {"failed", 5100 * time.Millisecond}} { // a failed one is retried
		for _, recent := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.status, recent), func(t *testing.T) {
				t.Parallel()
				w := history(time.Hour)
				p := w.Projects[0]
				newer := &gitlabtest.Pipeline{
					ID: 3, Ref: "main", SHA: strings.Repeat("b", 40), Status: tt.status, CreatedAt: time.Now().Add(-time.Hour), UpdatedAt: time.Now().Add(-time.Hour),
					Jobs: []*gitlabtest.Job{job(31, "build", version(3))},
				}
				newer.Jobs[0].Status = tt.status
				if tt.status == "pending" { // one job of several
					newer.Jobs[0].Status, newer.Status = "success", "pending"
				}
				p.Pipelines = append(p.Pipelines, newer)
				i := start(t, w, gitlabtest.Options{}, gitlabtest.PrivateToken)
				i.HTTP.Transport = &ending{RoundTripper: i.HTTP.Transport, instance: i, delay: tt.delay}
				dir, q := t.TempDir(), byName("build")
				q.Recent = recent
				done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: q, Output: parse(t, dir)})
				if err != nil {
					t.Fatal(err)
				}
				if a := done[0].Artifact; a.JobID != 31 || read(t, dir, "version") != "3" {
					t.Errorf("job %d, version %s", a.JobID, read(t, dir, "version"))
				}
			})
		}
	}
}

// A pipeline without jobs of its own isn't in the list of jobs, but GitLab chooses from its
// child pipelines, whether or not they have ended.
func TestChildOfNewerPipeline(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"success", "running"} {
		w := history(time.Hour)
		p, then := w.Projects[0], time.Now().Add(-time.Hour)
		child := &gitlabtest.Pipeline{
			ID: 4, Ref: "main", SHA: strings.Repeat("b", 40), Status: status, Source: "parent_pipeline", CreatedAt: then, UpdatedAt: then,
			Jobs: []*gitlabtest.Job{job(41, "build", version(3)), {ID: 42, Name: "test", Status: status}},
		}
		p.Pipelines = append(p.Pipelines, &gitlabtest.Pipeline{
			ID: 3, Ref: "main", SHA: child.SHA, Status: "success", CreatedAt: then, UpdatedAt: then,
			Bridges: []*gitlabtest.Bridge{{ID: 31, Name: "trigger", Child: child}},
		})
		i := start(t, w, gitlabtest.Options{}, gitlabtest.PrivateToken)
		i.Resolver = resolve.New(resolve.Options{API: i.API, JobToken: true, OwnPipeline: child.ID})
		dir := t.TempDir()
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		if a := done[0].Artifact; a.JobID != 41 || read(t, dir, "version") != "3" {
			t.Errorf("%s: job %d, version %s", status, a.JobID, read(t, dir, "version"))
		}
	}
}

// A child pipeline's jobs may end after the list without a change of its parent, so one
// byte by ID confirms them.
func TestJobOfChild(t *testing.T) {
	t.Parallel()
	w := history(time.Hour)
	p, then := w.Projects[0], time.Now().Add(-time.Hour)
	p.Pipelines = append(p.Pipelines, &gitlabtest.Pipeline{
		ID: 3, Ref: "main", SHA: strings.Repeat("b", 40), Status: "success", CreatedAt: then, UpdatedAt: then,
		Jobs: []*gitlabtest.Job{{ID: 31, Name: "lint", Status: "success"}},
		Bridges: []*gitlabtest.Bridge{{ID: 32, Name: "trigger", Child: &gitlabtest.Pipeline{
			ID: 4, Ref: "main", SHA: strings.Repeat("b", 40), Status: "success", Source: "parent_pipeline", CreatedAt: then, UpdatedAt: then,
			Jobs: []*gitlabtest.Job{job(41, "build", version(3))},
		}}},
	})
	i := start(t, w, gitlabtest.Options{}, gitlabtest.PrivateToken)
	done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	if byRef, byID, _ := i.toGitLab(41); done[0].Artifact.JobID != 41 || byRef != 1 || byID != 1 {
		t.Errorf("job %d, %d requests by ref, %d by id", done[0].Artifact.JobID, byRef, byID)
	}
}

// silent answers a request by ID with headers, but never with a body.
type silent struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "/jobs/21/artifacts") {
		resp.Body = &laterBody{resp.Body, r.Context(), nil}
	}
	return resp, err
}

// The headers of the answer by ID are enough.
func TestIdentifiedByHeaders(t *testing.T) {
	t.Parallel()
	i := start(t, history(time.Second), gitlabtest.Options{}, gitlabtest.PrivateToken)
	i.HTTP.Transport = silent{i.HTTP.Transport}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only if it waits
	defer cancel()
	done, err := i.retriever().Run(ctx, retrieve.Options{Query: byName("build"), Output: parse(t, t.TempDir())})
	if err != nil || done[0].Artifact.JobID != 21 {
		t.Errorf("%+v, %v", done, err)
	}
}

// A job token that can't list anything gets the archive with a single request, and the job
// is unknown.
func TestBytesWithoutAList(t *testing.T) {
	t.Parallel()
	i := start(t, history(time.Hour), gitlabtest.Options{Version: "17.0"}, gitlabtest.JobToken)
	dir := t.TempDir()
	done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("build"), Output: parse(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	api, archives := i.asked()
	if a := done[0].Artifact; a.JobID != 0 || read(t, dir, "version") != "2" || api != 1 || archives != 1 {
		t.Errorf("job %d, %d requests for lists, %d for bytes", a.JobID, api, archives)
	}
}

// For reading an archive, it doesn't matter which job it belongs to: nothing is listed,
// unless GitLab refuses.
func TestLookingNeedsNoList(t *testing.T) {
	t.Parallel()
	i := start(t, history(time.Hour), gitlabtest.Options{}, gitlabtest.PrivateToken)
	inspect := retrieve.Inspector{Opener: i.Opener}
	listed, err := inspect.List(t.Context(), byName("build"), extract.Selection{}, retrieve.FromArchive)
	if err != nil || len(listed) != 2 {
		t.Fatal(listed, err)
	}
	var b strings.Builder
	if err := inspect.Cat(t.Context(), byName("build"), retrieve.NamedFile{Name: "version"}, &b); err != nil || b.String() != "2" {
		t.Errorf("%q, %v", b.String(), err)
	}
	if api, archives := i.asked(); api != 0 || archives != 2 {
		t.Errorf("%d requests for lists, %d for bytes", api, archives)
	}
	_, err = inspect.List(t.Context(), byName("bild"), extract.Selection{}, retrieve.FromArchive)
	if missing, ok := errors.AsType[*resolve.NotFoundError](err); !ok || missing.Job != "bild" {
		t.Error(err)
	}
}

// If the caller needs the job that GitLab chooses, it is known before a byte is written:
// for files one by one without ranges, and always for the report about the job.
func TestSelectionByRef(t *testing.T) {
	t.Parallel()
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges} {
		i := start(t, history(time.Hour), gitlabtest.Options{Mode: mode}, gitlabtest.PrivateToken)
		dir := t.TempDir()
		done, err := i.retriever().Run(t.Context(), retrieve.Options{
			Query: byName("build"), Output: parse(t, dir), Extract: extract.Options{Selection: extract.Selection{Include: []string{"version"}}},
		})
		if err != nil || done[0].Artifact.JobID != 21 || tree(t, dir) != "version" || read(t, dir, "version") != "2" {
			t.Errorf("%s: %+v, %v, there is %s", mode, done, err, tree(t, dir))
		}
	}
}
