package extract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// KilledAt is the variable that makes the test binary commit and kill itself. Its
// lines are the key in [keeping], the number of the call, and the output directory.
const KilledAt = "EXTRACT_TEST_KILLED_AT"

// CommitUntilKilled commits [replacing], and kills the process before the n-th call to
// the file system.
func CommitUntilKilled() {
	parts := strings.SplitN(os.Getenv(KilledAt), "\n", 3)
	at, err := strconv.Atoi(parts[1])
	if err != nil {
		panic(err)
	}
	way, prune := strings.CutPrefix(parts[0], "prune ")
	commit := commitWith
	if prune {
		commit = pruneWith
	}
	f := failing{next: keeping()[way], fails: func(n int) bool {
		if n == at {
			p, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = p.Kill()
			}
			panic(fmt.Sprint("still alive: ", err))
		}
		return false
	}}
	if err := commit(context.Background(), parts[2], f.call); err != nil {
		panic(err)
	}
}

// killed runs a commit that is killed before its n-th call. It reports false if the
// commit has fewer calls.
func killed(t *testing.T, way, out string, n int) bool {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%d\n%s", KilledAt, way, n, out))
	text, err := cmd.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || failed.Exited()) {
		t.Fatalf("%v: %s", err, text)
	}
	return err != nil
}

// Whenever a commit is killed, each file is the old or the new one, or the next run
// restores it, even if that run fetches something else. Nothing else is left.
func TestKilledCommit(t *testing.T) {
	t.Parallel()
	for way := range keeping() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			back, n := 0, 1
			for ; ; n++ {
				out := withOriginals(t)
				if !killed(t, way, out, n) {
					break
				}
				back += len(checkKilled(t, out, n))
			}
			if away := way == "moved away"; n < 20 || away != (back > 0) {
				t.Errorf("%d runs were killed, %d files were put back", n-1, back)
			}
		})
	}
}

func checkKilled(t *testing.T, out string, n int) []Rescued {
	t.Helper()
	told := swept(t, out)
	for _, r := range told {
		if r.At != r.Path {
			t.Errorf("killed at call %d: %s is in %s", n, r.Path, r.At)
		}
	}
	after := contents(t, out)
	for path := range originals() {
		if !isOldOrNew(path, after[path]) {
			t.Errorf("killed at call %d: %s is %q", n, path, after[path])
		}
	}
	if err := commitWith(t.Context(), out, nil); err != nil {
		t.Error(err)
	}
	want := map[string]string{"d/mine": "mine"}
	for i := 0; i < len(replacing()); i += 2 {
		want[replacing()[i]] = replacing()[i+1]
	}
	if diff := cmp.Diff(want, contents(t, out)); diff != "" {
		t.Errorf("killed at call %d: the next run: %s", n, diff)
	}
	return told
}

// callWhileAway returns the number of a call before which d/b exists only in the stage.
func callWhileAway(t *testing.T) int {
	t.Helper()
	for n := 1; ; n++ {
		out := withOriginals(t)
		if !killed(t, "moved away", out, n) {
			t.Fatal("no run was killed while the file was away")
		}
		if _, err := os.Lstat(filepath.Join(out, "d/b")); err != nil {
			return n
		}
	}
}

// fileAway returns the output directory of a run that was killed then.
func fileAway(t *testing.T, call int) (out string) {
	t.Helper()
	out = withOriginals(t)
	if !killed(t, "moved away", out, call) {
		t.Fatal("it was not killed")
	}
	return out
}

// If the path of a file that a killed run had moved away is taken or gone, the next
// run changes nothing there, and says where it keeps the file.
func TestKilledCommitAndChanges(t *testing.T) {
	t.Parallel()
	changes := map[string]func(out, path string) error{
		"a file has come": func(out, path string) error { return os.WriteFile(filepath.Join(out, path), []byte("theirs"), 0o600) },
		"a directory has come": func(out, path string) error {
			return errors.Join(os.Mkdir(filepath.Join(out, path), 0o700), os.WriteFile(filepath.Join(out, path, "theirs"), []byte("theirs"), 0o600))
		},
		"its directory has gone": func(out, path string) error { return os.RemoveAll(filepath.Join(out, "d")) },
		"its directory is a file": func(out, path string) error {
			return errors.Join(os.RemoveAll(filepath.Join(out, "d")), os.WriteFile(filepath.Join(out, "d"), []byte("theirs"), 0o600))
		},
	}
	call := callWhileAway(t)
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const path = "d/b"
			out := fileAway(t, call)
			if err := change(out, path); err != nil {
				t.Fatal(err)
			}
			before := contents(t, out)
			told := swept(t, out)
			after := contents(t, out)
			if len(told) != 1 || told[0].Path != path || after[told[0].At] != "old b" {
				t.Fatalf("the next run says %v; there is %v", told, after)
			}
			for file, content := range before {
				if !strings.HasPrefix(file, names.StagePrefix) && after[file] != content {
					t.Errorf("%s was %q, and is %q", file, content, after[file])
				}
			}
			if again := swept(t, out); len(again) > 0 {
				t.Errorf("and again: %v", again)
			}
		})
	}
}

// After the commit, old files don't come back, even if the run is killed while it
// removes its stage, and the user then removes the new files. The exception is the
// moment before the commit is marked as complete.
func TestKilledWhileCleaningUp(t *testing.T) {
	t.Parallel()
	seen, back := 0, 0
	for n := 1; ; n++ {
		out := withOriginals(t)
		if !killed(t, "moved away", out, n) {
			break
		}
		if contents(t, out)["z/added"] == "" {
			continue
		}
		seen++
		for _, name := range []string{"a", "d", "z"} {
			if err := os.RemoveAll(filepath.Join(out, name)); err != nil {
				t.Fatal(err)
			}
		}
		if told := swept(t, out); len(told) > 0 {
			back++
		}
	}
	if seen < 5 || back > 1 {
		t.Errorf("%d runs were killed, and after %d of them old files came back", seen, back)
	}
}

// Whichever call of the next run fails, that run or the one after it restores the file
// that a killed run had moved away.
func TestRecoveryFails(t *testing.T) {
	t.Parallel()
	call := callWhileAway(t)
	for n := 1; ; n++ {
		out := fileAway(t, call)
		told := []Rescued{}
		o := StageOptions{OnRescue: func(r Rescued) { told = append(told, r) }}
		f := failing{fails: func(i int) bool { return i == n }}
		s, err := newStage(out, o, f.call)
		if err == nil {
			err = s.Discard()
		}
		if f.first == "" {
			if err != nil || n < 15 {
				t.Errorf("%d calls, %v", n, err)
			}
			return
		}
		told = append(told, swept(t, out)...)
		after := contents(t, out)
		if len(told) != 1 || told[0].Path != "d/b" || after[told[0].At] != "old b" {
			t.Errorf("%s failed: the next runs say %v; there is %v", f.first, told, after)
		}
	}
}
