package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

// faultArchive contains everything that a stage treats differently: files of several
// sizes, in directories that are listed or only implied, and a link.
func faultArchive(t *testing.T, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name, content string, mode fs.FileMode) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		e, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	add("dir/", "", fs.ModeDir|0o750)
	add("dir/replaced", version, 0o640)
	add("dir/fresh", version, 0o755)
	add("dir/large", strings.Repeat(version, 200_000), 0o644)
	add("implied/sub/file", version, 0o600)
	add("replaced.txt", version, 0o644)
	add("link", "replaced.txt", fs.ModeSymlink|0o777)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// state returns everything in a directory except stages: kind, mode, content or target.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		if strings.HasPrefix(d.Name(), names.StagePrefix) {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += " " + string(content[:min(len(content), 20)])
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what += " " + target
		}
		all[strings.TrimPrefix(path, dir)] = what
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// attempt extracts two archives that share files, and returns what failed.
func attempt(t *testing.T, out string, archive []byte, c staging.Calls) (committed bool, err error) {
	t.Helper()
	s, err := newStage(out, StageOptions{}, c)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.Discard()) }()
	for range 2 {
		if _, err := s.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{Pace: Pace{Workers: 1}}); err != nil {
			return false, err
		}
	}
	if err := s.Commit(t.Context()); err != nil {
		return false, err
	}
	return true, nil
}

var errInjected = errors.New("injected")

// If nothing can be created, as on a read-only file system, there is nothing to remove,
// and no report about it.
func TestNothingToRemove(t *testing.T) {
	t.Parallel()
	readOnly := func(op, path string) error {
		switch op {
		case "mkdir", "remove", "removeall":
			return &fs.PathError{Op: op, Path: path, Err: errInjected}
		}
		return nil
	}
	_, err := newStage(t.TempDir(), StageOptions{OnLeftover: func(dir string, err error) { t.Errorf("%s: %v", dir, err) }}, readOnly)
	if !errors.Is(err, errInjected) || strings.Contains(err.Error(), "removing") {
		t.Error(err)
	}
}

// Whichever file system call fails, in staging, commit or cleanup, the workspace has all
// old or all new files, an error says so if they are old, and the next run leaves nothing
// behind.
//
// This also applies to file systems without hard links, and to those that can't exchange
// files.
func TestEveryCallFails(t *testing.T) {
	t.Parallel()
	for name, way := range keeping() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyCallFails(t, way)
		})
	}
}

func everyCallFails(t *testing.T, way staging.Calls) {
	archive := faultArchive(t, "new")
	prepare := func() string {
		out := filepath.Join(t.TempDir(), "out")
		if committed, err := attempt(t, out, faultArchive(t, "old"), nil); !committed || err != nil {
			t.Fatal(committed, err)
		}
		for _, path := range []string{"dir/fresh", "implied/sub/file"} {
			if err := os.Remove(filepath.Join(out, path)); err != nil {
				t.Fatal(err)
			}
		}
		put(t, filepath.Join(out, "dir/mine"), "mine")
		return out
	}
	out := prepare()
	before, total := state(t, out), 0
	if committed, err := attempt(t, out, archive, func(op, path string) error {
		if err := way.Before(op, path); err != nil {
			return err
		}
		total++
		return nil
	}); !committed || err != nil {
		t.Fatal(committed, err)
	}
	after := state(t, out)
	if total < 60 {
		t.Fatalf("only %d calls were seen", total)
	}
	for n := 1; n <= total; n++ {
		out := prepare()
		f := failing{next: way, fails: func(i int) bool { return i == n }}
		committed, err := attempt(t, out, archive, f.call)
		want := before
		if committed {
			want = after
		} else if err == nil {
			t.Errorf("call %d (%s) failed, and nothing was said", n, f.first)
		}
		if diff := cmp.Diff(want, state(t, out)); diff != "" {
			t.Errorf("call %d (%s), committed %v, %v: %s", n, f.first, committed, err, diff)
		}
		checkNextRun(t, out, archive, after)
	}
}

func checkNextRun(t *testing.T, out string, archive []byte, want map[string]string) {
	t.Helper()
	if committed, err := attempt(t, out, archive, nil); !committed || err != nil {
		t.Errorf("next run: %v, %v", committed, err)
	}
	if diff := cmp.Diff(want, state(t, out)); diff != "" {
		t.Errorf("next run: %s", diff)
	}
	if left, err := filepath.Glob(filepath.Join(out, names.StagePrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("next run left %q, %v", left, err)
	}
}
