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
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
)

// staged adds files to a stage of out: names and contents alternate.
func staged(t *testing.T, out string, files ...string) *Stage {
	t.Helper()
	return stagedWith(t, out, StageOptions{}, files...)
}

func stagedWith(t *testing.T, out string, o StageOptions, files ...string) *Stage {
	t.Helper()
	s, err := NewStage(out, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := addFiles(t.Context(), s, files...); err != nil {
		t.Fatal(err)
	}
	return s
}

// addFiles adds files to a stage: names and contents alternate.
func addFiles(ctx context.Context, s *Stage, files ...string) error {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		e, err := w.Create(files[i])
		if err != nil {
			return err
		}
		if _, err := e.Write([]byte(files[i+1])); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err := s.Add(ctx, FromReaderAt(bytes.NewReader(b.Bytes()), int64(b.Len())), Options{})
	return err
}

// contents returns all regular files below dir. It follows no links.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
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

// interfering is a context that does something before the n-th move, like another process
// on the machine.
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

// Value hides the standard library's context below.
func (*interfering) Value(any) any { return nil }

// Done returns nil: as Err returns no error, it must not look as if the context had ended,
// which it does with the test.
func (*interfering) Done() <-chan struct{} { return nil }

// Whichever rename fails, Commit undoes all renames before it.
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
		lost := filepath.Join(s.Path(), "new/d", strconv.Itoa(failing))
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

// If a moved file can't be moved back, the only copy of the original stays, and the error
// says where; neither Discard nor a later run removes it.
func TestRescue(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	put(t, filepath.Join(out, "a"), "precious")
	s := staged(t, out, "a", "new", "b", "new")
	err := s.Commit(&interfering{t.Context(), 2, func() {
		for _, err := range []error{
			os.Remove(filepath.Join(s.Path(), "new/b")), // so that the next rename fails,
			os.Remove(filepath.Join(out, "a")),          // and the way back is blocked
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

func TestConflictPolicies(t *testing.T) {
	t.Parallel()
	for policy, want := range map[ConflictPolicy]map[string]string{
		Overwrite:    {"d/a": "new", "d/b": "new", "mine": "mine"},
		SkipExisting: {"d/a": "old", "d/b": "new", "mine": "mine"},
		FailIfExists: {"d/a": "old", "mine": "mine"},
	} {
		out := t.TempDir()
		put(t, filepath.Join(out, "d/a"), "old")
		put(t, filepath.Join(out, "mine"), "mine")
		var skipped []string
		s := stagedWith(t, out, StageOptions{OnConflict: policy, OnSkip: func(path, _ string) { skipped = append(skipped, path) }}, "d/a", "new", "d/b", "new")
		err := s.Commit(t.Context())
		if is[*ConflictError](err) != (policy == FailIfExists) {
			t.Errorf("policy %d: %v", policy, err)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, contents(t, out)); diff != "" {
			t.Errorf("policy %d:\n%s", policy, diff)
		}
		if (policy == SkipExisting) != slices.Equal(skipped, []string{"d/a"}) {
			t.Errorf("policy %d: skipped %q", policy, skipped)
		}
	}
}

// A directory at a file's path is a conflict under any policy.
func TestKindsClashUnderEveryPolicy(t *testing.T) {
	t.Parallel()
	for _, policy := range []ConflictPolicy{Overwrite, SkipExisting, FailIfExists} {
		out := t.TempDir()
		put(t, filepath.Join(out, "a/b"), "old")
		s := stagedWith(t, out, StageOptions{OnConflict: policy}, "a", "new")
		if err := s.Commit(t.Context()); !is[*ConflictError](err) {
			t.Errorf("policy %d: %v", policy, err)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
}

// If another process creates a file at a new path between the plan and the move, it is
// treated like an existing one: replaced, kept, or a reason to undo the commit.
func TestWhatComesMeanwhile(t *testing.T) {
	t.Parallel()
	old := map[string]string{"there/a": "old"}
	tests := []struct {
		name   string
		policy ConflictPolicy
		come   func(dir string) error
		want   map[string]string
		failed bool
	}{
		{"file, replaced", Overwrite, func(dir string) error { return os.WriteFile(dir+"/new", []byte("theirs"), 0o600) },
			map[string]string{"there/a": "new", "there/new": "new", "zz": "new"}, false},
		{"link, replaced and not followed", Overwrite, func(dir string) error { return os.Symlink("a", dir+"/new") },
			map[string]string{"there/a": "new", "there/new": "new", "zz": "new"}, false},
		{"file, left alone", SkipExisting, func(dir string) error { return os.WriteFile(dir+"/new", []byte("theirs"), 0o600) },
			map[string]string{"there/a": "old", "there/new": "theirs", "zz": "new"}, false},
		{"file, a reason to go back", FailIfExists, func(dir string) error { return os.WriteFile(dir+"/new", []byte("theirs"), 0o600) },
			map[string]string{"there/new": "theirs"}, true},
		{"empty directory", Overwrite, func(dir string) error { return os.Mkdir(dir+"/new", 0o700) }, old, true},
		{"gone", Overwrite, func(dir string) error { return os.Remove(dir + "/a") },
			map[string]string{"there/a": "new", "there/new": "new", "zz": "new"}, false},
	}
	for _, tt := range tests {
		out := t.TempDir()
		files := []string{"there/a", "new", "there/new", "new", "zz", "new"}
		put(t, filepath.Join(out, "there/a"), "old")
		before := 2
		if tt.policy == FailIfExists { // this policy would refuse the existing file
			files = append([]string{"first", "new"}, files[2:]...)
			if err := os.Remove(filepath.Join(out, "there/a")); err != nil {
				t.Fatal(err)
			}
		}
		if tt.policy == SkipExisting || tt.name == "gone" {
			before = 1
		}
		s := stagedWith(t, out, StageOptions{OnConflict: tt.policy}, files...)
		err := s.Commit(&interfering{t.Context(), before, func() {
			if err := tt.come(filepath.Join(out, "there")); err != nil {
				t.Error(err)
			}
		}})
		if is[*ConflictError](err) != tt.failed || err != nil && !tt.failed {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(tt.want, contents(t, out)); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// Two runs may create the same directory at the same time.
func TestTwoRunsMakeOneDirectory(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	second := staged(t, out, "dist/sub/b", "2", "dist/both", "2")
	first := staged(t, out, "dist/sub/a", "1", "dist/both", "1")
	err := second.Commit(&interfering{t.Context(), 1, func() {
		withoutTurns(t, out)
		if err := first.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"dist/sub/a": "1", "dist/sub/b": "2", "dist/both": "2"}, contents(t, out)); diff != "" {
		t.Error(diff)
	}
}

// withoutTurns lets a second run commit at the same time, as on a file system without
// locks.
func withoutTurns(t *testing.T, out string) {
	t.Helper()
	locks, err := filepath.Glob(filepath.Join(out, names.StagePrefix+"commit*"))
	if err != nil || len(locks) != 1 || os.Remove(locks[0]) != nil {
		t.Errorf("%q, %v", locks, err)
	}
}

// Two runs into the same directory commit one after the other: in the end, all files come
// from one archive. The second run starts in the middle of the first.
func TestCommitsTakeTurns(t *testing.T) {
	t.Parallel()
	out, done := t.TempDir(), make(chan error, 1)
	first := staged(t, out, "a", "1", "b", "1", "d/c", "1")
	second := staged(t, out, "a", "2", "b", "2", "d/c", "2")
	err := first.Commit(&interfering{t.Context(), 2, func() {
		go func() { done <- second.Commit(t.Context()) }()
		select {
		case err := <-done:
			done <- err
			t.Error("the second commit didn't wait")
		case <-time.After(100 * time.Millisecond):
		}
	}})
	if err := errors.Join(err, <-done); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "2", "b": "2", "d/c": "2"}, contents(t, out)); diff != "" {
		t.Error(diff)
	}
}

// A commit that waits for another one ends when its context does; until then, it keeps
// waiting. In both cases, the directory is unchanged. A lock left by a killed run doesn't
// block other runs.
func TestCommitWaits(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	stop := errors.New("stop")
	first, second := staged(t, out, "a", "1"), staged(t, out, "a", "2")
	err := first.Commit(&interfering{t.Context(), 1, func() {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(stop) })
		if err := second.Commit(ctx); !errors.Is(err, stop) {
			t.Error(err)
		}
	}})
	if err := errors.Join(err, second.Discard()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, contents(t, out)); diff != "" {
		t.Error(diff)
	}
	lock := filepath.Join(out, names.StagePrefix+"commitlockcommit")
	for _, again := range []func() error{
		func() error { return Sweep(out, StageOptions{}) },
		func() error { return staged(t, out, "a", "3").Commit(t.Context()) },
	} {
		if err := os.WriteFile(lock, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := again(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(lock); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the lock is still there: %v", err)
		}
	}
}

func TestUmask(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	s := stagedWith(t, out, StageOptions{Umask: 0o077}, "d/f", "x")
	if err := s.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "d", "d/f"} {
		if info, err := os.Stat(filepath.Join(out, path)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: %v, %v", path, info.Mode(), err)
		}
	}
}

// An archive that doesn't fit on the disk is refused before anything is written, even if
// only two archives together don't fit.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	s := staged(t, t.TempDir(), "a", "x")
	defer func() { _ = s.Discard() }()
	if s.reserved != 1 {
		t.Errorf("%d bytes are reserved", s.reserved)
	}
	s.free = 10
	if err := s.reserveSpace(9); err != nil {
		t.Error(err)
	}
	if err := s.reserveSpace(1); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}
