package atomicfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/atomicfile"
	"gitlab.com/artifetch/artifetch/internal/filelock"
)

func text(content string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}
}

func put(t *testing.T, path, content string, perm fs.FileMode) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), perm), os.Chmod(path, perm))
	if err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, want %q, %v", path, got, want, err)
	}
}

// names are those of everything in a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := atomicfile.Write(t.Context(), file, text("first")); err != nil {
		t.Error(err)
	}
	holds(t, file, "first")
	before, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = before.Close() }()
	if err := atomicfile.Write(t.Context(), file, text("second")); err != nil {
		t.Error(err)
	}
	holds(t, file, "second")
	if was, err := io.ReadAll(before); err != nil || string(was) != "first" {
		t.Errorf("the old file, still open, has %q, %v", was, err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("the directory has %q", got)
	}
}

// If anything fails, the old file stays and nothing else is left. The error has the
// name that the caller gave.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	dir, failed := t.TempDir(), errors.New("failed")
	file := filepath.Join(dir, "file")
	put(t, file, "old", 0o600)
	err := atomicfile.Write(t.Context(), file, func(w io.Writer) error {
		return errors.Join(text("half")(w), failed)
	})
	if !errors.Is(err, failed) {
		t.Error(err)
	}
	if err := atomicfile.Write(t.Context(), filepath.Join(dir, "new"), func(io.Writer) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	holds(t, file, "old")
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("the directory has %q", got)
	}
	below := filepath.Join(file, "new", "file")
	for _, err := range []error{atomicfile.Check(below), atomicfile.Write(t.Context(), below, text("x"))} {
		if about, ok := errors.AsType[*fs.PathError](err); !ok || !strings.HasPrefix(about.Path, file) {
			t.Errorf("below a file: %v", err)
		}
	}
}

// Missing directories are created, but not by Check, and not if the content fails. A
// directory that appears meanwhile is used.
func TestMissingDirectories(t *testing.T) {
	t.Parallel()
	dir, failed := t.TempDir(), errors.New("failed")
	file := filepath.Join(dir, "a", "b", "file")
	if err := atomicfile.Check(file); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := atomicfile.Write(t.Context(), file, func(io.Writer) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("left behind: %q", got)
	}
	if err := atomicfile.Write(t.Context(), file, func(w io.Writer) error { return errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o700), text("x")(w)) }); err != nil {
		t.Error(err)
	}
	holds(t, file, "x")
	if got := names(t, dir); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the directory has %q", got)
	}
}

// A directory is refused before content is called, and so is the name of one that doesn't
// exist.
func TestDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "sub/mine"), "mine", 0o600)
	if err := errors.Join(os.Symlink("sub", filepath.Join(dir, "link")), os.Symlink("none/", filepath.Join(dir, "nowhere"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "sub", "link", "sub/", "none/", "none/below/", "nowhere"} {
		called := false
		err := atomicfile.Write(t.Context(), dir+"/"+name, func(io.Writer) error { called = true; return nil })
		if err == nil || called || atomicfile.Check(dir+"/"+name) == nil {
			t.Errorf("%q: %v, and content was asked for: %v", name, err, called)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"link", "nowhere", "sub"}) {
		t.Errorf("the directory has %q", got)
	}
	holds(t, filepath.Join(dir, "sub/mine"), "mine")
	if err := atomicfile.Check(filepath.Join(dir, "sub/mine")); err != nil {
		t.Error(err)
	}
}

// A link stays, and its target is replaced, atomically as well.
func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "real/deep/file"), "old", 0o640)
	for name, target := range map[string]string{
		"to-file": "real/deep/file", "to-link": "to-file", "absolute": filepath.Join(dir, "to-file"),
		"dir": "real/deep", "by-dir": "dir/../deep/file", "dangling": "real/new", "self": "self",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"to-file", "to-link", "absolute", "by-dir"} {
		if err := atomicfile.Write(t.Context(), filepath.Join(dir, name), text(name)); err != nil {
			t.Error(err)
		}
		holds(t, filepath.Join(dir, "real/deep/file"), name)
	}
	if err := atomicfile.Write(t.Context(), filepath.Join(dir, "dangling"), text("made")); err != nil {
		t.Error(err)
	}
	holds(t, filepath.Join(dir, "real/new"), "made")
	if err := atomicfile.Write(t.Context(), filepath.Join(dir, "self"), text("x")); err == nil {
		t.Error("a link to itself was written")
	}
	for _, name := range []string{"to-file", "to-link", "absolute", "by-dir", "dangling", "self"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is not a link any more: %v", name, err)
		}
	}
	// A shell's ">" creates no directories for the target of a link.
	if err := os.Symlink("none/deep/new", filepath.Join(dir, "far")); err != nil {
		t.Fatal(err)
	}
	_, targetErr := atomicfile.Target(filepath.Join(dir, "far"))
	for _, err := range []error{atomicfile.Check(filepath.Join(dir, "far")), atomicfile.Write(t.Context(), filepath.Join(dir, "far"), text("x")), targetErr} {
		if about, ok := errors.AsType[*fs.PathError](err); !ok || about.Path != filepath.Join(dir, "far") || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a link to a directory that doesn't exist: %v", err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "none")); err == nil {
		t.Error("the directory was created")
	}
	if got := names(t, filepath.Join(dir, "real")); !slices.Equal(got, []string{"deep", "new"}) {
		t.Errorf("beside the files there are %q", got)
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := atomicfile.New(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(text("content")(p), p.Commit(filepath.Join(dir, "file"))); err != nil {
		t.Error(err)
	}
	p.Discard() // does nothing
	holds(t, filepath.Join(dir, "file"), "content")
	if p, err = atomicfile.New(dir, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(filepath.Join(dir, "none", "file")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	p.Discard()
	if got := names(t, dir); !slices.Equal(got, []string{"file"}) {
		t.Errorf("the directory has %q", got)
	}
}

// Sweep removes temporary files that aren't in use, whatever their age, and nothing with a
// similar name.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir, old := t.TempDir(), time.Now().Add(-48*time.Hour)
	for _, name := range []string{".artifetch-1", ".artifetch-18446744073709551615", ".artifetch-1.txt", ".artifetch-cache", "artifetch-1", ".artifetch-2/file"} {
		put(t, filepath.Join(dir, name), "x", 0o600)
	}
	for _, name := range names(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if filelock.CanHold {
		put(t, filepath.Join(dir, ".artifetch-3"), "of a run that was just killed", 0o600)
	}
	used, err := atomicfile.New(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer used.Discard()
	if err := errors.Join(os.Chtimes(used.Name(), old, old), text("in use")(used)); err != nil {
		t.Error(err)
	}
	atomicfile.Sweep(dir)
	mine := filepath.Base(used.Name())
	if err := atomicfile.Write(t.Context(), filepath.Join(dir, "file"), text("x")); err != nil {
		t.Error(err)
	}
	want := []string{".artifetch-1.txt", ".artifetch-2", mine, ".artifetch-cache", "artifetch-1", "file"}
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left: %q, want %q", got, want)
	}
	atomicfile.Sweep(filepath.Join(dir, "none")) // ignores that it does not exist
}

// A pending file is in use from its creation until it has its name, also after it was
// closed, and whatever other runs do in the meantime.
func TestSweepSparesTheLiving(t *testing.T) {
	t.Parallel()
	if !filelock.CanHold {
		return // age decides
	}
	dir := t.TempDir()
	p, err := atomicfile.New(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Discard()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	atomicfile.Sweep(dir)
	if got := names(t, dir); len(got) != 1 {
		t.Fatalf("a closed file that has no name yet is gone: %q", got)
	}
	p.Discard()
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for n := range 50 {
				file := filepath.Join(dir, strconv.Itoa(i)+"-"+strconv.Itoa(n))
				if err := atomicfile.Write(t.Context(), file, text("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if got := names(t, dir); len(got) != 8*50 {
		t.Errorf("there are %d files", len(got))
	}
}
