package crash

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// smallDisk mounts a disk of 8 MiB, with additional mount options.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"+options); err != nil {
		t.Skipf("this machine lets nobody mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fullDisk is a fetch that doesn't fit on a small disk.
type fullDisk struct {
	name    string
	archive []byte
	server  gitlabtest.Options
	mount   string // additional mount options
	filler  int    // bytes that are already used
	later   int    // bytes that are used after the first faulty request
	args    []string
	said    string
}

// fullDisks are the ways to notice a full disk: the archive is known to be too large, the
// disk fills up during extraction, or the archive itself must be stored first.
func fullDisks() []fullDisk {
	var noise strings.Builder // incompressible
	_, _ = io.CopyN(&noise, rand.Reader, 6<<20)
	a := gitlabtest.File{Name: "a", Content: "new"}
	large := gitlabtest.Zip(a, gitlabtest.File{Name: "zeros", Content: strings.Repeat("\x00", 20<<20)})
	fits := gitlabtest.Zip(a, gitlabtest.File{Name: "noise", Content: noise.String()})
	inner := gitlabtest.Zip(a, gitlabtest.File{Name: "inner.zip", Content: string(large)})
	padded := append([]byte(strings.Repeat(noise.String(), 2)), fits...)
	many := []gitlabtest.File{a}
	for i := range 500 {
		many = append(many, gitlabtest.File{Name: fmt.Sprintf("%d/%d", i%9, i), Content: "small"})
	}
	mode := func(m gitlabtest.Mode) gitlabtest.Options { return gitlabtest.Options{Mode: m} }
	// Two requests fetch the beginning and the end of the archive. The wanted file
	// arrives after the disk was checked.
	skip := gitlabtest.File{Name: "skip", Content: strings.Repeat(noise.String(), 2)}
	distant := gitlabtest.Zip(skip, a, gitlabtest.File{Name: "noise", Content: noise.String()})
	slow := gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "429-rack", On: "/artifacts", Skip: 2, Times: 1}}}
	return []fullDisk{
		{name: "known beforehand", archive: large, server: mode(gitlabtest.ModeRedirect), said: "are needed"},
		{name: "known beforehand, of a disk nearly full", archive: fits, filler: 2<<20 + 4096, said: "are needed"},
		{name: "known beforehand, no ranges", archive: fits, server: mode(gitlabtest.ModeNoRanges), said: "are needed"},
		{name: "the archive itself, no ranges", archive: padded, server: mode(gitlabtest.ModeNoRanges), said: "are needed"},
		{name: "the archive itself, of unknown size", archive: padded, server: mode(gitlabtest.ModeNoLength), said: "no space left"},
		{name: "somebody else fills it meanwhile", archive: distant, server: slow, later: 4 << 20, args: []string{"--retries", "3", "--exclude", "skip"}, said: "no space left on device"},
		{name: "too many files", archive: gitlabtest.Zip(many...), mount: ",nr_inodes=100", said: "no space left on device"},
		{name: "an archive within", archive: inner, server: mode(gitlabtest.ModeRedirect), args: []string{"--unpack", "1"}, said: "are needed"},
	}
}

// A full disk gives code 9 and changes nothing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, tt := range fullDisks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t, tt.mount)
			ws, filler := filepath.Join(disk, "ws"), filepath.Join(disk, "filler")
			err := errors.Join(os.Mkdir(ws, 0o755), os.WriteFile(filepath.Join(ws, "a"), []byte("old"), 0o600), os.WriteFile(filler, make([]byte, tt.filler), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			before := harness.Tree(t, ws)
			stderr, err := tt.fetch(t, ws, filler)
			failed, ok := errors.AsType[*exec.ExitError](err)
			if !ok || failed.ExitCode() != 9 || !strings.Contains(stderr, tt.said) {
				t.Errorf("%v, want code 9 and %q:\n%s", err, tt.said, stderr)
			}
			if diff := cmp.Diff(before, harness.Tree(t, ws)); diff != "" {
				t.Errorf("something changed: %s", diff)
			}
		})
	}
}

// fetch fetches the archive into ws.
func (d *fullDisk) fetch(t *testing.T, ws, filler string) (stderr string, err error) {
	t.Helper()
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = d.archive
	s := gitlabtest.Start(world, d.server)
	defer s.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(gitlabtest.PrivateToken), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"fetch", "--server-url", s.URL, "-R", "1", "--token-file", token, "--job-id", "1001", "-o", ws}, d.args...)
	cmd := exec.CommandContext(t.Context(), "artifetch", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fillLater(t, s, filler, d.later)
	err = cmd.Wait()
	return said.String(), err
}

// fillLater uses up disk space while the program waits to retry, so the check before is
// outdated.
func fillLater(t *testing.T, s *gitlabtest.Running, filler string, bytes int) {
	t.Helper()
	if bytes == 0 {
		return
	}
	for range 1000 {
		for _, r := range s.Requests() {
			if r.Status == http.StatusTooManyRequests {
				err := os.WriteFile(filler, make([]byte, bytes), 0o600)
				if err != nil && !errors.Is(err, unix.ENOSPC) { // the disk is as full as possible
					t.Error(err)
				}
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the program was never told to come back later")
}

// The size of a pipe's content isn't known in advance.
func TestDiskThatFillsUp(t *testing.T) {
	t.Parallel()
	ws := filepath.Join(smallDisk(t, ""), "ws")
	if err := errors.Join(os.Mkdir(ws, 0o755), os.WriteFile(filepath.Join(ws, "a"), []byte("old"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := harness.Tree(t, ws)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "head -c 20000000 /dev/zero | gzip | cat >zeros.gz; artifetch extract zeros.gz -o ws")
	cmd.Dir = filepath.Dir(ws)
	out, err := cmd.CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok || failed.ExitCode() != 9 || !strings.Contains(string(out), "no space left") {
		t.Errorf("%v, want code 9:\n%s", err, out)
	}
	if diff := cmp.Diff(before, harness.Tree(t, ws)); diff != "" {
		t.Errorf("something changed: %s", diff)
	}
}
