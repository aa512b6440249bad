package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// staged puts files into a stage of out: names and contents by turns.
func staged(t *testing.T, out string, files ...string) *Stage {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		e, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := NewStage(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), FromReaderAt(bytes.NewReader(b.Bytes()), int64(b.Len())), Options{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// contents are all files below dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, relErr := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = string(b)
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// interfering is a context that does something before the n-th move, as others
// on the machine may.
type interfering struct {
	context.Context
	n  int
	do func()
}

// Err implements [context.Context].
func (c *interfering) Err() error {
	if c.n--; c.n == 0 {
		c.do()
	}
	return nil
}

// Value hides that there is a context of the standard library below.
func (*interfering) Value(any) any { return nil }

// Whichever of the renames fails, all before it are taken back.
func TestEveryRenameFails(t *testing.T) {
	t.Parallel()
	const n = 10
	for failing := range n {
		out := t.TempDir()
		var files []string
		for i := range n {
			files = append(files, "d/"+strconv.Itoa(i), "new")
			if i%2 == 0 {
				put(t, filepath.Join(out, "d", strconv.Itoa(i)), "old")
			}
		}
		put(t, filepath.Join(out, "d/mine"), "mine")
		before := contents(t, out)
		s := staged(t, out, files...)
		lost := filepath.Join(out, s.name, "new/d", strconv.Itoa(failing))
		err := s.Commit(&interfering{t.Context(), failing + 1, func() {
			if err := os.Remove(lost); err != nil {
				t.Error(err)
			}
		}})
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("rename %d: %v", failing, err)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(before, contents(t, out)); diff != "" {
			t.Errorf("rename %d:\n%s", failing, diff)
		}
	}
}

// If what was moved cannot be moved back, the only copy of what was there before
// stays, and the error says where; neither Discard nor a later run removes it.
func TestRescue(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	put(t, filepath.Join(out, "a"), "precious")
	s := staged(t, out, "a", "new", "b", "new")
	err := s.Commit(&interfering{t.Context(), 2, func() {
		for _, err := range []error{
			os.Remove(filepath.Join(out, s.name, "new/b")), // so that the next rename fails,
			os.Remove(filepath.Join(out, "a")),             // and the way back is blocked
			os.MkdirAll(filepath.Join(out, "a/x"), 0o700),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	}})
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
	next := staged(t, out, "c", "new")
	if err := next.Discard(); err != nil {
		t.Error(err)
	}
	for name, content := range contents(t, out) {
		if content == "precious" && err != nil && strings.Contains(err.Error(), filepath.Dir(name)) {
			return
		}
	}
	t.Errorf("error = %v; left: %v", err, contents(t, out))
}

// A fresh tree is one rename, however much is in it.
func TestMoves(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	put(t, filepath.Join(out, "there/old"), "old")
	s := staged(t, out, "fresh/a/b/1", "x", "fresh/a/b/2", "x", "there/old", "x", "there/new/1", "x", "there/new/2", "x")
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
