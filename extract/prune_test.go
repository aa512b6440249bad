package extract

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

// prunable are the files that exist before a commit that removes some of them.
func prunable(t *testing.T) (out string) {
	t.Helper()
	out = t.TempDir()
	for path, content := range map[string]string{"d/b": "old b", "d/gone": "gone", "e/f/gone": "gone 2", "only/gone": "gone 3", "m.lock": "old", "m.yml": "old"} {
		put(t, filepath.Join(out, path), content)
	}
	return out
}

func afterPrune() map[string]string {
	return map[string]string{"d/b": "new b", "d/new": "new", "m.lock": "new", "m.yml": "new"}
}

// pruneWith commits new files and removes three; m.lock is the last one. It also writes m.yml.
func pruneWith(ctx context.Context, out string, c staging.Calls) error {
	var now staging.Calls
	s, err := newStage(out, StageOptions{}, func(op, path string) error { return now.Before(op, path) })
	if err != nil {
		return err
	}
	if err := addFiles(ctx, s, "d/b", "new b", "d/new", "new", "m.lock", "new"); err != nil {
		return err
	}
	s.Prune([]string{"d/gone", "e/f/gone", "never/there", "only/gone"}, "m.lock")
	s.Also(func() (func() error, error) {
		write := func(text string) error { return os.WriteFile(filepath.Join(out, "m.yml"), []byte(text), 0o600) }
		if err := now.Before("write", "m.yml"); err != nil {
			return nil, err
		}
		return func() error { return write("old") }, write("new")
	})
	now = c
	return errors.Join(s.Commit(ctx), s.Discard())
}

func TestPrune(t *testing.T) {
	t.Parallel()
	for name, way := range keeping() {
		out := prunable(t)
		if err := pruneWith(t.Context(), out, way); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(afterPrune(), contents(t, out)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, dir := range []string{"e", "only"} {
			if _, err := os.Stat(filepath.Join(out, dir)); !os.IsNotExist(err) {
				t.Errorf("%s: %s is still there: %v", name, dir, err)
			}
		}
	}
}

// Commit keeps anything that isn't a file, is reached through a link, belongs to Git or is
// staged.
func TestPruneSpares(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	for _, path := range []string{"real/a", ".git/hooks/a", "dir/a", "b", "m.lock"} {
		put(t, filepath.Join(out, path), "old")
	}
	if err := os.Symlink("real", filepath.Join(out, "link")); err != nil {
		t.Fatal(err)
	}
	s := staged(t, out, "b", "new", "m.lock", "new")
	s.Prune([]string{"link/a", ".git/hooks/a", "dir", "b", "m.lock", "../x", "."}, "m.lock")
	if err := s.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Pruned(); len(got) > 0 {
		t.Errorf("it says that it has removed %q", got)
	}
	want := map[string]string{"real/a": "old", ".git/hooks/a": "old", "dir/a": "old", "b": "new", "m.lock": "new"}
	if err := os.Remove(filepath.Join(out, "link")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, contents(t, out)); diff != "" {
		t.Error(diff)
	}
}

// Whichever call fails, the commit is either undone or complete.
func TestPruneFails(t *testing.T) {
	t.Parallel()
	for name, way := range keeping() {
		for n := 1; ; n++ {
			out := prunable(t)
			before := contents(t, out)
			f := failing{next: way, fails: func(i int) bool { return i == n }}
			err := pruneWith(t.Context(), out, f.call)
			if f.first == "" {
				if err != nil || n < 20 {
					t.Errorf("%s: %d calls, %v", name, n, err)
				}
				break
			}
			swept(t, out)
			after := contents(t, out)
			if done := maps.Equal(after, afterPrune()); !maps.Equal(after, before) && !done || strings.HasPrefix(f.first, "write") && done {
				t.Errorf("%s: %s failed, %v: %v", name, f.first, err, after)
			}
		}
	}
}

// Whenever a commit is killed, the next run restores the files that it was about to remove
// if the last file isn't in place; if it is, they are gone, and all others new.
func TestPruneKilled(t *testing.T) {
	t.Parallel()
	for way := range keeping() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			back, done, n := 0, 0, 1
			for ; ; n++ {
				out := prunable(t)
				if !killed(t, "prune "+way, out, n) {
					break
				}
				back += len(swept(t, out))
				after := contents(t, out)
				if after["m.lock"] == "new" {
					done++
					if diff := cmp.Diff(afterPrune(), after); diff != "" {
						t.Errorf("killed at call %d: %s", n, diff)
					}
					continue
				}
				for _, path := range []string{"d/gone", "e/f/gone", "only/gone", "d/b", "m.lock"} {
					if after[path] == "" {
						t.Errorf("killed at call %d: %s is gone; there is %v", n, path, slices.Sorted(maps.Keys(after)))
					}
				}
			}
			if back == 0 || done == 0 || n < 20 {
				t.Errorf("%d runs were killed, %d files were put back, %d runs were done", n-1, back, done)
			}
		})
	}
}
