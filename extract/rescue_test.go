package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/staging"
)

// Names that package staging gives to files and directories.
const (
	lockName     = "lock"
	originalsDir = "originals"
	rescuePrefix = "artifetch-rescued-"
)

// keeping lists the ways to keep replaced files; see package staging. Each is a hook that
// forbids the others.
func keeping() map[string]staging.Calls {
	linkless := func(op, _ string) error {
		if op == "link" {
			return errors.ErrUnsupported
		}
		return nil
	}
	return map[string]staging.Calls{
		"by hard links": nil,
		"by exchange":   linkless,
		"moved away": func(op, path string) error {
			if op == "exchange" {
				return errors.ErrUnsupported
			}
			return linkless(op, path)
		},
	}
}

// originals are the files before a commit of [replacing].
func originals() map[string]string {
	return map[string]string{"a": "old a", "d/b": "old b", "d/mine": "mine"}
}

func replacing() []string {
	return []string{"a", "new a", "d/b", "new b", "z/added", "new z"}
}

func isOldOrNew(path, content string) bool {
	if i := slices.Index(replacing(), path); i >= 0 && content == replacing()[i+1] {
		return true
	}
	return content == originals()[path]
}

func withOriginals(t *testing.T) (out string) {
	t.Helper()
	out = t.TempDir()
	for path, content := range originals() {
		put(t, filepath.Join(out, path), content)
	}
	return out
}

// commitWith commits [replacing]. It calls c from the start of the commit.
func commitWith(ctx context.Context, out string, c staging.Calls) error {
	var now staging.Calls
	s, err := newStage(out, StageOptions{}, func(op, path string) error { return now.Before(op, path) })
	if err != nil {
		return err
	}
	if err := addFiles(ctx, s, replacing()...); err != nil {
		return err
	}
	now = c
	return errors.Join(s.Commit(ctx), s.Discard())
}

// failing counts calls, and makes some of them fail.
type failing struct {
	next  staging.Calls
	fails func(n int) bool
	seen  int
	first string // what failed
}

func (f *failing) call(op, path string) error {
	if err := f.next.Before(op, path); err != nil {
		return err
	}
	f.seen++
	if !f.fails(f.seen) {
		return nil
	}
	if f.first == "" {
		f.first = op + " " + path
	}
	return errInjected
}

// swept returns what the next run reports.
func swept(t *testing.T, out string) []Rescued {
	t.Helper()
	var told []Rescued
	if err := Sweep(out, StageOptions{OnRescue: func(r Rescued) { told = append(told, r) }}); err != nil {
		t.Error(err)
	}
	return told
}

// A commit loses no file, whichever of its calls fails, alone, with any second one or
// with all later ones. Each file is unchanged, or where the error or the next run says;
// only after more than two failures may it be replaced.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, way := range keeping() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := failing{next: way, fails: func(int) bool { return false }}
			if err := commitWith(t.Context(), withOriginals(t), count.call); err != nil || count.seen < 20 {
				t.Fatal(count.seen, err)
			}
			for n := 1; n <= count.seen; n++ {
				for m := n; m <= count.seen+5; m++ {
					checkFailures(t, way, 2, func(i int) bool { return i == n || i == m })
				}
				checkFailures(t, way, count.seen, func(i int) bool { return i >= n })
			}
		})
	}
}

// checkFailures commits with at most so many failures.
func checkFailures(t *testing.T, way staging.Calls, most int, fails func(int) bool) {
	t.Helper()
	out, f := withOriginals(t), failing{next: way, fails: fails}
	err := commitWith(t.Context(), out, f.call)
	after := contents(t, out)
	kept := map[string]string{} // path → content, as the error has it
	if rescue, ok := errors.AsType[*RescueError](err); ok {
		for _, k := range rescue.Kept {
			kept[k.Path] = after[k.At]
			if !strings.Contains(err.Error(), filepath.Join(out, k.At)) && len(rescue.Kept) <= 3 {
				t.Errorf("%s: the error does not say where %s is: %v", f.first, k.Path, err)
			}
		}
	}
	committed := after["z/added"] == "new z"
	for path, was := range originals() {
		replaced := after[path] != was
		if replaced && !committed && most <= 2 && kept[path] != was && after[path] != "" {
			t.Errorf("%s: %s is %q, and nothing says where it is: %v", f.first, path, after[path], err)
		}
	}
	told := swept(t, out)
	after = contents(t, out)
	for _, k := range told {
		kept[k.Path] = after[k.At]
	}
	for path, was := range originals() {
		if !isOldOrNew(path, after[path]) && kept[path] != was {
			t.Errorf("%s: %s is lost; the error was %v, the next run says %v; there is %v", f.first, path, err, told, slices.Sorted(maps.Keys(after)))
		}
	}
}

// If another process creates a file while a commit is undone, both that file and the
// original are kept, and the error names both.
func TestBothAreKept(t *testing.T) {
	t.Parallel()
	for name, way := range keeping() {
		out, came := withOriginals(t), false
		err := commitWith(t.Context(), out, func(op, path string) error {
			if err := way.Before(op, path); err != nil {
				return err
			}
			if path != "d/b" || op == "lstat" {
				return nil
			}
			if theirs := filepath.Join(out, "theirs"); !came { // a is done by now
				came = true
				put(t, theirs, "theirs")
				if err := os.Rename(theirs, filepath.Join(out, "a")); err != nil {
					t.Error(err)
				}
			}
			return errInjected
		})
		rescue, ok := errors.AsType[*RescueError](err)
		if !ok || !slices.ContainsFunc(rescue.Kept, func(k Rescued) bool { return k.Path == "a" }) {
			t.Fatalf("%s: %v", name, err)
		}
		after := contents(t, out)
		if after["a"] != "theirs" {
			t.Errorf("%s: a is %q", name, after["a"])
		}
		for _, k := range rescue.Kept { // also d/b, where it was moved away
			if after[k.At] != originals()[k.Path] || !strings.Contains(err.Error(), k.At) {
				t.Errorf("%s: %v; there is %v", name, err, after)
			}
		}
		swept(t, out)
		if left := contents(t, out); !maps.Equal(after, left) {
			t.Errorf("%s: the next run has changed %v to %v", name, after, left)
		}
	}
}

// If no directory can be created for files that can't be restored, the stage is
// renamed, so that the next run leaves it alone.
func TestStageIsKept(t *testing.T) {
	t.Parallel()
	for name, way := range keeping() {
		out, failed := withOriginals(t), false
		err := commitWith(t.Context(), out, func(op, path string) error {
			if err := way.Before(op, path); err != nil {
				return err
			}
			if failed = failed || path == "z" && op == "rename"; failed && !strings.HasPrefix(path, rescuePrefix) && op != "lstat" {
				return errInjected
			}
			if failed && op == "mkdir" {
				return errInjected
			}
			return nil
		})
		rescue, ok := errors.AsType[*RescueError](err)
		if !ok || len(rescue.Kept) != 2 {
			t.Fatalf("%s: %v", name, err)
		}
		swept(t, out)
		after := contents(t, out)
		for _, k := range rescue.Kept {
			if after[k.At] != originals()[k.Path] || !strings.HasPrefix(k.At, rescuePrefix) {
				t.Errorf("%s: %s is not in %s; there is %v", name, k.Path, k.At, slices.Sorted(maps.Keys(after)))
			}
		}
	}
}

// If a directory replaces a file in the meantime, it isn't exchanged.
func TestDirectoryIsNotExchanged(t *testing.T) {
	t.Parallel()
	out := withOriginals(t)
	come := sync.OnceFunc(func() {
		if err := os.Remove(filepath.Join(out, "d/b")); err != nil {
			t.Error(err)
		}
		put(t, filepath.Join(out, "d/b/theirs"), "theirs")
	})
	err := commitWith(t.Context(), out, func(op, path string) error {
		if op == "exchange" && path == "d/b" {
			come()
		}
		return keeping()["by exchange"].Before(op, path)
	})
	if !is[*ConflictError](err) {
		t.Errorf("%v", err)
	}
	want := originals()
	delete(want, "d/b")
	want["d/b/theirs"] = "theirs"
	if diff := cmp.Diff(want, contents(t, out)); diff != "" {
		t.Error(diff)
	}
}

// A planted directory that looks like a stage must not make recovery write where an
// archive couldn't, or move other files.
func TestPlantedStage(t *testing.T) {
	t.Parallel()
	const stage = names.StagePrefix + "plantedplantedpp"
	tests := []struct {
		name  string
		files []string // of the stage, with new/ and originals/
		link  string   // below the stage, to the output directory
		back  string   // what may be put back
	}{
		{"a hook", []string{".git/hooks/post-checkout"}, "", ""},
		{"a hook in disguise", []string{".GIT/hooks/post-checkout"}, "", ""},
		{"another stage", []string{names.StagePrefix + "anotheranotherab/originals/x"}, "", ""},
		{"through a link", []string{"link/post-checkout"}, "", ""},
		{"a file", []string{"d/file"}, "", "d/file"},
		{"originals is a link", nil, "originals", ""},
		{"a link in originals", nil, "originals/link", ""},
		{"new is a link", nil, "new", ""},
	}
	for _, tt := range tests {
		out := withOriginals(t)
		put(t, filepath.Join(out, ".git/hooks/mine"), "mine")
		put(t, filepath.Join(out, stage, lockName), "")
		if err := os.Symlink(".git/hooks", filepath.Join(out, "link")); err != nil {
			t.Fatal(err)
		}
		for _, name := range tt.files {
			put(t, filepath.Join(out, stage, originalsDir, name), "planted")
			put(t, filepath.Join(out, stage, "new", name), "planted")
		}
		if tt.link != "" {
			at := filepath.Join(out, stage, tt.link)
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.Symlink(out, at)); err != nil {
				t.Fatal(err)
			}
		}
		want := originals()
		want[".git/hooks/mine"] = "mine"
		for _, k := range swept(t, out) {
			if k.At == k.Path && k.Path != tt.back || k.At != k.Path && !strings.HasPrefix(k.At, rescuePrefix) {
				t.Errorf("%s: %v", tt.name, k)
			}
			want[k.At] = "planted"
		}
		got := contents(t, out)
		if diff := cmp.Diff(want, got); diff != "" || tt.back != "" && got[tt.back] == "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// An archive can't contain a directory that the next run would take for a stage.
func TestStagesAreNotExtracted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{names.StagePrefix + "plantedplantedpp/originals/x", "d/" + names.StagePrefix + "plantedplantedpp", names.StagePrefix + "plantedplantedpp/"} {
		if _, err := (names.Rules{}).Clean(name, true); !is[*UnsafeError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{names.StagePrefix + "cache/objects/x", ".artifetchrc"} {
		if _, err := (names.Rules{}).Clean(name, true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// If a stage can't be removed after the commit, the run succeeds and reports it.
func TestLeftover(t *testing.T) {
	t.Parallel()
	out := withOriginals(t)
	var told []string
	s, err := newStage(out, StageOptions{OnLeftover: func(dir string, err error) { told = append(told, fmt.Sprint(dir, " ", err)) }}, func(op, _ string) error {
		if op == "removeall" {
			return errInjected
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := s.Path()
	if err := addFiles(t.Context(), s, replacing()...); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Commit(t.Context()), s.Discard()); err != nil {
		t.Error(err)
	}
	if want := []string{dir + " injected"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	swept(t, out)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the next run has left it: %v", err)
	}
}
