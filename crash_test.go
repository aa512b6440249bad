//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// version is the content of a file in one of two versions of an archive.
func version(file string, n int64) string {
	return strings.Repeat(fmt.Sprintf("%s in version %d\n", file, n), 1+len(file)*37%900)
}

// crashFiles are the names of the files of both versions.
func crashFiles() []string {
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprintf("dist/%d/%d/file-%d.txt", i%7, i%3, i))
	}
	return append(names, "top.txt", "large.bin")
}

func crashArchive(n int64) []byte {
	var files []gitlabtest.File
	for _, name := range crashFiles() {
		f := gitlabtest.File{Name: name, Content: version(name, n), Mode: 0o640}
		if name == "large.bin" {
			f.Content = strings.Repeat(f.Content, 100)
		}
		files = append(files, f)
	}
	return gitlabtest.Zip(append(files, gitlabtest.File{Name: "dist/current", Link: fmt.Sprintf("version-%d", n)})...)
}

// crash is one workspace in which runs are killed.
type crash struct {
	server *gitlabtest.Running
	token  string
	ws     string
}

// fetch fetches job 1001 or 1002, which have the two versions.
func (c *crash) fetch(t *testing.T, job int64) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), "artifetch", "fetch", "-q", "--server-url", c.server.URL, "-R", "1",
		"--token-file", c.token, "--job-id", fmt.Sprint(job), "-o", c.ws)
}

// Wherever a run is killed, every file is whole, in one version or the other; the
// next run succeeds, and leaves nothing of the dead ones behind.
func TestKilled(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	jobs := world.Projects[0].Pipelines[1].Jobs
	jobs[0].Archive, jobs[1].Archive = crashArchive(1), crashArchive(2)
	server := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
		t.Fatal(err)
	}
	var stages, mixed atomic.Int64
	t.Run("runs", func(t *testing.T) {
		for range 4 {
			c := &crash{server, token, filepath.Join(t.TempDir(), "ws")}
			t.Run("workspace", func(t *testing.T) {
				t.Parallel()
				c.killRuns(t, 50, &stages, &mixed)
			})
		}
	})
	t.Logf("%d kills left a stage, %d hit the commit", stages.Load(), mixed.Load())
	if stages.Load() < 5 {
		t.Error("hardly any run was killed in the middle: the test sees nothing")
	}
}

func (c *crash) killRuns(t *testing.T, n int, stages, mixed *atomic.Int64) {
	start := time.Now()
	if out, err := c.fetch(t, 1001).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(start)
	if err := os.WriteFile(filepath.Join(c.ws, "mine"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		run := c.fetch(t, 1001+int64(i)%2)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(whole * 5 / 4))
		_ = run.Process.Kill() // it may have ended
		_ = run.Wait()         // as it was killed, or not
		versions, left := c.check(t)
		if left > 0 {
			stages.Add(1)
		}
		if versions > 1 {
			mixed.Add(1)
		}
	}
	if out, err := c.fetch(t, 1002).CombinedOutput(); err != nil {
		t.Fatalf("after all that: %v: %s", err, out)
	}
	if versions, left := c.check(t); versions != 1 || left != 0 {
		t.Errorf("after all that: %d versions, %d stages", versions, left)
	}
	if target, err := os.Readlink(filepath.Join(c.ws, "dist/current")); err != nil || target != "version-2" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
}

// check holds that every file is one of the versions, and counts which there are,
// and the stages.
func (c *crash) check(t *testing.T) (versions, stages int) {
	t.Helper()
	if mine, err := os.ReadFile(filepath.Join(c.ws, "mine")); err != nil || string(mine) != "mine" {
		t.Errorf("a file of the user: %q, %v", mine, err)
	}
	seen := map[int64]bool{}
	for _, name := range crashFiles() {
		path := filepath.Join(c.ws, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s is gone: %v", name, err)
			continue
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		times := 1
		if name == "large.bin" {
			times = 100
		}
		whole := false
		for n := int64(1); n <= 2; n++ {
			if bytes.Equal(content, []byte(strings.Repeat(version(name, n), times))) {
				seen[n], whole = true, true
			}
		}
		if !whole {
			t.Errorf("%s is torn: %d bytes", name, len(content))
		}
	}
	left, err := filepath.Glob(filepath.Join(c.ws, ".artifetch-*"))
	if err != nil {
		t.Error(err)
	}
	return len(seen), len(left)
}
