package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// smallDisk mounts a disk of 8 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("this machine lets nobody mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A full disk is code 9, and changes nothing: where the archive says beforehand
// that it is too large, where the disk fills up on the way, and where the archive
// itself has to go to disk first.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 6<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	large := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "new"}, gitlabtest.File{Name: "zeros", Content: strings.Repeat("\x00", 20<<20)})
	twice := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "new"}, gitlabtest.File{Name: "noise", Content: string(noise)})
	inner := gitlabtest.Zip(gitlabtest.File{Name: "a", Content: "new"}, gitlabtest.File{Name: "inner.zip", Content: string(large)})
	tests := []struct {
		name    string
		archive []byte
		mode    gitlabtest.Mode
		args    []string
		said    string
	}{
		{"known beforehand", large, gitlabtest.ModeRedirect, nil, "are needed"},
		{"known beforehand, no ranges", twice, gitlabtest.ModeNoRanges, nil, "are needed"},
		{"the archive itself, of unknown size", append(bytes.Repeat(noise, 2), twice...), gitlabtest.ModeNoLength, nil, "no space left"},
		{"an archive within", inner, gitlabtest.ModeRedirect, []string{"--unpack", "1"}, "are needed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ws := filepath.Join(smallDisk(t), "ws")
			if err := errors.Join(os.Mkdir(ws, 0o755), os.WriteFile(filepath.Join(ws, "a"), []byte("old"), 0o600)); err != nil {
				t.Fatal(err)
			}
			before := everything(t, ws)
			world := gitlabtest.Fixture()
			world.Projects[0].Pipelines[1].Jobs[0].Archive = tt.archive
			s := gitlabtest.Start(world, gitlabtest.Options{Mode: tt.mode})
			defer s.Close()
			token := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"fetch", "--server-url", s.URL, "-R", "1", "--token-file", token, "--job-id", "1001", "-o", ws, "--retries", "0"}, tt.args...)
			out, err := exec.CommandContext(t.Context(), "artifetch", args...).CombinedOutput()
			failed, ok := errors.AsType[*exec.ExitError](err)
			if !ok || failed.ExitCode() != 9 || !strings.Contains(string(out), tt.said) {
				t.Errorf("%v, want code 9 and %q:\n%s", err, tt.said, out)
			}
			if diff := cmp.Diff(before, everything(t, ws)); diff != "" {
				t.Errorf("something changed: %s", diff)
			}
		})
	}
}

// What comes through a pipe has no size that could be looked at beforehand.
func TestDiskThatFillsUp(t *testing.T) {
	t.Parallel()
	ws := filepath.Join(smallDisk(t), "ws")
	if err := errors.Join(os.Mkdir(ws, 0o755), os.WriteFile(filepath.Join(ws, "a"), []byte("old"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := everything(t, ws)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "head -c 20000000 /dev/zero | gzip | cat >zeros.gz; artifetch extract zeros.gz -o ws")
	cmd.Dir = filepath.Dir(ws)
	out, err := cmd.CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok || failed.ExitCode() != 9 || !strings.Contains(string(out), "no space left") {
		t.Errorf("%v, want code 9:\n%s", err, out)
	}
	if diff := cmp.Diff(before, everything(t, ws)); diff != "" {
		t.Errorf("something changed: %s", diff)
	}
}
