//go:build realstores

package realstores

import (
	"bytes"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// edition is what one version of the archive has in it. All of them have the same size.
type edition struct {
	files   map[string]string
	archive []byte
}

// large is the size of the archive: more than stays in memory, so that it has regions.
const large = 20 << 20

func newEdition(seed byte) edition {
	e := edition{files: map[string]string{"job.txt": "edition " + string(seed) + "\n"}}
	noise := make([]byte, large)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(noise) // it doesn't fail
	for i, size := range []int{9 << 20, 3 << 20, 7 << 20, 1 << 20} {
		e.files["data/"+string(rune('a'+i))] = string(noise[:size])
		noise = noise[size:]
	}
	var files []gitlabtest.File
	for _, name := range []string{"data/a", "data/b", "data/c", "data/d", "job.txt"} {
		files = append(files, gitlabtest.File{Name: name, Content: e.files[name], Store: true})
	}
	e.archive = gitlabtest.Zip(files...)
	return e
}

// only returns the files that a selection brings.
func (e edition) only(names ...string) map[string]string {
	some := map[string]string{}
	for _, name := range names {
		some[name] = e.files[name]
	}
	return some
}

// first and second are editions of the same size.
var first, second = newEdition('1'), newEdition('2')

// scene is a run of the program against a store that has the first edition.
type scene struct {
	t     *testing.T
	relay *relay
	front *front
	ws    string
}

const anHour = time.Hour

func newScene(t *testing.T, at *store) *scene {
	t.Helper()
	s := &scene{t: t, relay: newRelay(t, at.address), ws: t.TempDir()}
	s.front = &front{
		Server: gitlabtest.New(gitlabtest.Fixture(), gitlabtest.Options{Mode: gitlabtest.ModeRedirect}),
		store:  *at, relay: s.relay,
		life: func(int) time.Duration { return anHour },
	}
	s.front.SetStorageURL("http://replaced.invalid")
	s.put(first)
	gitlab := httptest.NewServer(s.front)
	t.Cleanup(gitlab.Close)
	s.front.url = gitlab.URL
	return s
}

// put stores an edition.
func (s *scene) put(e edition) {
	s.t.Helper()
	s.front.Update(func(w *gitlabtest.World) { w.Projects[0].Pipelines[1].Jobs[0].Archive = e.archive })
	s.front.store.put(s.t, e.archive)
}

// brings runs the program, and compares the workspace with files.
func (s *scene) brings(files map[string]string, args ...string) {
	s.t.Helper()
	code, out := s.front.run(s.t, s.ws, args...)
	if code != 0 {
		s.t.Fatalf("exit code %d:\n%s", code, out)
	}
	got := map[string]string{}
	err := filepath.WalkDir(s.ws, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		got[filepath.ToSlash(strings.TrimPrefix(path, s.ws+"/"))] = string(content)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(summaries(files), summaries(got)); diff != "" {
		s.t.Errorf("%s\n%s", diff, out)
	}
}

// summaries names the edition of each file, in place of its noise.
func summaries(files map[string]string) map[string]string {
	all := map[string]string{}
	for name, content := range files {
		switch content {
		case first.files[name]:
			all[name] = "as in the first edition"
		case second.files[name]:
			all[name] = "as in the second edition"
		default:
			all[name] = "as in none"
		}
	}
	return all
}

func TestStores(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *store{
		"versitygw": openVersity, "azurite": openAzurite, "fake-gcs-server": openGCS,
		"apache": openApache, "apache, fresh": openFresh, "varnish": openVarnish, "varnish, unzipping": openUnzipping,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := open(t)
			for name, test := range map[string]func(*testing.T, *store){
				"whole": testWhole, "selected": testSelected, "cut": testCut, "expired": testExpired,
				"expires": testExpires, "replaced": testReplaced, "archive": testArchive, "cached": testCached,
			} {
				t.Run(name, func(t *testing.T) { test(t, at) })
			}
		})
	}
}

func testWhole(t *testing.T, at *store) { newScene(t, at).brings(first.files) }

// Selected files cost their own bytes. What a store without suffix ranges has sent before
// the program hangs up counts too.
func testSelected(t *testing.T, at *store) {
	s := newScene(t, at)
	s.brings(first.only("data/d", "job.txt"), "data/d", "job.txt")
	if _, received := s.relay.seen(); received > large/3 && !at.noRanges {
		t.Errorf("%d bytes for 1 MiB", received)
	}
}

// A connection that breaks is resumed.
func testCut(t *testing.T, at *store) {
	for name, files := range map[string][]string{"whole": nil, "selected": {"data/b", "data/d"}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, at)
			if files == nil || !at.noRanges { // GitLab serves them one by one
				s.relay.cut(2<<20, func() {})
			}
			want := first.files
			if files != nil {
				want = first.only(files...)
			}
			s.brings(want, files...)
		})
	}
}

// An address that has ended is renewed by GitLab.
func testExpired(t *testing.T, at *store) {
	s := newScene(t, at)
	s.front.life = func(n int) time.Duration {
		if n == 1 {
			return -time.Minute
		}
		return anHour
	}
	s.brings(first.files)
	if s.front.redirects < 2 != at.timeless {
		t.Errorf("%d redirects", s.front.redirects)
	}
}

// An address ends while the archive is on its way: the connection is cut once it has.
func testExpires(t *testing.T, at *store) {
	s := newScene(t, at)
	const life = 3 * time.Second
	s.front.life = func(n int) time.Duration {
		if n == 1 {
			return life
		}
		return anHour
	}
	s.relay.cut(2<<20, func() { time.Sleep(life + 2*time.Second) }) // stores count whole seconds
	s.brings(first.files)
	if s.front.redirects < 2 != at.timeless {
		t.Errorf("%d redirects", s.front.redirects)
	}
}

// The archive is replaced while it is on its way: none of the bytes before count.
func testReplaced(t *testing.T, at *store) {
	for name, files := range map[string][]string{"whole": nil, "selected": {"data/b", "data/d"}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, at)
			if files != nil && at.noRanges {
				return // GitLab serves them one by one
			}
			s.relay.cut(2<<20, func() { s.put(second) })
			want := second.files
			if files != nil {
				want = second.only(files...)
			}
			s.brings(want, files...)
		})
	}
}

// An archive that is kept as it is has no CRC-32 that tells what doesn't belong together.
func testArchive(t *testing.T, at *store) {
	for name, e := range map[string]edition{"cut": first, "replaced": second} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, at)
			after := int64(2 << 20)
			if at.weak {
				// The program drops its first response, of at most 16 MiB, and the cut must
				// not be in that one.
				after = 17 << 20
			}
			s.relay.cut(after, func() {
				if name == "replaced" {
					s.put(second)
				}
			})
			file := filepath.Join(t.TempDir(), "a.zip")
			code, out := s.front.run(t, s.ws, "--archive", file)
			if content, err := os.ReadFile(file); code != 0 || err != nil || !bytes.Equal(content, e.archive) {
				t.Errorf("exit code %d, %d bytes, %v:\n%s", code, len(content), err, out)
			}
		})
	}
}

// The cache has the archive until it is replaced.
func testCached(t *testing.T, at *store) {
	s := newScene(t, at)
	cache := t.TempDir()
	s.brings(first.files, "--cache-dir", cache)
	_, before := s.relay.seen()
	s.brings(first.files, "--cache-dir", cache)
	if _, after := s.relay.seen(); after-before > large/2 && !at.weak {
		t.Errorf("%d bytes were downloaded again", after-before)
	}
	s.put(second)
	s.brings(second.files, "--cache-dir", cache)
}
