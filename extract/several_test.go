package extract_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
)

// stageOf adds archives to one stage, up to the first that fails.
func stageOf(t *testing.T, out string, archives ...[]byte) (*extract.Stage, error) {
	t.Helper()
	stage, err := extract.NewStage(out, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stage.Discard(); err != nil {
			t.Error(err)
		}
	})
	for _, archive := range archives {
		if _, err := stage.Add(t.Context(), source(archive), extract.Options{}); err != nil {
			return stage, err
		}
	}
	return stage, nil
}

// If two archives of one stage conflict at a path, the error names the whole path, and
// neither is written through a link of the other.
func TestArchivesMeet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		first, second item
	}{
		{"file and file", file("d/x", "1"), file("d/x", "2")},
		{"link and link", link("d/x", "y"), link("d/x", "z")},
		{"link and file", link("d/x", "y"), file("d/x", "2")},
		{"file and link", file("d/x", "1"), link("d/x", "y")},
		{"file and what is below it", file("d/x", "1"), file("d/x/y", "2")},
		{"directory and file", file("d/x/y", "1"), file("d/x", "2")},
		{"directory and link", file("d/x/y", "1"), link("d/x", "y")},
		{"link and what is below it", link("d/x", "."), file("d/x/y", "2")},
		{"link and a directory", link("d/x", "."), dir("d/x/")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			stage, err := stageOf(t, out, pack(t, file("other", "1"), tt.first), pack(t, tt.second))
			if err == nil { // some conflicts only show once everything is there
				err = stage.Commit(t.Context())
			}
			conflict, ok := errors.AsType[*extract.ConflictError](err)
			if !ok || conflict.Path != "d/x" {
				t.Fatalf("error = %v (%T), want a conflict at d/x", err, err)
			}
			if err := stage.Commit(t.Context()); err == nil {
				t.Error("half of two archives was committed")
			}
			if err := stage.Discard(); err != nil || len(names(t, out)) > 0 {
				t.Errorf("left: %v, %v", names(t, out), err)
			}
		})
	}
}

// Archives of one stage may contain the same file or link, and can be added in parallel.
func TestArchivesShare(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	stage, err := extract.NewStage(out, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		archive := pack(t, file("own/"+itoa(i), itoa(i)), file("d/same", strings.Repeat("x", 300_000)), link("d/link", "same"))
		group.Go(func() {
			if _, err := stage.Add(t.Context(), source(archive), extract.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := stage.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"d", "d/link", "d/same", "own"}
	for i := range 8 {
		want = append(want, "own/"+itoa(i))
	}
	if got := names(t, out); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Files staged from an archive that turned out to be damaged can't be committed, even if
// the caller ignores the error.
func TestNothingAfterAFailure(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	bad := bytes.Replace(pack(t, file("f", "right")), []byte("right"), []byte("wrong"), 1)
	stage, err := stageOf(t, out, bad)
	if !asType(err, new(*extract.CorruptError)) {
		t.Fatalf("error = %v, want damage", err)
	}
	// Archives are added at the same time. The error of one must not depend on whether
	// another failed before.
	if _, err := stage.Add(t.Context(), source(pack(t, file("g", "x"))), extract.Options{Selection: extract.Selection{Include: []string{"h"}}}); !is[*extract.NoMatchError](err) {
		t.Errorf("another archive: %v", err)
	}
	if _, err := stage.Add(t.Context(), source(pack(t, file("g", "x"))), extract.Options{}); err != nil {
		t.Errorf("another archive: %v", err)
	}
	if err := stage.Commit(t.Context()); err == nil {
		t.Error("it was committed")
	}
	if err := stage.Discard(); err != nil || len(names(t, out)) > 0 {
		t.Errorf("left: %v, %v", names(t, out), err)
	}
	if err := stage.Commit(t.Context()); err == nil {
		t.Error("it was committed after it was discarded")
	}
}

// A stage can't be committed twice, even if the first commit failed.
func TestCommitOnce(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, commit := range map[string]func(out string, stage *extract.Stage) error{
		"a conflict": func(out string, stage *extract.Stage) error {
			write(t, filepath.Join(out, "d/f/mine"), "mine")
			return stage.Commit(t.Context())
		},
		"interrupted": func(_ string, stage *extract.Stage) error { return stage.Commit(ended) },
		"done":        func(_ string, stage *extract.Stage) error { return errors.Join(stage.Commit(t.Context()), errDone) },
	} {
		out := t.TempDir()
		stage, err := stageOf(t, out, pack(t, file("d/f", "x"), dir("d/"), link("l", "d")))
		if err != nil {
			t.Fatal(err)
		}
		if err := commit(out, stage); err == nil {
			t.Errorf("%s: there is no error", name)
		}
		before := tree(t, out)
		if err := stage.Commit(t.Context()); err == nil {
			t.Errorf("%s: it was committed again", name)
		}
		if _, err := stage.Add(t.Context(), source(pack(t, file("g", "x"))), extract.Options{}); err == nil {
			t.Errorf("%s: another archive was added", name)
		}
		if diff := cmp.Diff(before, tree(t, out)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

var errDone = errors.New("done")

// Runs that share an output directory don't harm each other, although each looks for the
// stages of dead runs.
func TestManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	var runs sync.WaitGroup
	for g := range 12 {
		archives := make([][]byte, 40)
		for i := range archives {
			archives[i] = pack(t, file(itoa(g)+"/"+itoa(i), "x"))
		}
		runs.Go(func() {
			for _, archive := range archives {
				if _, err := unpackQuietly(t, archive, out); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runs.Wait()
	all := names(t, out)
	if len(all) != 12*41 || strings.Contains(strings.Join(all, " "), "artifetch-") {
		t.Errorf("%d names, want %d and no stage", len(all), 12*41)
	}
}

// unpackQuietly is unpack for goroutines, which must not end the test.
func unpackQuietly(t *testing.T, archive []byte, out string) (extract.Stats, error) {
	t.Helper()
	stage, err := extract.NewStage(out, extract.StageOptions{})
	if err != nil {
		return extract.Stats{}, err
	}
	stats, err := stage.Add(t.Context(), source(archive), extract.Options{Pace: extract.Pace{Workers: 1}})
	if err == nil {
		err = stage.Commit(t.Context())
	}
	return stats, errors.Join(err, stage.Discard())
}

// More directories than the stage keeps open, each in turn.
func TestManyDirectories(t *testing.T) {
	t.Parallel()
	var items []item
	for round := range 3 {
		for d := range 500 {
			items = append(items, file("d"+itoa(d)+"/sub/f"+itoa(round), itoa(d)))
		}
	}
	out := t.TempDir()
	stage, err := stageOf(t, out, pack(t, items...))
	if err == nil {
		err = stage.Commit(t.Context())
	}
	if got := len(names(t, out)); err != nil || got != 500*5 {
		t.Errorf("%d names, want %d, %v", got, 500*5, err)
	}
}

// What another archive has brought already is counted, in whichever format it comes.
func TestFilesThatComeAgain(t *testing.T) {
	t.Parallel()
	stage, err := stageOf(t, t.TempDir(), pack(t, file("a", "12"), file("d/b", "345")))
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range [][]byte{pack(t, file("a", "12"), file("c", "6"), dir("d/")), tarOf(t, tarItem{name: "d/b", content: "345"})} {
		stats, err := stage.Add(t.Context(), source(archive), extract.Options{})
		if err != nil || stats.Again != 1 || stats.AgainBytes != map[int]int64{1: 3, 2: 2}[stats.Files] {
			t.Errorf("%+v, %v", stats, err)
		}
	}
	if err := stage.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

// A file that the caller writes itself after the commit must not meet one of the
// archive's, however its path is written. If it does, nothing is changed.
func TestReservedFile(t *testing.T) {
	t.Parallel()
	archive := pack(t, file("b.env", "x"), file("d/a", "x"), link("l", "d"), file("in.zip", string(pack(t, file("inner.env", "x")))))
	for path, refused := range map[string]bool{
		"b.env": true, "./b.env": true, "d": true, "d/a": true, "d/a/x.env": true, "../real/b.env": true, "l": true, "inner.env": true,
		"other.env": false, "d/b.env": false, "B.txt": false, "../b.env": false, "new/b.env": false, "": false,
	} {
		for _, linked := range []bool{false, true} {
			out := filepath.Join(t.TempDir(), "real")
			if err := os.Mkdir(out, 0o755); err != nil {
				t.Fatal(err)
			}
			to := out
			if linked {
				to = filepath.Join(filepath.Dir(out), "link")
				if err := os.Symlink("real", to); err != nil {
					t.Fatal(err)
				}
			}
			reserved := path
			if path != "" {
				reserved = out + "/" + path
			}
			stage, err := extract.NewStage(to, extract.StageOptions{Reserved: reserved})
			if err == nil {
				_, err = stage.Add(t.Context(), source(archive), extract.Options{Unpack: 1})
			}
			if err != nil {
				t.Fatal(err)
			}
			err = stage.Commit(t.Context())
			conflict, ok := errors.AsType[*extract.ConflictError](err)
			if refused && (!ok || !conflict.Reserved) || !refused && err != nil {
				t.Errorf("%q, linked %v: %v", path, linked, err)
			}
			if err := stage.Discard(); err != nil {
				t.Error(err)
			}
			if left := names(t, out); refused != (len(left) == 0) {
				t.Errorf("%q: left %q", path, left)
			}
		}
	}
}
