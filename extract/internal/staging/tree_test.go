package staging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wide has many directories with one file each, and some deep ones.
func wide() []string {
	var files []string
	for d := range 40 {
		files = append(files, "d"+strconv.Itoa(d)+"/a/b/c/d/f", strconv.Itoa(d))
	}
	return files
}

func checkWide(t *testing.T, out string) {
	t.Helper()
	want := map[string]string{}
	for i := 0; i < len(wide()); i += 2 {
		want[wide()[i]] = wide()[i+1]
	}
	if diff := cmp.Diff(want, contents(t, out)); diff != "" {
		t.Error(diff)
	}
}

// A tree keeps at most the allowed number of directories open, except those in use.
func TestTreeKeepsFewDirectories(t *testing.T) {
	t.Parallel()
	out, most := filepath.Join(t.TempDir(), "out"), 0
	var s *Dir
	s, err := New(out, quiet(), func(op, _ string) error {
		if op == "open" && s != nil && s.tree != nil { // its lock is held
			most = max(most, len(s.tree.open))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.tree.keep = 3
	if err := stageFiles(s, wide()...); err != nil {
		t.Fatal(err)
	}
	// One is in use; new/ itself is always open.
	if limit := s.tree.keep + 2; most > limit || most < 2 {
		t.Errorf("%d directories were open, and %d may be", most, limit)
	}
	if err := s.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	checkWide(t, out)
}

// If too many files are open, a tree closes unused directories, and waits for other
// files to be closed.
func TestTreeOutOfFiles(t *testing.T) {
	t.Parallel()
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE} {
		out, refused, busy := filepath.Join(t.TempDir(), "out"), 0, 3
		var s *Dir
		s, newErr := New(out, quiet(), func(op, _ string) error {
			if s == nil || s.tree == nil || op != "open" {
				return nil
			}
			if busy > 0 || len(s.tree.open) > 4 {
				busy--
				refused++
				return err
			}
			return nil
		})
		if newErr != nil {
			t.Fatal(newErr)
		}
		if err := stageFiles(s, wide()...); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context()); err != nil || refused < 10 {
			t.Errorf("%v, %d refusals", err, refused)
		}
		checkWide(t, out)
	}
}

// It doesn't wait forever.
func TestTreeGivesUp(t *testing.T) {
	t.Parallel()
	s, err := New(t.TempDir(), quiet(), func(op, _ string) error {
		if op == "create" {
			return syscall.EMFILE
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := stageFiles(s, "f", "x"); !errors.Is(err, syscall.EMFILE) {
		t.Error(err)
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
}

// A new tree takes one rename, however much it contains.
func TestMoves(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	put(t, filepath.Join(out, "there/old"), "old")
	s := newStaged(t, out, "fresh/a/b/1", "x", "fresh/a/b/2", "x", "there/old", "x", "there/new/1", "x", "there/new/2", "x")
	moves, err := s.planMoves("")
	if err != nil {
		t.Fatal(err)
	}
	want := []move{{"fresh", false}, {"there/new", false}, {"there/old", true}}
	if !slices.Equal(moves, want) {
		t.Errorf("moves = %v, want %v", moves, want)
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
}

// quiet are options that report nothing.
func quiet() Options {
	return Options{OnSkip: func(string, string) {}, OnRescue: func(Rescued) {}, OnLeftover: func(string, error) {}}
}

// stageFiles stages files, given as pairs of path and content.
func stageFiles(s *Dir, files ...string) error {
	for i := 0; i < len(files); i += 2 {
		f, err := s.Create(NewFile{Path: files[i], Mode: 0o644, Entry: files[i]})
		if err != nil {
			return err
		}
		_, err = f.Write([]byte(files[i+1]))
		if err := f.Close(err); err != nil {
			return err
		}
	}
	return nil
}

func newStaged(t *testing.T, out string, files ...string) *Dir {
	t.Helper()
	s, err := New(out, quiet(), nil)
	if err == nil {
		err = stageFiles(s, files...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// contents returns the files below dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
