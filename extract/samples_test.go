package extract_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gitlab.com/artifetch/artifetch/extract"
)

// unpack extracts an archive in memory into dir and commits.
func unpack(t *testing.T, archive []byte, dir string, o extract.Options) (extract.Stats, error) {
	t.Helper()
	return unpackFrom(t, extract.FromReaderAt(bytes.NewReader(archive), int64(len(archive))), dir, o)
}

func unpackFrom(t *testing.T, src extract.Source, dir string, o extract.Options) (extract.Stats, error) {
	t.Helper()
	stage, err := extract.NewStage(dir, extract.StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stage.Discard(); err != nil {
			t.Error(err)
		}
	}()
	stats, err := stage.Add(t.Context(), src, o)
	if err != nil {
		return stats, err
	}
	return stats, stage.Commit(t.Context())
}

// asType reports whether err is of the type that want, a pointer to an error, points to.
// It doesn't change the value, because parallel tests share it.
func asType(err error, want any) bool {
	return errors.As(err, reflect.New(reflect.TypeOf(want).Elem()).Interface())
}

// tree lists everything below dir, in the columns of workspace.tsv.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		lines = append(lines, line(t, dir, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func line(t *testing.T, dir, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		t.Fatal(err)
	}
	kind, size, content := "file", info.Size(), "-"
	switch {
	case info.IsDir():
		kind, size = "dir", 0
	case info.Mode()&fs.ModeSymlink != 0:
		kind, size = "symlink", 0
		if content, err = os.Readlink(path); err != nil {
			t.Fatal(err)
		}
	default:
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		content = hex.EncodeToString(sum[:])
	}
	return fmt.Sprintf("%s\t%s\t%o\t%d\t%s", filepath.ToSlash(name), kind, info.Mode().Perm(), size, content)
}

// Archives by a real runner are extracted exactly as the workspace was: type, mode, size,
// content, link target and time.
func TestRunnerSamples(t *testing.T) {
	t.Parallel()
	want := workspace(t)
	for _, name := range []string{"runner-fastzip-default", "runner-fastzip-store", "runner-fastzip-metadata", "runner-legacy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "out")
			archive, err := os.ReadFile("../testdata/samples/" + name + ".zip")
			if err != nil {
				t.Fatal(err)
			}
			stats, err := unpack(t, archive, dir, extract.Options{})
			if err != nil {
				t.Fatal(err)
			}
			// The provenance statement isn't one of the files.
			got := slices.DeleteFunc(tree(t, dir), func(l string) bool { return strings.HasPrefix(l, "artifacts-metadata.json\t") })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			info, err := os.Stat(filepath.Join(dir, "report.xml"))
			if err != nil || !info.ModTime().Equal(time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)) {
				t.Errorf("time of report.xml = %v, %v", info.ModTime(), err)
			}
			if stats.Links != 3 {
				t.Errorf("stats = %+v, want 3 links", stats)
			}
		})
	}
}

func workspace(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("../testdata/samples/workspace.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	slices.Sort(lines)
	return lines
}

// Method 93 is what the runner's zipzstd format writes.
func TestZstdSample(t *testing.T) {
	t.Parallel()
	archive, err := os.ReadFile("../testdata/samples/fastzip-zstd.zip")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stats, err := unpack(t, archive, dir, extract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Files == 0 || stats.Bytes == 0 {
		t.Errorf("stats = %+v", stats)
	}
}
