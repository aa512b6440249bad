//go:build unix

package crash

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/manifest"
)

const killedManifest = `version: 1
defaults: {project: group/app, ref: "${REF}"}
sources:
  - {name: lib, job: lib, output: vendor/lib}
  - {name: tool, job: tool, output: vendor/tool}
`

// inBoth is how many of a job's files both refs have; the others exist in only one ref,
// so each run removes some.
const inBoth = 60

// killedFiles are a job's files in one of two refs.
func killedFiles(job, ref string) []gitlabtest.File {
	var files []gitlabtest.File
	for i := range inBoth {
		line := fmt.Sprintf("file %d of %s on %s\n", i, job, ref)
		files = append(files, gitlabtest.File{Name: fmt.Sprintf("%d/file-%d", i%5, i), Content: strings.Repeat(line, 1+i*i%500)})
	}
	for i := range 20 {
		files = append(files, gitlabtest.File{Name: fmt.Sprintf("%s/%d/only-%d", ref, i%3, i), Content: "of " + ref})
	}
	return files
}

// Two workspaces share a cache, and their runs are killed at random: the cache never
// contains a partial object, every file of a workspace is of one version, its lock file
// is readable, and in the end everything is correct.
func TestSyncKilled(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	project := &gitlabtest.Project{ID: 1, Path: "group/app", Visibility: gitlabtest.Private}
	for n, ref := range []string{"one", "two"} {
		p := &gitlabtest.Pipeline{ID: int64(n + 1), Ref: ref, SHA: strings.Repeat(fmt.Sprint(n), 40), Status: "success"}
		for i, job := range []string{"lib", "tool"} {
			p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: int64(10*n + i + 1), Name: job, Archive: gitlabtest.Zip(killedFiles(job, ref)...)})
		}
		project.Pipelines = append(project.Pipelines, p)
	}
	world.Projects = []*gitlabtest.Project{project}
	server := gitlabtest.Start(world, gitlabtest.Options{})
	t.Cleanup(server.Close)
	dir, runs := t.TempDir(), 100
	if testing.Short() {
		runs = 10
	}
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		s := &killedSync{ws: filepath.Join(dir, name), cache: filepath.Join(dir, "cache"), token: token, url: server.URL}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.kill(t, runs)
		})
	}
}

// killedSync is a workspace in which runs are killed.
type killedSync struct{ ws, cache, token, url string }

func (s *killedSync) command(t *testing.T, ref string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "artifetch", "sync", "-q", "--server-url", s.url, "--token-file", s.token, "--cache-dir", s.cache)
	cmd.Dir, cmd.Env = s.ws, append(os.Environ(), "REF="+ref, "CI=", "GITLAB_CI=")
	return cmd
}

func (s *killedSync) kill(t *testing.T, runs int) {
	if err := os.Mkdir(s.ws, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.ws, "artifetch.yml"), []byte(killedManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if out, err := s.command(t, "one").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(start)
	moved := 0
	for i := range runs {
		ref := []string{"two", "one"}[i%2]
		run := s.command(t, ref)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(whole * 5 / 4))
		_ = run.Process.Kill() // it may have ended
		_ = run.Wait()         // it was killed, or has ended
		if s.check(t)[ref] {
			moved++
		}
	}
	t.Logf("%d of %d runs had moved something", moved, runs)
	// The last killed run may have put new files into place, and not the lock file with
	// their names: nothing but --prune removes those.
	last := s.command(t, "two")
	last.Args = append(last.Args, "--prune")
	if out, err := last.CombinedOutput(); err != nil {
		t.Fatalf("after all that: %v: %s", err, out)
	}
	if seen := s.check(t); seen["one"] || !seen["two"] {
		t.Errorf("after all that there is %v", seen)
	}
	verify := exec.CommandContext(t.Context(), "artifetch", "verify")
	verify.Dir, verify.Env = s.ws, append(os.Environ(), "REF=two")
	if out, err := verify.CombinedOutput(); err != nil {
		t.Errorf("verify: %v: %s", err, out)
	}
	if left, err := filepath.Glob(filepath.Join(s.ws, ".artifetch-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// check returns which versions are in the workspace, and checks that every file is
// complete.
func (s *killedSync) check(t *testing.T) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for _, job := range []string{"lib", "tool"} {
		one, two := killedFiles(job, "one"), killedFiles(job, "two")
		for i := range inBoth {
			content, err := os.ReadFile(filepath.Join(s.ws, "vendor", job, one[i].Name))
			switch {
			case err != nil:
				t.Errorf("a file is gone: %v", err)
			case string(content) == one[i].Content:
				seen["one"] = true
			case string(content) == two[i].Content:
				seen["two"] = true
			default:
				t.Errorf("%s of %s is torn", one[i].Name, job)
			}
		}
	}
	if l, err := manifest.ReadLock(t.Context(), filepath.Join(s.ws, "artifetch.lock")); err != nil || len(l.Sources) != 2 {
		t.Errorf("the lock file: %d sources, %v", len(l.Sources), err)
	}
	objects, err := filepath.Glob(filepath.Join(s.cache, "objects", "[0-9a-f]*"))
	if err != nil {
		t.Error(err)
	}
	for _, object := range objects {
		content, err := os.ReadFile(object)
		if sum := sha256.Sum256(content); err == nil && hex.EncodeToString(sum[:]) != filepath.Base(object) {
			t.Errorf("an object of the cache is not what its name says")
		}
	}
	return seen
}
