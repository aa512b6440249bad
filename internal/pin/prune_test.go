package pin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/pin"
)

func (p *place) missing(name string) bool {
	_, err := os.Lstat(filepath.Join(p.dir, name))
	return os.IsNotExist(err)
}

// Files that a source has no longer are removed, and so are those of a source that isn't in
// the manifest anymore; what somebody has changed stays, and is named.
func TestPrune(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	p.newPipeline()
	p.mustSync(pin.Options{Update: true, Names: []string{"lib"}})
	if !p.missing("lib/b") || p.read("lib/c") != "2" || p.missing("tool/bin/x") {
		t.Error("an update of lib leaves lib/b, or has taken more")
	}
	p.write("lib/c", "mine")
	p.write("artifetch.yml", "version: 1\ndefaults: {project: group/app, ref: main}\nsources: [{name: tool, job: tool, paths: bin, output: elsewhere}]\n")
	if _, err := p.sync(pin.Options{Locked: true}); !drifts(err, "tool: output tool → elsewhere", "lib: locked, but not in the manifest") || p.missing("lib/a") {
		t.Error(err)
	}
	var kept []string
	s := &pin.Syncer{Workspace: p.open(), Loader: p.loader, Events: pin.Events{Kept: func(source, path string) { kept = append(kept, source+" "+path) }}}
	plans, err := s.Plan(t.Context())
	if err == nil {
		err = s.Apply(t.Context(), plans, extract.StageOptions{})
	}
	if err != nil || !slices.Equal(kept, []string{"lib lib/c"}) || !p.missing("lib/a") || !p.missing("lib/l") || p.read("lib/c") != "mine" || !p.missing("tool") || p.missing("elsewhere/bin/x") {
		t.Errorf("kept %q, %v", kept, err)
	}
	if jobIDs(p.open()) != "tool:12" {
		t.Error(jobIDs(p.open()))
	}
}

// A source that goes alone, with nothing to download, takes its files with it. A file that
// moves from one source to another stays.
func TestPruneWithoutDownloads(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources+"  - {name: twin, job: lib, paths: a, output: lib}\n")
	p.mustSync(pin.Options{})
	p.server.ResetRequests()
	p.write("artifetch.yml", "version: 1\ndefaults: {project: group/app, ref: main}\nsources: [{name: twin, job: lib, paths: a, output: lib}]\n")
	p.mustSync(pin.Options{Offline: true})
	if p.read("lib/a") != "1" || !p.missing("lib/b") || !p.missing("tool") || len(p.server.Requests()) > 0 || jobIDs(p.open()) != "twin:1" {
		t.Error(jobIDs(p.open()))
	}
}

// Only extras in the output of one source alone may be removed.
func TestRemovable(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources+`  - {name: above, job: lib, output: both}
  - {name: below, job: tool, paths: bin, output: both/below}
  - {name: here, job: tool, paths: doc}
`)
	p.mustSync(pin.Options{})
	for _, name := range []string{"extra", "lib/extra", "lib/.gitignore", "both/extra", "both/below/extra", "doc/extra"} {
		p.write(name, "")
	}
	paths, err := p.open().Removable()
	if err != nil || fmt.Sprint(paths) != "[lib/extra]" {
		t.Errorf("%q, %v", paths, err)
	}
	lock := p.read("artifetch.lock")
	p.mustSync(pin.Options{Locked: true, Extras: paths})
	if !p.missing("lib/extra") || p.missing("lib/.gitignore") || p.missing("both/extra") || p.read("artifetch.lock") != lock {
		t.Error("something else has been removed, or nothing")
	}
}

// Nothing in a Git repository below an output is extra, and what can't be removed isn't said
// to be removable, nor counted as removed.
func TestPruneSparesGit(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	for _, dir := range []string{".git/objects", "deep/.GIT", "sub/.git."} {
		if err := os.MkdirAll(filepath.Join(p.dir, "lib", dir), 0o700); err != nil {
			t.Fatal(err)
		}
		p.write("lib/"+dir+"/x", "")
	}
	if found, _, err := p.open().Verify(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	p.write("lib/extra", "")
	p.write("lib/odd\u202ename", "")
	found, _, err := p.open().Verify(t.Context())
	if err != nil || len(found) != 2 || !found[0].Removable || found[1].Removable {
		t.Errorf("%+v, %v", found, err)
	}
	s := &pin.Syncer{Workspace: p.open(), Options: pin.Options{Extras: []string{"lib/.git/objects/x", "lib/extra", "lib/gone"}}, Loader: p.loader}
	plans, err := s.Plan(t.Context())
	if err == nil {
		err = s.Apply(t.Context(), plans, extract.StageOptions{})
	}
	if err != nil || !slices.Equal(s.Pruned, []string{"lib/extra"}) || !p.missing("lib/extra") || p.missing("lib/.git/objects/x") {
		t.Errorf("%q, %v", s.Pruned, err)
	}
}

// A lock file of the first form that says the same stays; the next change rewrites it.
func TestOldLock(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	old := strings.Replace(p.read("artifetch.lock"), `"version": 2`, `"version": 1`, 1)
	for _, s := range p.open().Manifest.Sources {
		at := strings.Index(old, `"asked": {`)
		old = old[:at] + fmt.Sprintf(`"asked": %q`, s.Fingerprint()) + old[at+strings.Index(old[at:], "}")+1:]
	}
	p.write("artifetch.lock", old)
	for _, o := range []pin.Options{{}, {Locked: true}, {Update: true}} {
		if p.mustSync(o); p.read("artifetch.lock") != old {
			t.Errorf("%+v: the lock file is another one, though nothing changed", o)
		}
	}
	p.newPipeline()
	p.mustSync(pin.Options{Update: true, Names: []string{"lib"}})
	if now := p.read("artifetch.lock"); strings.Count(now, `"asked": {`) != 2 || !strings.Contains(now, `"version": 2`) {
		t.Error(now)
	}
}
