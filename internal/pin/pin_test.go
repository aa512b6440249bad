package pin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/fetch"
	"gitlab.com/artifetch/artifetch/gitlab"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
	"gitlab.com/artifetch/artifetch/internal/transport"
	"gitlab.com/artifetch/artifetch/manifest"
	"gitlab.com/artifetch/artifetch/resolve"
)

// place is a directory with a manifest, and the GitLab that it is about.
type place struct {
	t      *testing.T
	dir    string
	server *gitlabtest.Running
	loader *retrieve.Loader
	lists  *http.Client // of loader, for JSON
	jobs   map[int64]*gitlabtest.Job
}

const twoSources = `version: 1
defaults: {project: group/app, ref: main}
sources:
  - {name: lib, job: lib, output: lib}
  - {name: tool, job: tool, paths: bin, output: tool}
`

// newPlace has a manifest, and a project with a job for each of two sources.
func newPlace(t *testing.T, text string) *place {
	t.Helper()
	return newPlaceOn(t, "", text)
}

// newPlaceOn has a GitLab of that version.
func newPlaceOn(t *testing.T, version, text string) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), jobs: map[int64]*gitlabtest.Job{
		1: {ID: 1, Name: "lib", Archive: gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "1"}, gitlabtest.File{Name: "b", Content: "1"}, gitlabtest.File{Name: "l", Link: "a"})},
		2: {ID: 2, Name: "tool", Archive: gitlabtest.Zip(gitlabtest.File{Name: "bin/x", Content: "1", Mode: 0o755}, gitlabtest.File{Name: "doc/y"})},
	}}
	world := gitlabtest.Fixture()
	world.Projects = []*gitlabtest.Project{{ID: 1, Path: "group/app", Visibility: gitlabtest.Private, Pipelines: []*gitlabtest.Pipeline{
		{ID: 10, Ref: "main", SHA: strings.Repeat("a", 40), Status: "success", Jobs: []*gitlabtest.Job{p.jobs[1], p.jobs[2]}},
	}}}
	p.server = gitlabtest.Start(world, gitlabtest.Options{Version: version})
	t.Cleanup(p.server.Close)
	p.connect(gitlabtest.PrivateToken, resolve.Options{})
	p.write("artifetch.yml", text)
	return p
}

// connect makes the requests from now on, with a token.
func (p *place) connect(token string, o resolve.Options) {
	p.t.Helper()
	api, err := url.Parse(p.server.APIURL)
	if err != nil {
		p.t.Fatal(err)
	}
	header := "PRIVATE-TOKEN"
	if o.JobToken {
		header = "JOB-TOKEN"
	}
	clients := transport.New(transport.Options{API: api, Header: header, Token: token, Retry: transport.Policy{Retries: -1}})
	p.t.Cleanup(clients.Stream.CloseIdleConnections)
	o.API, p.lists = gitlab.New(api, clients.Whole, clients.Stream), clients.Whole
	p.loader = &retrieve.Loader{Opener: &retrieve.Opener{
		HTTP: clients.Stream, API: gitlab.New(api, clients.Whole, clients.Stream), Resolver: resolve.New(o),
		Backoff: func() fetch.Backoff { return transport.Policy{Retries: -1}.Backoff() },
	}}
}

func (p *place) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) read(name string) string {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content)
}

func (p *place) open() pin.Workspace {
	p.t.Helper()
	w, err := pin.Open(p.t.Context(), filepath.Join(p.dir, "artifetch.yml"), "", func(string) (string, bool) { return "", false })
	if err != nil {
		p.t.Fatal(err)
	}
	return w
}

// sync plans and, unless it only checks, applies.
func (p *place) sync(o pin.Options) ([]*pin.Plan, error) {
	p.t.Helper()
	s := &pin.Syncer{Workspace: p.open(), Options: o, Loader: p.loader}
	plans, err := s.Plan(p.t.Context())
	if err == nil && !o.Check {
		err = s.Apply(p.t.Context(), plans, extract.StageOptions{})
	}
	return plans, err
}

func (p *place) mustSync(o pin.Options) []*pin.Plan {
	p.t.Helper()
	plans, err := p.sync(o)
	if err != nil {
		p.t.Fatal(err)
	}
	return plans
}

// newPipeline has the jobs again, with other IDs and contents.
func (p *place) newPipeline() {
	p.server.Update(func(w *gitlabtest.World) {
		w.Projects[0].Pipelines = append(w.Projects[0].Pipelines, &gitlabtest.Pipeline{ID: 20, Ref: "main", SHA: strings.Repeat("b", 40), Status: "success", Jobs: []*gitlabtest.Job{
			{ID: 11, Name: "lib", Archive: gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "2"}, gitlabtest.File{Name: "c", Content: "2"}, gitlabtest.File{Name: "l", Link: "a"})},
			{ID: 12, Name: "tool", Archive: gitlabtest.Zip(gitlabtest.File{Name: "bin/x", Content: "2", Mode: 0o755})},
		}})
	})
}

func isLock(err error, reason pin.Reason) bool {
	e, ok := errors.AsType[*pin.LockError](err)
	return ok && e.Reason == reason
}

func drifts(err error, want ...string) bool {
	e, ok := errors.AsType[*pin.DriftError](err)
	return ok && slices.Equal(e.Differences, want)
}

// jobIDs are the jobs that are locked, by source.
func jobIDs(w pin.Workspace) string {
	var ids []string
	for _, s := range w.Lock.Sources {
		ids = append(ids, fmt.Sprintf("%s:%d", s.Name, s.JobID))
	}
	return strings.Join(ids, " ")
}

// What is locked and in place costs no request, whatever GitLab has now. What is changed
// or missing comes back as it was.
func TestLockedStays(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	plans := p.mustSync(pin.Options{})
	if !plans[0].Downloads() || plans[0].Pinned || plans[0].Result.Stats.Files != 2 || p.read("tool/bin/x") != "1" || jobIDs(p.open()) != "lib:1 tool:2" {
		t.Fatalf("%+v, %s", plans[0], jobIDs(p.open()))
	}
	p.newPipeline()
	lock := p.read("artifetch.lock")
	p.server.ResetRequests()
	for _, o := range []pin.Options{{}, {Locked: true}, {Offline: true}} {
		plans = p.mustSync(o)
		if slices.ContainsFunc(plans, (*pin.Plan).Downloads) || len(p.server.Requests()) > 0 || p.read("artifetch.lock") != lock {
			t.Errorf("%+v: %d requests", o, len(p.server.Requests()))
		}
	}
	p.write("lib/a", "mine")
	if err := os.Remove(filepath.Join(p.dir, "tool/bin/x")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.sync(pin.Options{Offline: true}); !isLock(err, pin.NotInPlace) {
		t.Error(err)
	}
	before, err := os.Stat(filepath.Join(p.dir, "artifetch.lock"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range p.mustSync(pin.Options{}) {
		if !o.Downloads() || !o.Pinned || o.Drifted() {
			t.Errorf("%+v", o)
		}
	}
	after, err := os.Stat(filepath.Join(p.dir, "artifetch.lock"))
	if err != nil || !os.SameFile(before, after) || p.read("lib/a") != "1" || p.read("tool/bin/x") != "1" || p.read("artifetch.lock") != lock {
		t.Error("it is not as it was locked")
	}
}

// An update moves the sources that it names, and says what has changed. A check plans
// that for all, and changes nothing.
func TestUpdate(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	p.newPipeline()
	lock := p.read("artifetch.lock")
	plans := p.mustSync(pin.Options{Check: true})
	if !plans[0].Drifted() || !plans[1].Drifted() || p.read("artifetch.lock") != lock {
		t.Errorf("%+v, %+v", plans[0], plans[1])
	}
	plans = p.mustSync(pin.Options{Update: true, Names: []string{"lib"}})
	if !plans[0].Drifted() || plans[1].Drifted() || plans[1].Downloads() || jobIDs(p.open()) != "lib:11 tool:2" {
		t.Errorf("%s", jobIDs(p.open()))
	}
	var changes []string
	for _, c := range plans[0].Changes() {
		changes = append(changes, string(c.Kind)+c.Path)
	}
	if got := strings.Join(changes, " "); got != "~lib/a -lib/b +lib/c" {
		t.Errorf("changes: %s", got)
	}
	p.mustSync(pin.Options{Update: true})
	if p.read("tool/bin/x") != "2" || jobIDs(p.open()) != "lib:11 tool:12" {
		t.Errorf("%s", jobIDs(p.open()))
	}
}

// Only what is locked, or no requests at all: sources that aren't locked are errors, and
// nothing is downloaded.
func TestNotLocked(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	if _, err := p.sync(pin.Options{Offline: true}); !isLock(err, pin.NoRequests) || !strings.Contains(err.Error(), "sources lib, tool: ") {
		t.Error(err)
	}
	if _, err := p.sync(pin.Options{Locked: true}); !drifts(err, "lib: not locked", "tool: not locked") {
		t.Error(err)
	}
	// An entry for another query doesn't count.
	p.mustSync(pin.Options{})
	p.write("artifetch.yml", strings.Replace(twoSources, "job: tool, paths: bin", "job: tool, paths: doc", 1))
	if _, err := p.sync(pin.Options{Locked: true}); !drifts(err, "tool: paths bin → doc") {
		t.Error(err)
	}
}

// An archive that isn't the locked one any more is refused, and nothing changes; an
// update takes it.
func TestReplacedArchive(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]gitlabtest.File{
		"another content": {{Name: "a", Content: "2"}, {Name: "b", Content: "1"}, {Name: "l", Link: "a"}},
		"another file":    {{Name: "a", Content: "1"}, {Name: "b", Content: "1"}, {Name: "l", Link: "a"}, {Name: "new"}},
		"another link":    {{Name: "a", Content: "1"}, {Name: "b", Content: "1"}, {Name: "l", Link: "b"}},
		"another mode":    {{Name: "a", Content: "1", Mode: 0o755}, {Name: "b", Content: "1"}, {Name: "l", Link: "a"}},
	} {
		for _, version := range []string{"18.5", "19.4"} { // which tells no digest, and one
			p := newPlaceOn(t, version, twoSources)
			p.mustSync(pin.Options{})
			p.server.Update(func(*gitlabtest.World) { p.jobs[1].Archive = gitlabtest.Zip(files...) })
			if err := os.Remove(filepath.Join(p.dir, "lib/b")); err != nil {
				t.Fatal(err)
			}
			lock := p.read("artifetch.lock")
			_, err := p.sync(pin.Options{})
			if _, missing := os.Stat(filepath.Join(p.dir, "lib/b")); !isLock(err, pin.Replaced) || missing == nil || p.read("artifetch.lock") != lock {
				t.Errorf("%s, %s: %v", name, version, err)
			}
			plans, err := p.sync(pin.Options{Update: true, Names: []string{"lib"}})
			if err != nil || !plans[0].Changed || plans[0].Was.JobID != plans[0].Entry.JobID || len(plans[0].Changes()) != 1 {
				t.Errorf("%s, %s: %+v, %v", name, version, plans[0].Changes(), err)
			}
		}
	}
}

// The archive of a locked job that has expired: the error says what it was.
func TestGoneArchive(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	p.server.Update(func(*gitlabtest.World) { p.jobs[1].Archive = nil })
	p.write("lib/a", "mine")
	_, err := p.sync(pin.Options{})
	gone, ok := errors.AsType[*pin.GoneError](err)
	_, empty := errors.AsType[*resolve.NoArchiveError](err)
	if !ok || !empty || gone.Locked.JobID != 1 || gone.Locked.SHA != strings.Repeat("a", 40) || p.read("lib/a") != "mine" {
		t.Error(err)
	}
}

// A source may be missing if the manifest says so; it is locked as missing, and told if
// a warning is asked for.
func TestMissingSource(t *testing.T) {
	t.Parallel()
	for policy, told := range map[string]int{"warn": 1, "ignore": 0, "fail": 0} {
		p := newPlace(t, strings.Replace(twoSources, "job: tool, paths: bin", "job: none, if-missing: "+policy, 1))
		warned := 0
		s := &pin.Syncer{Workspace: p.open(), Loader: p.loader, Events: pin.Events{Missing: func(source string, err error) {
			if warned++; source != "tool" || !retrieve.Missing(err) {
				t.Errorf("%s: %v", source, err)
			}
		}}}
		plans, err := s.Plan(t.Context())
		if policy == "fail" {
			if err == nil { // it may be found while the other source is downloaded
				err = s.Apply(t.Context(), plans, extract.StageOptions{})
			}
			if !retrieve.Missing(err) || !strings.Contains(err.Error(), `source "tool": `) || !p.missing("lib") {
				t.Error(err)
			}
			continue
		}
		if err != nil || warned != told || plans[1].Downloads() || plans[1].Entry.ResolvedBy != "missing" {
			t.Errorf("%s: warned %d times, %v", policy, warned, err)
		}
		if err := s.Apply(t.Context(), plans, extract.StageOptions{}); err != nil || jobIDs(p.open()) != "lib:1 tool:0" {
			t.Errorf("%s: %v, %s", policy, err, jobIDs(p.open()))
		}
	}
}

// One source that fails leaves everything as it was, without a lock file. Of two that
// can't be planned, the first one of the manifest is named.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t, strings.Replace(twoSources, "paths: bin", "paths: none", 1))
	_, err := p.sync(pin.Options{})
	if _, ok := errors.AsType[*extract.NoMatchError](err); !ok || !strings.Contains(err.Error(), `source "tool"`) {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(p.dir, "[lt]*")); err != nil || len(left) > 0 || p.open().HasLock {
		t.Errorf("there is %v, %v", left, err)
	}
	p = newPlace(t, strings.ReplaceAll(strings.ReplaceAll(twoSources, "job: lib", "job: x"), "job: tool", "job: y"))
	for range 5 {
		if _, err := p.sync(pin.Options{}); err == nil || !strings.Contains(err.Error(), `source "lib"`) {
			t.Error(err)
		}
	}
}

// Verify names what is missing, changed or extra, and makes no request.
func TestVerify(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	if _, _, err := p.open().Verify(t.Context()); !drifts(err, "lib: not locked", "tool: not locked") {
		t.Error(err)
	}
	p.mustSync(pin.Options{})
	p.server.ResetRequests()
	if found, checked, err := p.open().Verify(t.Context()); err != nil || len(found) > 0 || checked != (pin.Checked{Files: 3, Links: 1}) {
		t.Fatalf("%v of %d, %v", found, checked, err)
	}
	p.write("lib/a", "2") // as long as before
	p.write("lib/extra", "")
	for _, change := range []error{
		os.Remove(filepath.Join(p.dir, "lib/b")), os.Remove(filepath.Join(p.dir, "lib/l")), os.Symlink("b", filepath.Join(p.dir, "lib/l")),
		os.Chmod(filepath.Join(p.dir, "tool/bin/x"), 0o700),
	} {
		if change != nil {
			t.Fatal(change)
		}
	}
	found, _, err := p.open().Verify(t.Context())
	slices.SortFunc(found, func(a, b pin.Difference) int { return strings.Compare(a.Path, b.Path) })
	want := "[{lib lib/a changed false false} {lib lib/b missing false false} { lib/extra extra true false} {lib lib/l changed false false} {tool tool/bin/x changed false false}]"
	if err != nil || fmt.Sprint(found) != want || len(p.server.Requests()) > 0 {
		t.Errorf("%v, %v, %d requests", found, err, len(p.server.Requests()))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.open().Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The lock file is beside the manifest, or where it is named, below that.
func TestOpen(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	none := func(string) (string, bool) { return "", false }
	for lock, want := range map[string]string{"": "artifetch.lock", "sub/x.lock": "sub/x.lock", "../x.lock": ""} {
		file := ""
		if lock != "" {
			file = filepath.Join(p.dir, lock)
		}
		w, err := pin.Open(t.Context(), filepath.Join(p.dir, "artifetch.yml"), file, none)
		if outside, ok := errors.AsType[*pin.OutsideError](err); want == "" {
			if !ok || outside.LockFile != file {
				t.Errorf("%s: %v", lock, err)
			}
			continue
		}
		if err != nil || w.LockFile != filepath.Join(p.dir, want) || w.HasLock || !w.Has("tool") || w.Has("none") {
			t.Errorf("%s: %+v, %v", lock, w, err)
		}
	}
	if _, err := pin.Open(t.Context(), filepath.Join(p.dir, "none.yml"), "", none); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	p.write("artifetch.lock", "{")
	if _, err := pin.Open(t.Context(), filepath.Join(p.dir, "artifetch.yml"), "", none); err == nil {
		t.Error("a broken lock file was read")
	} else if _, ok := errors.AsType[*manifest.Error](err); !ok {
		t.Error(err)
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{"": "", ".": "", "./": "", "a/b/": "a/b", "a//b": "a/b", "./a": "a"} {
		if got := pin.Output(manifest.Source{Query: manifest.Query{Output: output}}); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
}

// Files that aren't selected may differ in another archive. That counts if its size differs,
// or its digest, where the server tells that; else only the selected files can be compared.
func TestReplacedArchiveWithTheSameFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version  string
		other    gitlabtest.File
		replaced bool
	}{
		{"18.5", gitlabtest.File{Name: "doc/z"}, false},
		{"19.4", gitlabtest.File{Name: "doc/z"}, true},
		{"18.5", gitlabtest.File{Name: "doc/y", Content: "longer"}, true},
	} {
		p := newPlaceOn(t, tt.version, twoSources)
		p.mustSync(pin.Options{})
		p.server.Update(func(*gitlabtest.World) {
			p.jobs[2].Archive = gitlabtest.Zip(gitlabtest.File{Name: "bin/x", Content: "1", Mode: 0o755}, tt.other)
		})
		p.write("tool/bin/x", "mine")
		if _, err := p.sync(pin.Options{}); isLock(err, pin.Replaced) != tt.replaced || !tt.replaced && err != nil {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// Without requests, what isn't in place comes from the cache, by its digest; what the cache
// lacks is named, all of it.
func TestOfflineFromCache(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	cache := t.TempDir()
	p.loader.Cache.Dir = cache
	p.mustSync(pin.Options{})
	objects, err := filepath.Glob(filepath.Join(cache, "objects", "*"))
	if err != nil || len(objects) != 2 {
		t.Fatalf("%q, %v", objects, err)
	}
	lock := p.read("artifetch.lock")
	clean := func() {
		if err := errors.Join(os.RemoveAll(filepath.Join(p.dir, "lib")), os.RemoveAll(filepath.Join(p.dir, "tool"))); err != nil {
			t.Fatal(err)
		}
		p.server.ResetRequests()
	}
	clean()
	p.mustSync(pin.Options{Offline: true, Locked: true})
	if p.read("lib/a") != "1" || p.read("tool/bin/x") != "1" || len(p.server.Requests()) > 0 || p.read("artifetch.lock") != lock {
		t.Errorf("%d requests", len(p.server.Requests()))
	}
	clean()
	if err := os.WriteFile(filepath.Join(cache, "objects", p.open().Lock.Sources[0].SHA256), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.sync(pin.Options{Offline: true}); !isLock(err, pin.NotInPlace) || !strings.Contains(err.Error(), `source "lib"`) || !p.missing("tool") {
		t.Errorf("damaged: %v", err)
	}
	p.loader.Cache.Dir = t.TempDir()
	if _, err := p.sync(pin.Options{Offline: true}); !isLock(err, pin.NotInPlace) || !strings.Contains(err.Error(), "sources lib, tool: ") || len(p.server.Requests()) > 0 {
		t.Errorf("another cache: %v", err)
	}
}
