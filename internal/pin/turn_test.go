package pin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/pin"
	"gitlab.com/artifetch/artifetch/manifest"
)

// An edit of the manifest while a run downloads is not lost: the run fails, and neither
// files nor the lock file change.
func TestManifestChangesMeanwhile(t *testing.T) {
	t.Parallel()
	for name, downloads := range map[string]bool{"a new source": true, "one source less": false} {
		p := newPlace(t, twoSources)
		p.mustSync(pin.Options{})
		lock := p.read("artifetch.lock")
		w, err := p.open().Remove([]string{"tool"})
		only := "tool"
		if downloads {
			only = "new"
			w, err = p.open().Add(manifest.Source{Name: only, Query: manifest.Query{Job: "tool", Output: only}})
		}
		if err != nil {
			t.Fatal(err)
		}
		s := &pin.Syncer{Workspace: w, Options: pin.Options{Only: []string{only}}, Loader: p.loader}
		plans, err := s.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.write("artifetch.yml", twoSources+"# edited\n")
		err = s.Apply(t.Context(), plans, extract.StageOptions{})
		if _, ok := errors.AsType[*pin.StaleError](err); !ok || p.read("artifetch.lock") != lock || p.read("artifetch.yml") != twoSources+"# edited\n" || !p.missing("new") || p.missing("tool/bin/x") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A directory where no lock can be taken doesn't stop anyone.
func TestTurnWithoutLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".artifetch-synclocksynclock"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "m.yml"), filepath.Join(dir, "missing", "m.yml")} {
		done, err := pin.Turn(t.Context(), file, func() { t.Error("it waits") })
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
}

// A manifest that is a link to nowhere is called that, whether it is to be read or written.
func TestDanglingManifest(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "artifetch.yml")
	if err := os.Symlink("nowhere", file); err != nil {
		t.Fatal(err)
	}
	_, missing := pin.Open(t.Context(), file, "", func(string) (string, bool) { return "", false })
	for _, err := range []error{missing, pin.CheckNew(file), pin.Init(file, manifest.Draft{})} {
		if err == nil || !strings.HasSuffix(err.Error(), "artifetch.yml is a link to nowhere, which doesn't exist") {
			t.Error(err)
		}
	}
	if err := os.Mkdir(filepath.Join(filepath.Dir(file), "nowhere"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := pin.CheckNew(file); err == nil || strings.Contains(err.Error(), "nowhere") {
		t.Error(err)
	}
}

// Without any lock file, that is the message, not the list of all sources.
func TestNoLockFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	_, err := p.sync(pin.Options{Locked: true})
	_, _, other := p.open().Verify(t.Context())
	for _, err := range []error{err, other} {
		if err == nil || err.Error() != "there is no lock file artifetch.lock" {
			t.Error(err)
		}
	}
}

// The lock file's link is followed, as the manifest's is. It may not lead out of the
// directory.
func TestLinkedLockFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	if err := os.Mkdir(filepath.Join(p.dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(p.dir, "artifetch.lock")
	for _, target := range []string{"d/l", filepath.Join(p.dir, "d", "m")} {
		_ = os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		p.mustSync(pin.Options{})
		if now, err := os.Readlink(link); err != nil || now != target || !strings.Contains(p.read("d/"+filepath.Base(target)), `"name": "lib"`) {
			t.Errorf("%s: %q, %v", target, now, err)
		}
		p.mustSync(pin.Options{Locked: true})
	}
	if err := errors.Join(os.Remove(link), os.Symlink(filepath.Join(t.TempDir(), "x"), link)); err != nil {
		t.Fatal(err)
	}
	_, err := pin.Open(t.Context(), filepath.Join(p.dir, "artifetch.yml"), "", func(string) (string, bool) { return "", false })
	if _, ok := errors.AsType[*pin.OutsideError](err); !ok {
		t.Error(err)
	}
}
