package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// exFAT mounts a new exFAT disk. It has no links, ignores case, rejects some names, and
// can't exchange files.
func exFAT(t *testing.T) string {
	t.Helper()
	need.Tools(t, "mkfs.exfat", "losetup")
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 32<<20)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mkfs.exfat", image).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("cannot use loop devices on this machine: %v: %s", err, out)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", device).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	mountExFAT(t, device, dir)
	t.Cleanup(func() { unmount(t, dir) })
	return dir
}

// mountExFAT uses the kernel's driver or FUSE's.
func mountExFAT(t *testing.T, device, dir string) {
	t.Helper()
	kernel := unix.Mount(device, dir, "exfat", 0, "")
	if kernel == nil {
		return
	}
	out, err := exec.CommandContext(t.Context(), need.Tools(t, "mount.exfat-fuse"), device, dir).CombinedOutput()
	if err != nil {
		t.Skipf("cannot mount exFAT on this machine: %v; %v: %s", kernel, err, out)
	}
}

// unmount waits until nothing uses the disk any more, such as a program of another
// test that is being started and has inherited open files.
func unmount(t *testing.T, dir string) {
	t.Helper()
	err := unix.Unmount(dir, 0)
	for range 100 {
		if !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(50 * time.Millisecond)
		err = unix.Unmount(dir, 0)
	}
	if err != nil {
		t.Error(err)
	}
}

// extractInto extracts files, and returns the exit code and the messages.
func extractInto(t *testing.T, dir string, files []gitlabtest.File, args ...string) (code int, said string) {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(archive, gitlabtest.Zip(files...), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "artifetch", append([]string{"extract", archive, "-o", dir}, args...)...).CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if ok {
		code = failed.ExitCode()
	}
	return code, string(out)
}

// versioned returns files that contain a version.
func versioned(version string, names ...string) []gitlabtest.File {
	files := make([]gitlabtest.File, len(names))
	for i, name := range names {
		files[i] = gitlabtest.File{Name: name, Content: version}
	}
	return files
}

// regular returns the files below a directory with their contents.
func regular(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for path, what := range harness.Tree(t, dir) {
		if mode, content, ok := strings.Cut(what, " "); ok && mode[0] == '-' {
			all[path] = content
		}
	}
	return all
}

// On a file system without links, all files are replaced and added, or none.
func TestExFAT(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(exFAT(t), "out")
	for _, version := range []string{"1", "2"} {
		if code, said := extractInto(t, dir, versioned(version, "a", "d/b", "d/"+version)); code != 0 {
			t.Fatal(said)
		}
	}
	want := map[string]string{"/a": "2", "/d/b": "2", "/d/1": "1", "/d/2": "2"}
	if diff := cmp.Diff(want, regular(t, dir)); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		name  string
		files []gitlabtest.File
		said  string
		args  []string // to make it succeed
	}{
		{"names that are one", versioned("3", "a", "README", "readme"), `"readme": to the file system it is the same as "README"`, []string{"-x", "README"}},
		{"directories that are one", versioned("3", "a", "Docs/x", "docs"), `"docs": to the file system it is the same as "Docs/x"`, []string{"-x", "docs"}},
		{"a directory in the place of a file", versioned("3", "a", "d/B/x"), "cannot create directory", []string{"-x", "d"}},
		{"a link", append(versioned("3", "a"), gitlabtest.File{Name: "l", Link: "a"}), "the file system has no symbolic links", []string{"-x", "l"}},
		{"a link left out", append(versioned("3", "a"), gitlabtest.File{Name: "l", Link: "a"}), "--symlinks skip", []string{"--symlinks", "skip"}},
	} {
		code, said := extractInto(t, dir, tt.files)
		if code != 9 || !strings.Contains(said, tt.said) {
			t.Errorf("%s: code %d: %s", tt.name, code, said)
		}
		if diff := cmp.Diff(want, regular(t, dir)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		other := filepath.Join(filepath.Dir(dir), "other")
		if code, said := extractInto(t, other, tt.files, tt.args...); code != 0 {
			t.Errorf("%s, with %q: code %d: %s", tt.name, tt.args, code, said)
		}
		if err := os.RemoveAll(other); err != nil {
			t.Error(err)
		}
	}
}

// unprivileged returns a command that doesn't run as root. If root runs the tests, it
// runs a copy of the program as the user nobody.
func unprivileged(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		return exec.CommandContext(t.Context(), "artifetch", args...)
	}
	exe := need.Tools(t, "artifetch")
	copied := filepath.Join(shared(t), "artifetch")
	// Don't copy in this process: another test may be starting a program, which inherits
	// the open file, and Linux doesn't run a file that is open for writing.
	if out, err := exec.CommandContext(t.Context(), "cp", exe, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), copied, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

const nobody = 65534

// shared returns a directory that all users can write to.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	return dir
}

// Linux refuses hard links to files of other users (protected_hardlinks), but a user who
// can write to a directory can replace the files in it. That happens if GitLab Runner's
// helper runs as root and the job doesn't. Stages of other users are left alone.
func TestFilesOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	dir := shared(t)
	archive := filepath.Join(dir, "a.zip")
	foreign := filepath.Join(dir, "out", ".artifetch-"+strings.Repeat("r", 16))
	err := errors.Join(
		os.WriteFile(archive, gitlabtest.Zip(versioned("new", "a", "d/b", "d/c")...), 0o644), //nolint:gosec // for the other user
		os.MkdirAll(filepath.Join(dir, "out/d"), 0o755), os.MkdirAll(filepath.Join(foreign, "new"), 0o700),
		os.WriteFile(filepath.Join(foreign, "lock"), nil, 0o600),
	)
	for _, name := range []string{"out/a", "out/d/b"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644)) //nolint:gosec // idem
	}
	err = errors.Join(err, os.Chmod(filepath.Join(dir, "out"), 0o777), os.Chmod(filepath.Join(dir, "out/d"), 0o777)) //nolint:gosec // idem
	if err != nil {
		t.Fatal(err)
	}
	cmd := unprivileged(t, "extract", archive, "-o", filepath.Join(dir, "out"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := map[string]string{"/a": "new", "/d/b": "new", "/d/c": "new"}
	got := regular(t, filepath.Join(dir, "out"))
	delete(got, "/"+filepath.Base(foreign)+"/lock")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if entries, err := os.ReadDir(foreign); err != nil || len(entries) != 2 {
		t.Errorf("of the other user's stage there is %v, %v", entries, err)
	}
}

// Missing permissions give code 9 and a reason, and nothing changes.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		deny func(out string) error
		said string
	}{
		"the directory is read-only":          {func(out string) error { return os.Chmod(out, 0o555) }, `parent/out": cannot create .artifetch-`},
		"the directory cannot be entered":     {func(out string) error { return os.Chmod(out, 0o666) }, "permission denied"},
		"the directory cannot be read":        {func(out string) error { return os.Chmod(out, 0o333) }, "permission denied"},
		"its parent cannot be entered":        {func(out string) error { return os.Chmod(filepath.Dir(out), 0o666) }, "permission denied"},
		"a directory below is read-only":      {func(out string) error { return os.Chmod(filepath.Join(out, "d"), 0o555) }, `"d/b" into place: permission denied`},
		"a directory below cannot be entered": {func(out string) error { return os.Chmod(filepath.Join(out, "d"), 0o666) }, "permission denied"},
		"the output is a file": {func(out string) error {
			return errors.Join(os.RemoveAll(out), os.WriteFile(out, []byte("mine"), 0o644))
		}, "not a directory"},
		"the output is a link that leads nowhere else": {func(out string) error { return errors.Join(os.RemoveAll(out), os.Symlink("none", out)) }, `it is a link to "none", which doesn't exist`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := shared(t)
			archive, out := filepath.Join(shared(t), "a.zip"), filepath.Join(dir, "parent/out")
			err := errors.Join(
				os.WriteFile(archive, gitlabtest.Zip(versioned("new", "a", "d/b", "d/c")...), 0o644), //nolint:gosec // for the other user
				os.MkdirAll(filepath.Join(out, "d"), 0o755), os.WriteFile(filepath.Join(out, "a"), []byte("old"), 0o644), os.WriteFile(filepath.Join(out, "d/b"), []byte("old"), 0o644),
			)
			if err == nil && os.Geteuid() == 0 {
				err = exec.CommandContext(t.Context(), "chown", "-R", fmt.Sprintf("%d:%d", nobody, nobody), filepath.Join(dir, "parent")).Run()
			}
			if err := errors.Join(err, tt.deny(out)); err != nil {
				t.Fatal(err)
			}
			before := harness.Tree(t, dir)
			said, err := unprivileged(t, "extract", archive, "-o", out).CombinedOutput()
			failed, ok := errors.AsType[*exec.ExitError](err)
			if !ok || failed.ExitCode() != 9 || !strings.Contains(string(said), tt.said) {
				t.Errorf("%v, want code 9 and %q: %s", err, tt.said, said)
			}
			if diff := cmp.Diff(before, harness.Tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The output can be a link to a directory, and a mount point. Files can't be moved to
// another file system below it, and the error says so.
func TestMountPoints(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "")
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(disk, link), os.Mkdir(filepath.Join(disk, "inner"), 0o755)); err != nil {
		t.Fatal(err)
	}
	if code, said := extractInto(t, link, versioned("1", "a", "b/c")); code != 0 {
		t.Error(said)
	}
	inner := filepath.Join(disk, "inner")
	if err := unix.Mount("tmpfs", inner, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer unmount(t, inner)
	if err := os.WriteFile(filepath.Join(inner, "there"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"/a": "1", "/b/c": "1", "/inner/there": "old"}
	for _, name := range []string{"inner/there", "inner/new"} {
		code, said := extractInto(t, disk, versioned("2", "a", name))
		if code != 9 || !strings.Contains(said, "cross-device link") || !strings.Contains(said, "another file system") {
			t.Errorf("%s: code %d: %s", name, code, said)
		}
		if diff := cmp.Diff(want, regular(t, disk)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
}

// If one file is immutable, nothing changes.
func TestImmutableFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o600), os.WriteFile(filepath.Join(dir, "b"), []byte("old"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), need.Tools(t, "chattr"), "+i", filepath.Join(dir, "b")).CombinedOutput(); err != nil {
		t.Skipf("cannot make a file immutable on this machine: %v: %s", err, out)
	}
	defer func() {
		if out, err := exec.Command("chattr", "-i", filepath.Join(dir, "b")).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}()
	before := harness.Tree(t, dir)
	code, said := extractInto(t, dir, versioned("new", "a", "b", "c"))
	if code != 9 || !strings.Contains(said, `putting "b" into place`) || !strings.Contains(said, "operation not permitted") || !strings.Contains(said, "lsattr") {
		t.Errorf("code %d: %s", code, said)
	}
	if diff := cmp.Diff(before, harness.Tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}
