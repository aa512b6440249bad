package retrieve_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/resolve"
)

// taking selects the files with these names, or all.
func taking(names ...string) extract.Options {
	return extract.Options{Selection: extract.Selection{Include: names}}
}

// The caller may use its own stage, with archives of several projects: its files appear
// when the caller commits it.
func TestLoadIntoAnyStage(t *testing.T) {
	t.Parallel()
	i := start(t, gitlabtest.Fixture(), gitlabtest.Options{}, gitlabtest.PrivateToken)
	dir := t.TempDir()
	stage, err := extract.NewStage(dir, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }()
	loader := &retrieve.Loader{Opener: i.Opener}
	cost := retrieve.NewCost()
	for prefix, q := range map[string]resolve.Query{"app": {Project: "1", JobID: 1002}, "tools": {Project: "public/tools", JobID: 4001}} {
		found, err := i.Resolver.Artifacts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		o := extract.Options{Selection: extract.Selection{Prefix: prefix}}
		r, err := loader.Load(t.Context(), stage, retrieve.Task{Query: q, Artifact: found[0], Extract: o, Cost: cost})
		if err != nil || r.Artifact.Size == 0 || r.Artifact.JobID != q.JobID {
			t.Fatalf("%+v, %v", r, err)
		}
		if prefix == "app" && r.Stats.Files != 2 || prefix == "tools" && r.Stats.Files != 1 {
			t.Errorf("%s: %+v", prefix, r.Stats)
		}
	}
	if files := tree(t, filepath.Join(dir, "app")); files != "" {
		t.Errorf("before the commit there is %s", files)
	}
	if err := stage.Commit(t.Context()); err != nil || !strings.HasSuffix(tree(t, dir), "app/reports/raw/data.json app/reports/report.xml tools/job.txt") {
		t.Errorf("%v, there is %s", err, tree(t, dir))
	}
}

// If GitLab refuses a job token's request for lack of a licence, the archive is downloaded
// from the endpoint for runners. If only the ref is known, the job is searched for first;
// its ID is in the result.
func TestLoadFallsBack(t *testing.T) {
	t.Parallel()
	for _, q := range []resolve.Query{byName("build"), {Project: "1", JobID: 1001}} {
		i := start(t, gitlabtest.Fixture(), gitlabtest.Options{Unlicensed: true, Version: "18.5"}, gitlabtest.JobToken)
		var told []resolve.Artifact
		i.Events.FallingBack = func(a resolve.Artifact) { told = append(told, a) }
		dir := t.TempDir()
		done, err := i.retriever().Run(t.Context(), retrieve.Options{Query: q, Output: parse(t, dir)})
		if err != nil || len(done) != 1 || done[0].Artifact.JobID != 1001 || read(t, dir, "job.txt") != "build 1001\n" {
			t.Fatalf("%v: %v, %+v", q, err, done)
		}
		if len(told) != 1 || told[0].JobID != 1001 || !strings.Contains(told[0].URL, "/api/v4/jobs/1001/artifacts") {
			t.Errorf("%v: told %+v", q, told)
		}
	}
}

// Without ranges, a few files are downloaded one by one, unless the whole archive is
// needed.
func TestLoadSingleFiles(t *testing.T) {
	t.Parallel()
	archive := gitlabtest.Zip(
		gitlabtest.File{Name: "a", Content: "a", Mode: 0o750}, gitlabtest.File{Name: "b", Content: "b"}, gitlabtest.File{Name: "c", Content: "c"}, gitlabtest.File{Name: "d", Content: "d"},
		gitlabtest.File{Name: "link", Link: "a"}, gitlabtest.File{Name: "noise", Content: noise(2 << 20), Store: true})
	excluding := taking("a")
	excluding.Exclude = []string{"b"}
	recording := taking("a")
	recording.Record = func(extract.Recorded) {}
	for _, tt := range []struct {
		name   string
		take   extract.Options
		checks retrieve.Checks
		cache  bool
		single bool
	}{
		{"one", taking("a"), retrieve.Checks{}, false, true},
		{"three", taking("a", "./b", "c"), retrieve.Checks{}, false, true},
		{"four", taking("a", "b", "c", "d"), retrieve.Checks{}, false, false},
		{"all", taking(), retrieve.Checks{}, false, false},
		{"a link", taking("a", "link"), retrieve.Checks{}, false, false},
		{"a glob", taking("[a]"), retrieve.Checks{}, false, false},
		{"others are excluded", excluding, retrieve.Checks{}, false, false},
		{"with a record", recording, retrieve.Checks{}, false, false},
		{"the digest is wanted", taking("a"), retrieve.Checks{Digest: true}, false, false},
		{"into a cache", taking("a"), retrieve.Checks{}, true, false},
	} {
		i := start(t, withJobs(job(3, "large", archive)), gitlabtest.Options{Mode: gitlabtest.ModeNoRanges}, gitlabtest.PrivateToken)
		r, dir := i.retriever(), t.TempDir()
		if tt.cache {
			r.Loader.Cache.Dir = t.TempDir()
		}
		q := resolve.Query{Project: "1", JobID: 3}
		done, err := r.Run(t.Context(), retrieve.Options{Query: q, Output: parse(t, dir), Extract: tt.take, Checks: tt.checks})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if single := done[0].Transfer.Bytes < 1<<20; single != tt.single {
			t.Errorf("%s: %d bytes in %d requests", tt.name, done[0].Transfer.Bytes, done[0].Transfer.Requests)
		}
		if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode().Perm() != 0o750 || read(t, dir, "a") != "a" {
			t.Errorf("%s: %v, %v", tt.name, info, err)
		}
	}
}

// An archive that can't be cached is reported: once, if the server is the cause.
func TestLoadNotCached(t *testing.T) {
	t.Parallel()
	i := start(t, gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeNoLength, Version: "18.5"}, gitlabtest.PrivateToken)
	var told atomic.Int32
	i.Events.NotCached = func(err error) {
		told.Add(1)
		if !errors.Is(err, fetch.ErrNoETag) {
			t.Error(err)
		}
	}
	r := i.retriever()
	r.Loader.Cache.Dir = t.TempDir()
	_, err := r.Run(t.Context(), retrieve.Options{Query: byName("test *"), Output: parse(t, filepath.Join(t.TempDir(), "{job_slug}"))})
	if err != nil || told.Load() != 1 {
		t.Errorf("told %d times of three archives: %v", told.Load(), err)
	}
}

// In CI, the path of the job's own project is known. Runners' statements and addresses
// name a project by its path.
func TestProjectPath(t *testing.T) {
	t.Parallel()
	own := retrieve.Project{ID: "7", Path: "group/app"}
	for _, tt := range []struct {
		own           retrieve.Project
		project, path string
	}{
		{own, "7", "group/app"},
		{own, "8", ""},
		{own, "group/lib", "group/lib"},
		{retrieve.Project{}, "7", ""},
		{retrieve.Project{}, "", ""},
		{retrieve.Project{ID: "7"}, "7", ""},
	} {
		if got := tt.own.PathOf(tt.project); got != tt.path {
			t.Errorf("%+v: %s is %q, want %q", tt.own, tt.project, got, tt.path)
		}
	}
}

// The caller limits the number of connections; zero means the default.
func TestConnections(t *testing.T) {
	t.Parallel()
	if all, none, few := retrieve.Connections(16), retrieve.Connections(0), retrieve.Connections(2); none != all || few > 2 || few < 1 || all < few {
		t.Errorf("%d, %d, %d", all, none, few)
	}
}
