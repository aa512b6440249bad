//go:build unix

package crash

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// crashFiles are the files of version n of an archive. Every file has another content and
// mode in each version, but the same length, so its size doesn't reveal a mixture.
func crashFiles(n int) []gitlabtest.File {
	mode := []fs.FileMode{0o640, 0o750}[n%2]
	var files []gitlabtest.File
	for i := range 300 {
		dir := fmt.Sprintf("dist/%d/%d", i%7, i%3)
		if i%10 == 9 {
			dir = fmt.Sprintf("fresh/%d", i%4)
		}
		f := gitlabtest.File{Name: fmt.Sprintf("%s/file-%d", dir, i), Mode: mode, Store: i%5 == 0}
		line := fmt.Sprintf("%s in version %d\n", f.Name, n)
		f.Content = strings.Repeat(line, i%40+1)
		if i%50 == 0 {
			f.Content = strings.Repeat(line, 300<<10/len(line))
		}
		files = append(files, f)
		if i%20 == 0 || i%20 == 9 {
			files = append(files, gitlabtest.File{Name: fmt.Sprintf("%s/link-%d", dir, i), Link: fmt.Sprintf("version-%d", n)})
		}
	}
	return files
}

// contents returns the files in the form of [harness.Tree].
func contents(files []gitlabtest.File) map[string]string {
	all := map[string]string{}
	for _, f := range files {
		all["/"+f.Name] = f.Mode.String() + " " + f.Content
		if f.Link != "" {
			all["/"+f.Name] = (fs.ModeSymlink | 0o777).String() + " " + f.Link
		}
	}
	return all
}

// mine returns the user's own files, which the archive doesn't have, among the archive's
// files.
func mine() map[string]string {
	file := fs.FileMode(0o600).String()
	return map[string]string{"/mine": file + " mine", "/dist/1/2/mine": file + " mine too", "/dist/mine/deep/notes": file + " notes"}
}

// fates counts how far killed runs got.
type fates struct {
	mu    sync.Mutex
	count map[string]int
}

func (f *fates) add(fate string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[fate]++
}

// The fates of a run.
const (
	killedEarly    = "before it had a stage"
	killedStaging  = "with a stage, before the commit"
	killedInCommit = "in the commit"
	killedAfter    = "after the commit, before the stage was gone"
	notKilled      = "at its end, or not at all"
)

// Wherever a run is killed, every file is complete, in its old or its new version; the
// next run succeeds and cleans up after the killed ones.
func TestKilled(t *testing.T) {
	t.Parallel()
	runs := 50
	if testing.Short() {
		runs = 12
	}
	f := fates{count: map[string]int{}}
	start := time.Now()
	t.Run("runs", func(t *testing.T) {
		for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges, gitlabtest.ModeNoLength} {
			t.Run(string(mode), func(t *testing.T) {
				t.Parallel()
				c := newCrash(t, mode)
				c.kill(t, runs, &f)
			})
		}
	})
	for _, fate := range slices.Sorted(maps.Keys(f.count)) {
		t.Logf("%4d killed %s", f.count[fate], fate)
	}
	t.Logf("in %v", time.Since(start).Round(time.Second))
	if f.count[killedStaging]+f.count[killedInCommit] < runs/5 || f.count[killedInCommit] == 0 && !testing.Short() {
		t.Error("hardly any run was killed in the middle: the test sees nothing")
	}
}

// crash is a workspace in which runs are killed.
type crash struct {
	ws       string
	token    string
	server   *gitlabtest.Running
	versions [2]map[string]string
	stages   map[string]bool // seen in the workspace so far
	whole    time.Duration   // approximate time of a run that isn't killed
}

func newCrash(t *testing.T, mode gitlabtest.Mode) *crash {
	t.Helper()
	c := crash{ws: filepath.Join(t.TempDir(), "ws"), token: filepath.Join(t.TempDir(), "token"), stages: map[string]bool{}}
	if err := os.WriteFile(c.token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, what := range mine() {
		path = filepath.Join(c.ws, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		_, content, _ := strings.Cut(what, " ")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	world := gitlabtest.Fixture()
	for n := range c.versions {
		files := crashFiles(n)
		c.versions[n] = contents(files)
		world.Projects[0].Pipelines[1].Jobs[n].Archive = gitlabtest.Zip(files...)
	}
	c.server = gitlabtest.Start(world, gitlabtest.Options{Mode: mode})
	t.Cleanup(c.server.Close)
	return &c
}

// fetch returns the command that fetches version n.
func (c *crash) fetch(t *testing.T, n int) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), "artifetch", "fetch", "-q", "--server-url", c.server.URL, "-R", "1",
		"--token-file", c.token, "--job-id", fmt.Sprint(1001+n), "-o", c.ws)
}

// succeed fetches version n without killing the run.
func (c *crash) succeed(t *testing.T, n int) time.Duration {
	t.Helper()
	start := time.Now()
	if out, err := c.fetch(t, n).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(start)
	want := mine()
	maps.Copy(want, c.versions[n])
	got, stages := c.look(t)
	if len(stages) != 0 {
		t.Errorf("stages are left: %q", stages)
	}
	c.compare(t, got, want, want)
	return took
}

// kill starts runs and kills each after a random time. Each fetches the other version,
// and half of the files are missing, so there is always something to replace and to add.
func (c *crash) kill(t *testing.T, runs int, f *fates) {
	c.succeed(t, 0)
	c.whole = c.succeed(t, 1) // like most runs, it replaces another version
	n := 0
	for i := range runs {
		c.halve(t)
		before, _ := c.look(t)
		c.killOne(t, n, i%3 == 2)
		fate := c.fate(t, before, c.versions[n])
		f.add(fate)
		if fate == killedAfter || fate == notKilled {
			n = 1 - n
		}
		if t.Failed() {
			t.Fatalf("it was killed %s", fate)
		}
	}
	c.halve(t)
	c.succeed(t, n)
	t.Logf("a whole run takes about %v", c.whole.Round(time.Millisecond))
}

// killOne kills a run that fetches version n. The commit is short, so a random time
// rarely hits it; aim does.
func (c *crash) killOne(t *testing.T, n int, aim bool) {
	t.Helper()
	run := c.fetch(t, n)
	first := filepath.Join(c.ws, slices.Min(slices.Collect(maps.Keys(c.versions[n]))))
	was, err := os.Lstat(first)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = run.Wait() // it was killed, or has ended
		close(ended)
	}()
	pause := rand.N(c.whole * 11 / 10)
	if aim {
		awaitChange(first, was, ended)
		pause = rand.N(c.whole / 20)
	}
	select {
	case <-ended:
		// The machine's load changes, and so does the time of a run.
		c.whole = (c.whole + time.Since(start)) / 2
	case <-time.After(pause):
		if took := time.Since(start); took > c.whole {
			c.whole = took
		}
	}
	_ = run.Process.Kill() // it may have ended
	<-ended
}

// awaitChange waits until the name belongs to another file, or the run has ended.
func awaitChange(path string, was fs.FileInfo, ended chan struct{}) {
	for {
		if is, err := os.Lstat(path); err != nil || !os.SameFile(is, was) {
			return
		}
		select {
		case <-ended:
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// halve removes half of the archive's files: every second one, and one whole directory.
func (c *crash) halve(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(c.ws, "fresh")); err != nil {
		t.Fatal(err)
	}
	for i, name := range slices.Sorted(maps.Keys(c.versions[0])) {
		if i%2 == 0 {
			continue
		}
		if err := os.Remove(filepath.Join(c.ws, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// look lists the workspace's files and links as [harness.Tree] does, and its stages and
// the lock of a commit, without their content.
func (c *crash) look(t *testing.T) (files map[string]string, stages []string) {
	t.Helper()
	entries, err := os.ReadDir(c.ws)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".artifetch-") {
			stages = append(stages, e.Name())
			continue
		}
		for path, what := range harness.Tree(t, filepath.Join(c.ws, e.Name())) {
			if !strings.HasPrefix(what, "d") { // this test ignores directory modes
				files["/"+e.Name()+path] = what
			}
		}
	}
	return files, stages
}

// fate checks that the workspace is in its old or its new state, and returns how far the
// run got.
func (c *crash) fate(t *testing.T, before, fetched map[string]string) string {
	t.Helper()
	after, stages := c.look(t)
	c.compare(t, after, before, fetched)
	staged := false
	for _, name := range stages {
		staged = staged || !c.stages[name] // not left by an earlier run
		c.stages[name] = true
	}
	todo, done := 0, 0
	for path, what := range fetched {
		if before[path] != what {
			todo++
			if after[path] == what {
				done++
			}
		}
	}
	switch {
	case done == 0 && !staged:
		return killedEarly
	case done == 0:
		return killedStaging
	case done < todo:
		return killedInCommit
	case staged:
		return killedAfter
	}
	return notKilled
}

// compare checks that every file is the old one or the archive's, and that none is
// missing or unexpected.
func (c *crash) compare(t *testing.T, after, before, fetched map[string]string) {
	t.Helper()
	all := maps.Clone(before)
	maps.Copy(all, fetched)
	maps.Copy(all, after)
	for path := range all {
		was, there := before[path]
		is, found := after[path]
		switch to, comes := fetched[path]; {
		case !found && there:
			t.Errorf("%s is gone", path)
		case found && !(there && is == was) && !(comes && is == to):
			t.Errorf("%s is neither what it was nor what it is to be: %d bytes, %.80q", path, len(is), is)
		}
	}
}
