package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// manyDirs has many nested directories, and enough content for parallel requests.
func manyDirs() []gitlabtest.File {
	var files []gitlabtest.File
	for d := range 60 {
		name := fmt.Sprintf("d%d/sub/deep/f", d)
		files = append(files, gitlabtest.File{Name: name, Content: strings.Repeat(name, 4000), Store: true})
	}
	files = append(files, gitlabtest.File{Name: "large", Content: strings.Repeat("0123456789abcdef", 18<<16), Store: true})
	return append(files, gitlabtest.File{Name: "link", Link: "large"}, gitlabtest.File{Name: "empty/"})
}

// limited runs a command line in a shell with a limit.
func limited(t *testing.T, dir, limit, command string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", limit+" && exec "+command)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if ok {
		code = failed.ExitCode()
	}
	return code, string(out)
}

// Twenty open files are enough to fetch from any kind of server, and to extract, into an
// empty or a full workspace. With fewer, the error says which limit to raise.
func TestFewOpenFiles(t *testing.T) {
	t.Parallel()
	files := manyDirs()
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(files...)
	dir := t.TempDir()
	err := errors.Join(os.WriteFile(filepath.Join(dir, "token"), []byte(gitlabtest.PrivateToken), 0o600), os.WriteFile(filepath.Join(dir, "a.zip"), gitlabtest.Zip(files...), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]string{"extract": "artifetch extract a.zip"}
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeDisk, gitlabtest.ModeRedirect, gitlabtest.ModeNoLength} {
		s := gitlabtest.Start(world, gitlabtest.Options{Mode: mode})
		t.Cleanup(s.Close)
		fetch := "artifetch fetch --server-url " + s.URL + " -R 1 --token-file token --job-id 1001"
		commands[string(mode)] = fetch
		commands[string(mode)+", some"] = fetch + " large link empty d1 d2 d3 'd[456]*' 'd?' 'd??'"
	}
	commands["a cache"] = commands[string(gitlabtest.ModeRedirect)] + " --cache-dir cache"
	want := harness.Tree(t, extracted(t, dir, "artifetch extract a.zip -o "))
	for name, command := range commands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			for _, n := range []int{20, 22, 33} {
				for range 2 {
					code, said := limited(t, dir, fmt.Sprint("ulimit -n ", n), command+" -o "+out)
					if diff := cmp.Diff(want, harness.Tree(t, out)); code != 0 || diff != "" {
						t.Fatalf("%d files: code %d: %s\n%s", n, code, said, diff)
					}
				}
				if err := os.RemoveAll(out); err != nil {
					t.Fatal(err)
				}
			}
			code, said := limited(t, dir, "ulimit -n 13", command+" -o "+out)
			if code != 9 || !strings.Contains(said, "too many open files") || !strings.Contains(said, "ulimit -n") {
				t.Errorf("13 files: code %d: %s", code, said)
			}
		})
	}
}

// extracted extracts without a limit.
func extracted(t *testing.T, dir, command string) (out string) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "out")
	if code, said := limited(t, dir, "true", command+out); code != 0 {
		t.Fatal(said)
	}
	return out
}

// A file larger than the file size limit is an error like a full disk: nothing changes,
// and nothing is left behind.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(manyDirs()...)
	dir := t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "token"), []byte(gitlabtest.PrivateToken), 0o600),
		os.WriteFile(filepath.Join(dir, "a.zip"), gitlabtest.Zip(manyDirs()...), 0o600),
		os.MkdirAll(filepath.Join(dir, "out/d1"), 0o755), os.WriteFile(filepath.Join(dir, "out/large"), []byte("mine"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	before := harness.Tree(t, dir)
	commands := map[string]string{"extract": "extract a.zip -o out", "extract from standard input": "extract - -o out <a.zip"}
	for _, mode := range []gitlabtest.Mode{gitlabtest.ModeRedirect, gitlabtest.ModeNoRanges} {
		s := gitlabtest.Start(world, gitlabtest.Options{Mode: mode})
		t.Cleanup(s.Close)
		query := " --server-url " + s.URL + " -R 1 --token-file token --job-id 1001 "
		commands["fetch, "+string(mode)] = "fetch" + query + "-o out"
		commands["fetch --archive, "+string(mode)] = "fetch" + query + "--archive out/whole.zip"
		commands["cat, "+string(mode)] = "cat" + query + "large -o out/large"
	}
	for name, command := range commands { // not in parallel: they share a directory
		code, said := limited(t, dir, "ulimit -f 1000", "artifetch "+command)
		if code != 9 || !strings.Contains(said, "file too large") || !strings.Contains(said, "ulimit -f") {
			t.Errorf("%s: code %d: %s", name, code, said)
		}
		if strings.Contains(command, "--archive") && !strings.Contains(said, "cannot write out/whole.zip: ") {
			t.Errorf("%s: %s", name, said)
		}
		if diff := cmp.Diff(before, harness.Tree(t, dir)); diff != "" {
			t.Errorf("%s: something changed: %s", name, diff)
		}
	}
}
