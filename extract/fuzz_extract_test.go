package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
	"gitlab.com/artifetch/artifetch/extract/internal/ziptest"
)

// fuzzOptions limit the cost of one input.
func fuzzOptions() Options {
	limits := Limits{MaxBytes: 1 << 20, MaxFiles: 1000}
	return Options{Limits: limits, BareName: "bare.txt", budget: &budget{limits: limits.withDefaults(), free: 1 << 20}}
}

// sandbox is a directory to extract into, with something beside it and inside it.
type sandbox struct {
	parent, out string
}

const mine = "mine"

func newSandbox(t *testing.T) sandbox {
	t.Helper()
	b := sandbox{parent: t.TempDir()}
	b.out = filepath.Join(b.parent, "out")
	for _, dir := range []string{b.out, b.parent + "/out2", b.parent + "/beside"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, mine), []byte(mine), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// extract extracts by add, and checks what must be true for every archive: an error has a
// type that says what is wrong with the archive, everything beside the directory is
// unchanged, no stage is left, and after an error nothing at all.
func (b sandbox) extract(t *testing.T, add func(s *Stage) error) error {
	t.Helper()
	stage, err := NewStage(b.out, StageOptions{OnConflict: FailIfExists})
	if err != nil {
		t.Fatal(err)
	}
	if err = add(stage); err == nil {
		err = stage.Commit(t.Context())
	}
	if discardErr := stage.Discard(); discardErr != nil {
		t.Fatal(discardErr)
	}
	if err != nil && !isTyped(err) {
		t.Errorf("an error of another type: %T: %v", err, err)
	}
	b.check(t, err != nil)
	return err
}

// isTyped reports whether an error blames the archive.
func isTyped(err error) bool {
	return is[*CorruptError](err) || is[*UnsafeError](err) || is[*LimitError](err) || is[*NotArchiveError](err) ||
		is[*UnsupportedError](err) || is[*ConflictError](err)
}

func (b sandbox) check(t *testing.T, failed bool) {
	t.Helper()
	beside := 0
	err := filepath.WalkDir(b.parent, func(p string, d fs.DirEntry, err error) error {
		inside := strings.HasPrefix(p, b.out+string(filepath.Separator))
		switch {
		case err != nil || p == b.parent || p == b.out:
		case strings.Contains(p, names.StagePrefix):
			t.Errorf("left: %s", p)
		case d.Name() == mine && !d.IsDir() && (!inside || failed):
			beside++
			if content, err := os.ReadFile(p); err != nil || string(content) != mine {
				t.Errorf("%s was changed: %q, %v", p, content, err)
			}
		case inside && failed, !inside && p != b.parent+"/out2" && p != b.parent+"/beside":
			t.Errorf("left: %s", p)
		}
		return err
	})
	if want := 3; err != nil || failed && beside != want {
		t.Errorf("%d files were there before, %v; want %d", beside, err, want)
	}
}

// tree returns the sandbox's content: files with their content, links with an arrow before
// their target, directories with a slash at the end.
func (b sandbox) tree(t *testing.T) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(b.out, func(p string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(b.out, p)
		if err = errors.Join(err, relErr); err != nil || name == "." {
			return err
		}
		switch {
		case d.IsDir():
			tree[name+"/"] = ""
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			tree[name], err = os.Readlink(p)
			tree[name] = "-> " + tree[name]
			return err
		}
		if err := os.Chmod(p, 0o600); err != nil {
			return err
		}
		content, err := os.ReadFile(p)
		tree[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(tree, mine)
	return tree
}

// allocated returns how many bytes do allocates, whether they are freed or not.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzExtract: whatever the input, nothing outside the output directory changes, an error
// leaves nothing behind, memory is limited, and the files extracted from a zip are those
// that archive/zip finds.
func FuzzExtract(f *testing.F) {
	ziptest.AddSeeds(f, "../testdata/samples")
	zip64, err := os.ReadFile("testdata/zip64.zip") // two end records that agree
	if err != nil {
		f.Fatal(err)
	}
	f.Add(zip64)
	streamSeeds(f)
	f.Fuzz(func(t *testing.T, archive []byte) {
		b := newSandbox(t)
		var err error
		took := allocated(func() {
			err = b.extract(t, func(s *Stage) error {
				_, err := s.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), fuzzOptions())
				return err
			})
		})
		if limit := uint64(4*maxWindow + 20*len(archive)); took > limit {
			t.Errorf("%d bytes were allocated for an archive of %d", took, len(archive))
		}
		if err == nil {
			sameAsZip(t, archive, b.tree(t))
		}
	})
}

// sameAsZip compares the extracted files with those of archive/zip, if that accepts the
// archive, too.
func sameAsZip(t *testing.T, archive []byte, got map[string]string) {
	t.Helper()
	if isZip, err := zipfile.HasEnd(bytes.NewReader(archive), int64(len(archive))); err != nil || !isZip {
		return
	}
	oracle, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return // FuzzDirectory is about that
	}
	entries, err := zipfile.ReadDirectory(bytes.NewReader(archive), int64(len(archive)), newBudget(Limits{}))
	if err != nil || len(entries) != len(oracle.File) {
		t.Fatalf("%d entries, %v; archive/zip has %d", len(entries), err, len(oracle.File))
	}
	for i, f := range oracle.File {
		path, err := names.Rules{}.Clean(entries[i].Name, false)
		if err != nil {
			t.Fatalf("%q was taken", entries[i].Name)
		}
		if f.Mode().IsDir() || path == "" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			continue // a method that it does not know, or a header that it does not like
		}
		content, err := io.ReadAll(io.LimitReader(r, 2<<20))
		if err != nil {
			continue
		}
		want := string(content)
		if f.Mode()&fs.ModeSymlink != 0 {
			want = "-> " + want
		}
		if got[path] != want {
			t.Errorf("%q has %.50q, archive/zip reads %.50q", path, got[path], want)
		}
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
