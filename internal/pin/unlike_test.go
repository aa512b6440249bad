package pin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/pin"
)

// wrongLocks are mistakes in the entry of a source whose archive is the locked one.
var wrongLocks = []struct{ name, pattern, with, evidence string }{
	{"a mode", `("path":"lib/a".*"mode":")0644`, "${1}0600", `"lib/a" differs`},
	{"a digest", `("path":"lib/a".*"sha256":")....`, "${1}0000", `"lib/a" differs`},
	{"a link", `("path":"lib/l".*"target":")a`, "${1}b", `"lib/l" differs`},
	{"a path", `"path":"lib/b"`, `"path":"lib/z"`, `"lib/b" isn't locked`},
	{"one file too many", `( *)({"path":"lib/)b(".*)`, "$1${2}b$3\n$1${2}bb$3", `"lib/bb" isn't in the archive`},
	{"one too few", `.*"path":"lib/b".*\n`, "", `"lib/b" isn't locked`},
	{"none", `(?s)("name": "lib",.*?"files": \[).*?\n *\]`, "$1]", `"lib/a" isn't locked`},
}

// A locked archive whose list of files in the lock file is wrong: the lock file is to blame,
// and neither the job nor an archive in place. Nothing changes; an update locks it again.
func TestWrongLock(t *testing.T) {
	t.Parallel()
	for _, tt := range wrongLocks {
		for _, version := range []string{"18.5", "19.4"} { // which tells no digest, and one
			p := newPlaceOn(t, version, twoSources)
			p.mustSync(pin.Options{})
			right := p.read("artifetch.lock")
			wrong := regexp.MustCompile(tt.pattern).ReplaceAllString(right, tt.with)
			if wrong == right {
				t.Fatalf("%s: the lock file is as before", tt.name)
			}
			p.write("artifetch.lock", wrong)
			if err := os.RemoveAll(filepath.Join(p.dir, "lib")); err != nil {
				t.Fatal(err)
			}
			for _, how := range []pin.Options{{}, {Locked: true}} {
				_, err := p.sync(how)
				if !isLock(err, pin.Mislisted) || !strings.Contains(fmt.Sprint(err), tt.evidence) || !p.missing("lib") || p.read("artifetch.lock") != wrong {
					t.Errorf("%s, %s: %v", tt.name, version, err)
				}
			}
			plans, err := p.sync(pin.Options{Update: true, Names: []string{"lib"}})
			if err != nil || plans[0].Changed || p.read("lib/b") != "1" || files(p) != files(p, right) {
				t.Errorf("%s, %s: %+v, %v", tt.name, version, plans, err)
			}
		}
	}
}

// files are the lines about files in the lock file, or in its text.
func files(p *place, text ...string) string {
	if len(text) == 0 {
		text = []string{p.read("artifetch.lock")}
	}
	return strings.Join(regexp.MustCompile(`{"path".*`).FindAllString(text[0], -1), "")
}

// A source without locked files isn't in place if its archive isn't empty, and what is there
// isn't removed as extra files. An archive that only has directories is fetched to see that.
func TestNoLockedFiles(t *testing.T) {
	t.Parallel()
	p := newPlace(t, twoSources)
	p.mustSync(pin.Options{})
	lock := p.read("artifetch.lock")
	last := wrongLocks[len(wrongLocks)-1]
	p.write("artifetch.lock", regexp.MustCompile(last.pattern).ReplaceAllString(lock, last.with))
	found, _, err := p.open().Verify(t.Context())
	for _, d := range found {
		if d.What != pin.Extra || d.Removable || !d.Doubtful {
			t.Errorf("%+v", d)
		}
	}
	if extras, listErr := p.open().Removable(); err != nil || listErr != nil || len(found) != 3 || len(extras) > 0 {
		t.Errorf("%+v, %v, %v, %v", found, err, extras, listErr)
	}
	if _, err := p.sync(pin.Options{Offline: true}); !isLock(err, pin.NotInPlace) {
		t.Error(err)
	}
	for _, dirs := range [][]gitlabtest.File{{}, {{Name: "d/"}}} {
		p := newPlace(t, twoSources)
		p.server.Update(func(*gitlabtest.World) { p.jobs[1].Archive = gitlabtest.Zip(dirs...) })
		p.mustSync(pin.Options{})
		if plans := p.mustSync(pin.Options{}); plans[0].Downloads() != (len(dirs) > 0) {
			t.Errorf("%+v: fetched is %v", dirs, plans[0].Downloads())
		}
	}
}
