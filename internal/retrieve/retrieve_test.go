package retrieve_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

func byName(jobs ...string) resolve.Query {
	return resolve.Query{Project: "1", Ref: "main", Jobs: jobs}
}

// All jobs of a query are extracted, each into its directory, or none: not if one of the
// archives is damaged, and not if the caller refuses the staged files.
func TestRunAllOrNothing(t *testing.T) {
	t.Parallel()
	errNo := errors.New("no")
	for _, tt := range []struct {
		name   string
		job    string
		before func([]retrieve.Result) error
		fails  func(error) bool
	}{
		{"all", "whole", nil, nil},
		{"one is broken", "broken", nil, func(err error) bool { _, ok := errors.AsType[*extract.NotArchiveError](err); return ok }},
		{"refused", "whole", func([]retrieve.Result) error { return errNo }, func(err error) bool { return errors.Is(err, errNo) }},
	} {
		world := withJobs(job(3, "whole", gitlabtest.Zip(gitlabtest.File{Name: "w"})), job(4, "broken", []byte("<html>")))
		i := start(t, world, gitlabtest.Options{}, gitlabtest.PrivateToken)
		dir := t.TempDir()
		var opened atomic.Int32
		i.Events.Opened = func(resolve.Artifact, int64, bool) { opened.Add(1) }
		done, err := i.retriever().Run(t.Context(), retrieve.Options{
			Query: byName("build", tt.job), Output: parse(t, filepath.Join(dir, "{job}")), BeforeCommit: tt.before,
		})
		if tt.fails != nil {
			if !tt.fails(err) || done != nil || tree(t, dir) != "" {
				t.Errorf("%s: %v, %v, there is %s", tt.name, done, err, tree(t, dir))
			}
			continue
		}
		if err != nil || len(done) != 2 || opened.Load() != 2 || !strings.HasSuffix(tree(t, dir), "build/job.txt whole/w") {
			t.Fatalf("%s: %d of 2, %v, there is %s", tt.name, len(done), err, tree(t, dir))
		}
		if a := done[0].Artifact; a.JobID != 1001 || a.PipelineID != 100 || a.Size == 0 || done[0].Stats.Files != 5 || done[0].Transfer.Requests != 1 || done[0].Files != nil {
			t.Errorf("%s: %+v", tt.name, done[0])
		}
	}
}

// A query for several jobs has no single digest, and needs a directory for each job; both
// errors are reported before anything is downloaded.
func TestRunRefusesBeforeItDownloads(t *testing.T) {
	t.Parallel()
	i := start(t, gitlabtest.Fixture(), gitlabtest.Options{}, gitlabtest.PrivateToken)
	dir := t.TempDir()
	_, err := i.retriever().Run(t.Context(), retrieve.Options{
		Query: byName("build", "report"), Output: parse(t, dir), Checks: retrieve.Checks{SHA256: strings.Repeat("0", 64)},
	})
	if several, ok := errors.AsType[*retrieve.SeveralJobsError](err); !ok || several.Jobs != 2 || !several.Digest {
		t.Error(err)
	}
	_, before := i.asked()
	i = start(t, gitlabtest.Fixture(), gitlabtest.Options{}, gitlabtest.JobToken) // it can't read a job
	_, err = i.retriever().Run(t.Context(), retrieve.Options{Query: resolve.Query{Project: "1", JobID: 1001}, Output: parse(t, filepath.Join(dir, "{pipeline}"))})
	if unknown, ok := errors.AsType[*retrieve.UnknownValueError](err); !ok || unknown.Word != "{pipeline}" || unknown.Artifact.JobID != 1001 {
		t.Error(err)
	}
	if _, archives := i.asked(); before+archives > 0 || tree(t, dir) != "" {
		t.Errorf("%d archives were asked for, there is %s", before+archives, tree(t, dir))
	}
}

// An archive that changes during the download is downloaded again, at most twice; the cost
// includes all attempts.
func TestRunStartsOver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		changes, again int
		ok             bool
	}{{0, 0, true}, {1, 1, true}, {2, 2, true}, {3, 2, false}} {
		versions := []*gitlabtest.Job{job(3, "large", nil)}
		archive := func(n int) []byte {
			return gitlabtest.Zip(gitlabtest.File{Name: "version", Content: fmt.Sprint(n)}, gitlabtest.File{Name: "noise", Content: noise(100_000), Store: true})
		}
		versions[0].Archive = archive(0)
		var faults []gitlabtest.Fault
		for n := range tt.changes { // after the requests that resumed; a fault doesn't see requests that another one took
			faults = append(faults, gitlabtest.Fault{Kind: "reset-body", On: "/artifacts", Skip: n, Times: 1, After: 50_000})
		}
		w := withJobs(versions[0])
		for _, p := range w.Projects[0].Pipelines {
			if p.Status == "running" {
				p.Status = "failed" // or a request by ID, to be certain about the job, takes a fault
			}
		}
		i := start(t, w, gitlabtest.Options{Faults: faults}, gitlabtest.PrivateToken)
		changed, again := 0, 0
		i.Backoff = func() fetch.Backoff {
			return onBreak(func() {
				changed++
				i.Update(func(*gitlabtest.World) { versions[0].Archive = archive(changed) })
			})
		}
		i.Events.StartingOver = func(err error) {
			again++
			if !errors.Is(err, fetch.ErrChanged) {
				t.Error(err)
			}
		}
		dir := t.TempDir()
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("large"), Output: parse(t, dir)})
		if changed != tt.changes || again != tt.again || (err == nil) != tt.ok {
			t.Fatalf("%d changes: %d, started over %d times, %v", tt.changes, changed, again, err)
		}
		if !tt.ok {
			if !errors.Is(err, fetch.ErrChanged) || tree(t, dir) != "" {
				t.Errorf("%v, there is %s", err, tree(t, dir))
			}
			continue
		}
		size := int64(len(archive(0)))
		if got := read(t, dir, "version"); got != fmt.Sprint(tt.changes) || done[0].Transfer.Bytes != size+50_000*int64(tt.changes) {
			t.Errorf("%d changes: version %s, %+v", tt.changes, got, done[0].Transfer)
		}
	}
}

// onBreak is called before an interrupted transfer resumes.
type onBreak func()

func (f onBreak) NextBackOff() time.Duration { f(); return 0 }

func (onBreak) Reset() {}

// A run waits for a job, and reports why; each attempt resolves the query again.
func TestRunWaits(t *testing.T) {
	t.Parallel()
	slow := job(3, "slow", gitlabtest.Zip(gitlabtest.File{Name: "x"}))
	slow.Status, slow.FinishAfter = "running", 2
	i := start(t, withJobs(slow), gitlabtest.Options{}, gitlabtest.PrivateToken)
	waited := 0
	i.Events.Waiting = func(_ time.Duration, because error) {
		waited++
		if state, ok := errors.AsType[*resolve.StateError](because); !ok || state.Final() {
			t.Error(because)
		}
	}
	dir := t.TempDir()
	done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: resolve.Query{Project: "1", PipelineID: 100, Jobs: []string{"slow"}}, Output: parse(t, dir), Wait: time.Minute})
	if err != nil || waited == 0 || len(done) != 1 || tree(t, dir) != "x" {
		t.Errorf("waited %d times: %v, %v", waited, done, err)
	}
}

// Files lists those in the workspace at the end, including unpacked ones, and without
// skipped ones.
func TestRunListsFiles(t *testing.T) {
	t.Parallel()
	inner := gitlabtest.Zip(gitlabtest.File{Name: "deep", Content: "12345"})
	world := withJobs(job(3, "many", gitlabtest.Zip(
		gitlabtest.File{Name: "there", Content: "new"}, gitlabtest.File{Name: "a", Content: "1"}, gitlabtest.File{Name: "l", Link: "a"}, gitlabtest.File{Name: "in.zip", Content: string(inner)})))
	i := start(t, world, gitlabtest.Options{}, gitlabtest.PrivateToken)
	for _, tt := range []struct {
		name    string
		files   bool
		extract extract.Options
		stage   extract.StageOptions
		want    string
		count   int
	}{
		{"not asked for", false, extract.Options{}, extract.StageOptions{}, "[]", 3},
		{"all", true, extract.Options{}, extract.StageOptions{}, fmt.Sprintf("[{a 1 } {in.zip %d } {l 0 a} {there 3 }]", len(inner)), 3},
		{"unpacked", true, extract.Options{Unpack: 1}, extract.StageOptions{}, "[{a 1 } {deep 5 } {l 0 a} {there 3 }]", 3},
		{"left out", true, extract.Options{Selection: extract.Selection{Exclude: []string{"in.zip"}}}, extract.StageOptions{OnConflict: extract.SkipExisting}, "[{a 1 } {l 0 a}]", 1},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "there"), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		skipped := ""
		tt.stage.OnSkip = func(path, _ string) { skipped += path }
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: byName("many"), Output: parse(t, dir), Extract: tt.extract, Stage: tt.stage, Files: tt.files})
		if err != nil || fmt.Sprint(done[0].Files) != tt.want || done[0].Stats.Files != tt.count {
			t.Errorf("%s: %v, %+v", tt.name, err, done)
		}
		if left := map[bool]string{true: "there"}[tt.name == "left out"]; skipped != left {
			t.Errorf("%s: skipped %q", tt.name, skipped)
		}
	}
}

// At most three archives are loaded at the same time, and each knows how many share the
// memory and connections.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 1, 1: 1, 2: 2, 3: 3, 7: 3} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			now, most, seen := 0, 0, map[int]bool{}
			err := retrieve.SideBySide(t.Context(), n, func(_ context.Context, i, share int) error {
				mu.Lock()
				now++
				most, seen[i] = max(most, now), true
				mu.Unlock()
				time.Sleep(time.Second) // let all that may start do so
				mu.Lock()
				defer mu.Unlock()
				now--
				if share != want {
					t.Errorf("%d archives: %d share", n, share)
				}
				return nil
			})
			if err != nil || len(seen) != n || n > 0 && most != want {
				t.Errorf("%d archives: %d at once, %v, %v", n, most, seen, err)
			}
		})
	}
	errNo := errors.New("no")
	if err := retrieve.SideBySide(t.Context(), 9, func(ctx context.Context, i, _ int) error {
		if i == 0 {
			return errNo
		}
		<-ctx.Done() // the others are canceled
		return ctx.Err()
	}); !errors.Is(err, errNo) {
		t.Error(err)
	}
}
