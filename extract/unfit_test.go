package extract

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gitlab.com/artifetch/artifetch/extract/internal/archive"
	"gitlab.com/artifetch/artifetch/extract/internal/names"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest/world"
)

// archivesOf creates a zip and a tar of empty files; a name that ends with a slash is a
// directory.
func archivesOf(t *testing.T, names ...string) map[string][]byte {
	t.Helper()
	var z, s bytes.Buffer
	zw, tw := zip.NewWriter(&z), tar.NewWriter(&s)
	for _, name := range names {
		_, zipErr := zw.Create(name)
		h := &tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := errors.Join(zipErr, tw.WriteHeader(h)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(zw.Close(), tw.Close()); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"zip": z.Bytes(), "tar": s.Bytes()}
}

// onSystem extracts into a new directory by a system's rules.
func onSystem(t *testing.T, r names.Rules, archive []byte, o Options) (names []string, err error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	s, err := NewStage(out, StageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { err = errors.Join(err, s.Discard()) }()
	s.rules = r
	if _, err := s.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), o); err != nil {
		return nil, err
	}
	if err := s.Commit(t.Context()); err != nil {
		return nil, err
	}
	for name := range contents(t, out) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Names that the system can't have, or that it doesn't tell apart, don't block other
// files. If they are selected, the error says how to leave them out.
func TestUnfitNames(t *testing.T) {
	t.Parallel()
	windows, mac := names.Rules{Backslash: true, UTF8: true, Fold: true}, names.Rules{UTF8: true, Fold: true}
	tests := []struct {
		system   names.Rules
		good     string
		bad      string // in conflict with the system, or with good
		exclude  string
		renaming Options // that makes it fit
	}{
		{windows, "d/good", "d/a?b", "d/a?b", Options{}},
		{windows, "good", "NUL/f", "NUL", Options{Selection: Selection{StripComponents: 1}}},
		{windows, "good", "d/aux.txt", "d", Options{}},
		{windows, "good", "dot./f", "dot.", Options{Selection: Selection{Flat: true}}},
		{windows, "good", `back\slash`, `back*`, Options{}},
		{windows, "good", "ab:c/f", "ab:c", Options{Selection: Selection{StripComponents: 1}}},
		{mac, "d/Good", "d/gOOD", "d/gOOD", Options{}},
		{mac, "d/f", "D", "D", Options{Selection: Selection{Flat: true}}},
		{mac, "D", "d/f", "d", Options{Selection: Selection{Flat: true}}},
		{mac, "e\u0301", "\u00e9", "\u00e9", Options{}},
		{mac, "s", "ſ", "ſ", Options{}},
		{windows, "README", "readme/", "readme", Options{}},
	}
	for _, tt := range tests {
		for form, archive := range archivesOf(t, tt.good, tt.bad) {
			for name, o := range map[string]Options{"others": {Selection: Selection{Include: []string{tt.good}}}, "excluded": {Selection: Selection{Exclude: []string{tt.exclude}}}} {
				if got, err := onSystem(t, tt.system, archive, o); err != nil || !slices.Equal(got, []string{tt.good}) {
					t.Errorf("%s of %q, %s: %q, %v", form, tt.bad, name, got, err)
				}
			}
			_, err := onSystem(t, tt.system, archive, Options{})
			unfit, ok := errors.AsType[*UnfitError](err)
			if !ok || unfit.Entry != tt.bad || !strings.Contains(unfit.Hint(), "leave it out") {
				t.Errorf("%s of %q: %v", form, tt.bad, err)
			}
			if tt.renaming.Flat || tt.renaming.StripComponents > 0 {
				if _, err := onSystem(t, tt.system, archive, tt.renaming); err != nil {
					t.Errorf("%s of %q, renamed: %v", form, tt.bad, err)
				}
			}
			if got, err := onSystem(t, names.Rules{}, archive, Options{}); err != nil || len(got) == 0 {
				t.Errorf("%s of %q on another system: %q, %v", form, tt.bad, got, err)
			}
		}
	}
}

// A name that is unsafe on any system is refused on all of them, selected or not.
func TestAttacksAreNotUnfit(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"../x", "/x", `..\x`, `a\..\..\x`, "C:x", ".git/config", "a\u202eb"} {
		for form, archive := range archivesOf(t, "good", bad) {
			for _, r := range []names.Rules{{}, {UTF8: true, Fold: true}, {Backslash: true, UTF8: true, Fold: true}} {
				if _, err := onSystem(t, r, archive, Options{Selection: Selection{Include: []string{"good"}}}); !is[*UnsafeError](err) {
					t.Errorf("%s of %q: %v", form, bad, err)
				}
			}
		}
	}
}

// If --output names the directory, the error isn't about the archive.
func TestUnfitPrefix(t *testing.T) {
	t.Parallel()
	archive := archivesOf(t, "good")["zip"]
	if _, err := onSystem(t, names.Rules{Backslash: true}, archive, Options{Selection: Selection{Prefix: "test: [1]"}}); !is[*ConflictError](err) {
		t.Error(err)
	}
	if _, err := onSystem(t, names.Rules{}, archive, Options{Selection: Selection{Prefix: "test: [1]"}}); err != nil {
		t.Error(err)
	}
}

// A job may be called .git, and a manifest may name .git as an output: what an archive
// can't write to, they can't choose either.
func TestPrefixInGit(t *testing.T) {
	t.Parallel()
	archive := archivesOf(t, "good")["zip"]
	for _, prefix := range []string{".git", ".GIT/hooks", "a/.git", "./.git", "git~1", ".git ./hooks", ".g\u200cit"} {
		_, err := onSystem(t, names.Rules{}, archive, Options{Selection: Selection{Prefix: prefix}})
		if conflict, ok := errors.AsType[*ConflictError](err); !ok || !strings.Contains(conflict.Reason, ReasonGit) {
			t.Errorf("%q: %v", prefix, err)
		}
		if _, err := onSystem(t, names.Rules{}, archive, Options{Selection: Selection{Prefix: prefix}, AllowGit: true}); err != nil {
			t.Errorf("%q with AllowGit: %v", prefix, err)
		}
	}
}

// A file system may reject names that fit the rules.
func TestFileSystemRefusesNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		op   string
		err  error
		want bool
	}{
		{"create", syscall.EINVAL, true}, {"mkdir", syscall.EINVAL, true}, {"symlink", syscall.EINVAL, true}, {"create", syscall.EILSEQ, true}, {"create", syscall.ENAMETOOLONG, true},
		{"symlink", syscall.ENOSYS, true}, {"symlink", syscall.EPERM, true}, {"symlink", syscall.Errno(1314), true}, {"create", syscall.EACCES, false}, {"create", syscall.ENOSPC, false}, {"symlink", syscall.ENOSPC, false},
	} {
		out := t.TempDir()
		s, err := newStage(out, StageOptions{}, func(op, path string) error {
			if op == tt.op && path == "odd" {
				return tt.err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: map[string]string{"create": "odd", "mkdir": "odd/f", "symlink": "odd"}[tt.op]}
		h.SetMode(map[string]fs.FileMode{"symlink": fs.ModeSymlink | 0o777}[tt.op] | 0o644)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("target")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = s.Add(t.Context(), FromReaderAt(bytes.NewReader(b.Bytes()), int64(b.Len())), Options{})
		if err == nil {
			err = s.Commit(t.Context())
		}
		if is[*UnfitError](err) != tt.want || err == nil {
			t.Errorf("%s: %v: %v", tt.op, tt.err, err)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
}

// SkipLinks skips links that can't be created, and reports them. Other errors still count.
func TestLinksThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want []string // left out; nil means that the run fails
	}{
		{syscall.Errno(1314), []string{"l"}}, // of Windows
		{syscall.EPERM, []string{"l"}},
		{syscall.ENOSPC, nil},
		{syscall.ENAMETOOLONG, nil},
	} {
		out, skipped := t.TempDir(), []string(nil)
		s, err := newStage(out, StageOptions{Symlinks: SkipLinks, OnSkip: func(path, _ string) { skipped = append(skipped, path) }}, func(op, path string) error {
			if op == "symlink" && path == "l" {
				return tt.err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		archive := world.Zip(world.File{Name: "a", Content: "a"}, world.File{Name: "l", Link: "a"}, world.File{Name: "m", Link: "a"})
		_, err = s.Add(t.Context(), FromReaderAt(bytes.NewReader(archive), int64(len(archive))), Options{})
		if err == nil {
			err = s.Commit(t.Context())
		}
		if (err == nil) != (tt.want != nil) || !slices.Equal(skipped, tt.want) {
			t.Errorf("%v: %v, left out %q", tt.err, err, skipped)
		}
		if target, _ := os.Readlink(filepath.Join(out, "m")); (target == "a") != (tt.want != nil) {
			t.Errorf("%v: m leads to %q", tt.err, target)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
}

// A stage detects whether its file system ignores case.
func TestFoldingIsFound(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	for _, folds := range []bool{false, true} {
		s, err := newStage(out, StageOptions{}, func(op, path string) error {
			if op == "lstat" && folds && strings.HasSuffix(path, "/NEW") {
				// as if the file system ignored case
				return os.Symlink("new", filepath.Join(out, path))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if s.rules.Fold != (folds || names.Platform().Fold) {
			t.Errorf("folds: %v, want %v", s.rules.Fold, folds)
		}
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
}

// New names can clash even if the old ones didn't.
func TestCollisions(t *testing.T) {
	t.Parallel()
	at := func(mode fs.FileMode, dests ...string) []*entry {
		var entries []*entry
		for i, d := range dests {
			entries = append(entries, &entry{Header: &archive.Header{Name: strconv.Itoa(i), Mode: mode}, dest: d})
		}
		return entries
	}
	for _, tt := range []struct {
		name    string
		entries []*entry
		rules   names.Rules
		want    bool // there is a conflict
	}{
		{"side by side", at(0, "a", "b/c"), names.Rules{}, false},
		{"two files", at(0, "a", "a"), names.Rules{}, true},
		{"two directories", at(fs.ModeDir, "a", "a"), names.Rules{}, false},
		{"below a file", at(0, "a", "a/b/c"), names.Rules{}, true},
		{"below a file that comes later", at(0, "a/b/c", "a"), names.Rules{}, true},
		{"below a link", append(at(fs.ModeSymlink, "a"), at(0, "a/b")...), names.Rules{}, true},
		{"below a directory", append(at(fs.ModeDir, "a"), at(0, "a/b")...), names.Rules{}, false},
		{"by case", at(0, "a", "A"), names.Rules{}, false},
		{"two files where case is the same", at(0, "a", "a"), names.Rules{Fold: true}, true},
	} {
		if err := fit(tt.rules, tt.entries); is[*ConflictError](err) != tt.want || err != nil && !tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A few short names must not need millions of directories.
func TestImpliedDirectoriesCount(t *testing.T) {
	t.Parallel()
	o := Options{Limits: Limits{MaxFiles: 100}}.withDefaults()
	deep := strings.Repeat("d/", 60)
	one := []*entry{{Header: &archive.Header{Name: "0/" + deep + "f"}}}
	if err := check(one, names.Rules{}, o); err != nil {
		t.Errorf("61 directories and a file: %v", err)
	}
	two := []*entry{{Header: &archive.Header{Name: "0/" + deep + "f"}}, {Header: &archive.Header{Name: "1/" + deep + "f"}}}
	if err := check(two, names.Rules{}, o); !is[*LimitError](err) {
		t.Errorf("122 directories and two files: %v", err)
	}
}
