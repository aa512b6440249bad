package extract_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"gitlab.com/artifetch/artifetch/extract"
)

func TestMain(m *testing.M) {
	if os.Getenv(extract.KilledAt) != "" {
		extract.CommitUntilKilled()
		return
	}
	goleak.VerifyTestMain(m)
}

func itoa(n int) string { return strconv.Itoa(n) }

func source(archive []byte) extract.Source {
	return extract.FromReaderAt(bytes.NewReader(archive), int64(len(archive)))
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCommitIntoWhatIsThere(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, "precious")
	write(t, filepath.Join(out, "keep/mine"), "mine")
	write(t, filepath.Join(out, "keep/both"), "old")
	if err := os.Symlink(outside, filepath.Join(out, "keep/linked")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(outside, filepath.Join(out, "hard")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(out, "keep"), 0o750); err != nil {
		t.Fatal(err)
	}
	archive := pack(t, dir("keep/"), file("keep/both", "new"), file("keep/linked", "file now"), file("hard", "new"), file("fresh/a", "x"))
	if _, err := unpack(t, archive, out, extract.Options{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"keep/mine": "mine", "keep/both": "new", "keep/linked": "file now", "hard": "new", "fresh/a": "x"} {
		if got := read(t, filepath.Join(out, path)); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	// Nothing is written through a link, symbolic or hard.
	if got := read(t, outside); got != "precious" {
		t.Errorf("outside = %q", got)
	}
	if info, err := os.Stat(filepath.Join(out, "keep")); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode of a directory that was there = %v, %v", info.Mode(), err)
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		there func(t *testing.T, out string)
		items []item
	}{
		{"file where a directory goes", func(t *testing.T, out string) { write(t, filepath.Join(out, "a"), "x") }, []item{file("a/b", "y")}},
		{"directory where a file goes", func(t *testing.T, out string) { write(t, filepath.Join(out, "a/b"), "x") }, []item{file("a", "y")}},
		{"link where a directory goes", func(t *testing.T, out string) {
			if err := os.Symlink(t.TempDir(), filepath.Join(out, "a")); err != nil {
				t.Fatal(err)
			}
		}, []item{file("a/b", "y")}},
		{"link inside, deeper", func(t *testing.T, out string) {
			write(t, filepath.Join(out, "d/real/f"), "x")
			if err := os.Symlink("real", filepath.Join(out, "d/alias")); err != nil {
				t.Fatal(err)
			}
		}, []item{file("d/alias/f", "y")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			tt.there(t, out)
			before := tree(t, out)
			_, err := unpack(t, pack(t, append([]item{file("0first", "x")}, tt.items...)...), out, extract.Options{})
			if _, ok := errors.AsType[*extract.ConflictError](err); !ok {
				t.Errorf("error = %v, want a ConflictError", err)
			}
			if diff := cmp.Diff(before, tree(t, out)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// If a context ends in the middle of Commit, Commit undoes what it has moved.
func TestRollback(t *testing.T) {
	t.Parallel()
	var items []item
	out := t.TempDir()
	for i := range 20 {
		items = append(items, file("d/"+itoa(i), "new"), file("n"+itoa(i)+"/x", "new"))
		if i%2 == 0 {
			write(t, filepath.Join(out, "d", itoa(i)), "old")
		}
	}
	before := tree(t, out)
	archive := pack(t, items...)
	for steps := range 40 {
		stage, err := extract.NewStage(out, extract.StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stage.Add(t.Context(), source(archive), extract.Options{}); err != nil {
			t.Fatal(err)
		}
		ctx := &endsAfter{Context: t.Context(), steps: steps}
		if err := stage.Commit(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d steps: error = %v", steps, err)
		}
		if err := stage.Discard(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(before, tree(t, out)); diff != "" {
			t.Fatalf("after %d steps:\n%s", steps, diff)
		}
	}
}

// endsAfter is a context that ends after it has been checked that many times.
type endsAfter struct {
	context.Context
	steps int
}

// Err implements [context.Context].
func (e *endsAfter) Err() error {
	if e.steps--; e.steps < 0 {
		return context.Canceled
	}
	return nil
}

// Value hides the standard library's context below.
func (e *endsAfter) Value(any) any { return nil }

// Done returns nil: Err alone says when it ends, not the end of the test.
func (e *endsAfter) Done() <-chan struct{} { return nil }

// Two archives in one stage are committed together, and must not conflict.
func TestSeveralArchives(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	stage, err := extract.NewStage(out, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := stage.Add(t.Context(), source(pack(t, file("same", name), dir("d/"), link("l", "same"))), extract.Options{Selection: extract.Selection{Prefix: name}}); err != nil {
			t.Fatal(err)
		}
	}
	if left := names(t, out); len(left) == 0 || !strings.HasPrefix(left[0], ".artifetch-") {
		t.Errorf("before the commit there is only the stage: %v", left)
	}
	if err := stage.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(t, out), " "); got != "a a/d a/l a/same b b/d b/l b/same" {
		t.Errorf("names = %s", got)
	}
}

// A run removes a stage whose owner is dead, but not that of a running one.
func TestStaleStages(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	write(t, filepath.Join(out, ".artifetch-deaddeaddeaddead/lock"), "")
	write(t, filepath.Join(out, ".artifetch-deaddeaddeaddead/new/half"), "x")
	write(t, filepath.Join(out, ".artifetch-startingstarting/new"), "x") // no lock yet
	write(t, filepath.Join(out, ".artifetch-abandonedabandon/new"), "x")
	write(t, filepath.Join(out, ".artifetch-cache/objects/mine"), "x") // the user's own
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{".artifetch-abandonedabandon", ".artifetch-cache"} {
		if err := os.Chtimes(filepath.Join(out, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	live, err := extract.NewStage(out, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(t, pack(t, file("a", "x")), out, extract.Options{}); err != nil {
		t.Fatal(err)
	}
	left := strings.Join(names(t, out), " ")
	if strings.Contains(left, "dead") || strings.Contains(left, "abandoned") || !strings.Contains(left, "starting") || !strings.Contains(left, ".artifetch-cache/objects/mine") {
		t.Errorf("left: %s", left)
	}
	if _, err := live.Add(t.Context(), source(pack(t, file("b", "x"))), extract.Options{}); err != nil {
		t.Errorf("the live stage was harmed: %v", err)
	}
	if err := live.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

// A directory that was created for the output is removed if nothing was extracted into it.
func TestDiscardRemovesWhatWasMade(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	stage, err := extract.NewStage(filepath.Join(parent, "a/b/c"), extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Discard(); err != nil {
		t.Error(err)
	}
	if left := names(t, parent); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := stage.Discard(); err != nil {
		t.Errorf("second Discard: %v", err)
	}
}

// breaking is a source whose ranges end with an error.
type breaking struct {
	extract.Source
	err error
}

// Range implements [extract.Source].
func (b breaking) Range(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r, err := b.Source.Range(ctx, off, n)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.MultiReader(io.LimitReader(r, n/2), errorReader{b.err})), nil
}

type errorReader struct{ err error }

// Read implements [io.Reader].
func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

// If bytes don't arrive, the error says why, and doesn't report damage.
func TestTransferErrorsPassThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for name, archive := range map[string][]byte{
		"deflate": pack(t, item{name: "a", content: strings.Repeat("hello", 9999), method: 8}),
		"store":   pack(t, file("a", strings.Repeat("hello", 9999))),
		"tar.gz":  tarGz(t, tarItem{name: "a", content: strings.Repeat("hello", 9999)}),
	} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := unpackFrom(t, breaking{source(archive), broken}, out, extract.Options{})
		if !errors.Is(err, broken) || asType(err, new(*extract.CorruptError)) {
			t.Errorf("%s: error = %v, want the transfer's", name, err)
		}
		if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something was left behind", name)
		}
	}
}
