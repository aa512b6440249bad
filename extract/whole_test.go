package extract_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract"
)

// whole writes complete files to a directory: pairs of path and content.
func whole(t *testing.T, out string, o extract.StageOptions, pairs ...string) error {
	t.Helper()
	stage, err := extract.NewStage(out, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stage.Discard() }() // nothing is left to discard
	for i := 0; i < len(pairs); i += 2 {
		f, err := stage.NewFile()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(pairs[i+1]); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := stage.AddWhole(t.Context(), f.Name(), int64(len(pairs[i+1])), pairs[i]); err != nil {
			return err
		}
	}
	return stage.Commit(t.Context())
}

// Files written as a whole treat existing files as extracted ones do.
func TestAddWhole(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	write(t, filepath.Join(out, "a.zip"), "old")
	if err := whole(t, out, extract.StageOptions{Umask: 0o077}, "a.zip", "new", "sub/b.zip", "two"); err != nil {
		t.Fatal(err)
	}
	if read(t, filepath.Join(out, "a.zip")) != "new" || read(t, filepath.Join(out, "sub/b.zip")) != "two" {
		t.Error("other content")
	}
	if info, err := os.Stat(filepath.Join(out, "a.zip")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for name, o := range map[string]extract.StageOptions{"a.zip": {OnConflict: extract.FailIfExists}, "sub": {}, ".git/hooks/x": {}, "sub/../../x": {}} {
		err := whole(t, out, o, "c.zip", "three", name, "four")
		if _, ok := errors.AsType[*extract.ConflictError](err); !ok {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if got := strings.Join(names(t, out), " "); got != "a.zip sub sub/b.zip" {
		t.Errorf("left: %s", got)
	}
}

// The end of a zip is checked, and whether it is an archive at all.
func TestCheckEnd(t *testing.T) {
	t.Parallel()
	good := pack(t, file("a", "x"))
	if err := extract.CheckEnd(t.Context(), source(good)); err != nil {
		t.Error(err)
	}
	if _, ok := errors.AsType[*extract.CorruptError](extract.CheckEnd(t.Context(), source(good[:len(good)-3]))); !ok {
		t.Error("a zip without its end isn't damaged")
	}
	if _, ok := errors.AsType[*extract.NotArchiveError](extract.CheckEnd(t.Context(), source([]byte("<html>sign in")))); !ok {
		t.Error("a page isn't recognized")
	}
}
