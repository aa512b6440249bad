//go:build systems

package systems

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

func TestSystems(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *system{"windows": windows, "arm64": arm64} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := open(t)
			for name, test := range map[string]func(*testing.T, *system){
				"fetch": testFetch, "extract": testExtract, "conflicts": testConflicts, "names": testNames, "long": testLong,
				"links": testLinks, "killed": testKilled, "sync": testSync, "cache": testCache,
			} {
				t.Run(name, func(t *testing.T) { test(t, on) })
			}
		})
	}
}

// some is an archive with names that all systems have.
var some = []gitlabtest.File{
	{Name: "a.txt", Content: "a"}, {Name: "dir/b", Content: strings.Repeat("b", 99)}, {Name: "dir/ä ö.txt", Content: "c", Mode: 0o755}, {Name: "empty/"},
}

// has compares the workspace with files. Directories count if they are empty.
func (b *bench) has(files []gitlabtest.File, more ...string) {
	b.t.Helper()
	want := map[string]string{}
	for _, f := range files {
		want[strings.TrimSuffix(f.Name, "/")] = f.Content + f.Link
	}
	for i := 0; i < len(more); i += 2 {
		want[more[i]] = more[i+1]
	}
	if diff := cmp.Diff(want, below(b.t, b.ws)); diff != "" {
		b.t.Error(diff)
	}
}

func below(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		switch {
		case d.IsDir():
			entries, err := os.ReadDir(path)
			if len(entries) == 0 && name != "." {
				got[name] = ""
			}
			return err
		case d.Type() == fs.ModeSymlink:
			got[name], err = os.Readlink(path)
			return err
		}
		content, err := os.ReadFile(path)
		got[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func testFetch(t *testing.T, on *system) {
	b := newBench(t, on, some)
	b.exits(0, "", "fetch", "--ref", "main", "--job", "build")
	b.has(some)
	b.exits(0, "", "fetch", "--job-id", "1001", "a.txt", "dir/b")
	b.has(some)
	b.exits(0, "a.txt", "ls", "--job-id", "1001")
	b.exits(3, "", "fetch", "--ref", "main", "--job", "no-such-job")
	b.has(some)
}

func testExtract(t *testing.T, on *system) {
	b := newBench(t, on, nil)
	archive := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(archive, gitlabtest.Zip(some...), 0o600); err != nil {
		t.Fatal(err)
	}
	b.exits(0, "", "extract", on.path(archive))
	b.has(some)
}

// Existing files are replaced, kept, or stop the run.
func testConflicts(t *testing.T, on *system) {
	b := newBench(t, on, some)
	b.write("a.txt", "mine")
	b.exits(9, "a.txt", "fetch", "--job-id", "1001", "--on-conflict", "fail")
	b.has(nil, "a.txt", "mine")
	b.exits(0, "", "fetch", "--job-id", "1001", "--on-conflict", "skip")
	b.has(some, "a.txt", "mine")
	b.exits(0, "", "fetch", "--job-id", "1001")
	b.has(some)
}

func (b *bench) write(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.ws, name), []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// Names that only Windows can't have are refused there, unless they are left out.
func testNames(t *testing.T, on *system) {
	all, without := slices.Clone(some), []string{"fetch", "--job-id", "1001"}
	for _, name := range []string{"CON", "nul.txt", "dir/COM1", "dot.", "space ", "ab:c", "a.txt::$DATA", "what?", "Dir/b", "A.TXT"} {
		odd := gitlabtest.File{Name: name, Content: "odd"}
		all, without = append(all, odd), append(without, "-x", name)
		if on.windows {
			b := newBench(t, on, append([]gitlabtest.File{odd}, some...))
			b.exits(9, "nothing was extracted", "fetch", "--job-id", "1001")
			b.has(nil)
		}
	}
	b := newBench(t, on, all)
	b.exits(0, "", without...)
	b.has(some)
	if !on.windows {
		b.exits(0, "", "fetch", "--job-id", "1001")
		b.has(all)
	}
}

// Windows' limit of 260 characters doesn't count.
func testLong(t *testing.T, on *system) {
	files := []gitlabtest.File{{Name: strings.Repeat(strings.Repeat("d", 90)+"/", 5) + "f", Content: "deep"}, {Name: strings.Repeat("n", 200), Content: "wide"}}
	b := newBench(t, on, files)
	b.exits(0, "", "fetch", "--job-id", "1001")
	b.has(files)
	b.exits(0, "", "fetch", "--job-id", "1001") // which moves the old ones
	b.has(files)
}

// wine can't make symbolic links, as Windows without Developer Mode.
func testLinks(t *testing.T, on *system) {
	files := append([]gitlabtest.File{{Name: "link", Link: "a.txt"}}, some...)
	b := newBench(t, on, files)
	if !on.windows {
		b.exits(0, "", "fetch", "--job-id", "1001")
		b.has(files)
		return
	}
	b.exits(9, "--symlinks skip", "fetch", "--job-id", "1001")
	b.has(nil)
	b.exits(0, "link", "fetch", "--job-id", "1001", "--symlinks", "skip")
	b.has(some)
}

// A killed run changes nothing, and the next one removes what it has left.
func testKilled(t *testing.T, on *system) {
	large := append([]gitlabtest.File{{Name: "dir/large", Content: strings.Repeat("x", 4<<20), Store: true}}, some...)
	b := newBench(t, on, large, gitlabtest.Fault{Kind: "stall-body", On: "storage", After: 3 << 20, Times: 1})
	b.write("a.txt", "mine")
	cmd := b.cmd("fetch", "--job-id", "1001")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for len(glob(t, b.ws, ".artifetch-*/new/*")) == 0 {
		time.Sleep(10 * time.Millisecond) // the test's own time limit ends this
	}
	_ = cmd.Process.Kill() // it may have failed
	if err := cmd.Wait(); err == nil {
		t.Fatal("it has ended before")
	}
	stages := glob(t, b.ws, ".artifetch-*")
	if content, err := os.ReadFile(filepath.Join(b.ws, "a.txt")); string(content) != "mine" || len(stages) != 1 || len(glob(t, b.ws, "*")) != 2 {
		t.Errorf("%q, %v, %v", content, err, glob(t, b.ws, "*"))
	}
	old := time.Now().AddDate(0, 0, -2)
	if err := os.Chtimes(stages[0], old, old); err != nil {
		t.Fatal(err)
	}
	b.exits(0, "", "fetch", "--job-id", "1001")
	b.has(large)
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A lock file that was made on Linux, with its modes, counts on all systems.
func testSync(t *testing.T, on *system) {
	made := newBench(t, host(t), some)
	const manifest = "artifetch.yml"
	text := "version: 1\ndefaults:\n  project: group/app\nsources:\n  - name: app\n    ref: main\n    job: build\n    output: .\n"
	made.write(manifest, text)
	made.exits(0, "", "sync")
	lock, err := os.ReadFile(filepath.Join(made.ws, "artifetch.lock"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, on: on, ws: t.TempDir(), Running: made.Running}
	b.write(manifest, text)
	b.write("artifetch.lock", string(lock))
	b.exits(0, "", "sync", "--locked")
	b.has(some, manifest, text, "artifetch.lock", string(lock))
	b.exits(0, "", "verify")
	b.ResetRequests()
	b.exits(0, "", "sync")
	if len(b.Requests()) > 0 {
		t.Errorf("sync made %d requests, with all files in place", len(b.Requests()))
	}
	b.has(some, manifest, text, "artifetch.lock", string(lock))
	b.write("a.txt", "other")
	b.exits(7, "a.txt", "verify")
}

// An archive is downloaded once.
func testCache(t *testing.T, on *system) {
	b := newBench(t, on, some)
	cache := on.path(t.TempDir())
	for range 2 {
		b.exits(0, "", "fetch", "--job-id", "1001", "--cache-dir", cache)
		b.has(some)
	}
	last := b.Requests()[len(b.Requests())-1]
	if last.Status != 304 {
		t.Errorf("the last request: %+v", last)
	}
}
