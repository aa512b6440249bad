package extract

import (
	"errors"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wide has a file in each of many directories, and some deep ones.
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

// A tree keeps no more directories open than it may, except those in use.
func TestTreeKeepsFewDirectories(t *testing.T) {
	t.Parallel()
	out, most := filepath.Join(t.TempDir(), "out"), 0
	var s *Stage
	s, err := newStage(out, StageOptions{}, func(op, _ string) error {
		if op == "open" && s != nil && s.tree != nil { // its lock is held
			most = max(most, len(s.tree.open))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.tree.keep = 3
	if err := addFiles(t.Context(), s, wide()...); err != nil {
		t.Fatal(err)
	}
	// Each worker has one in use; new/ itself is always open.
	if limit := s.tree.keep + (Options{}).withDefaults().Workers + 1; most > limit || most < 2 {
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
		var s *Stage
		s, newErr := newStage(out, StageOptions{}, func(op, _ string) error {
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
		if err := addFiles(t.Context(), s, wide()...); err != nil {
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
	s, err := newStage(t.TempDir(), StageOptions{}, func(op, _ string) error {
		if op == "create" {
			return syscall.EMFILE
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := addFiles(t.Context(), s, "f", "x"); !errors.Is(err, syscall.EMFILE) {
		t.Error(err)
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
}
