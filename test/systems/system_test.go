//go:build systems

package systems

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// system runs programs that were built for it.
type system struct {
	windows bool
	env     []string
	command []string // starts the program
}

// host is the system that the tests run on.
func host(*testing.T) *system { return &system{command: []string{"artifetch"}} }

// arm64 is qemu.
func arm64(t *testing.T) *system {
	t.Helper()
	program := filepath.Join(t.TempDir(), "artifetch")
	tool(t, "env", "GOOS=linux", "GOARCH=arm64", "go", "build", "-o", program, harness.Root)
	return &system{command: []string{need.Tools(t, "qemu-aarch64-static"), program}}
}

// windows is wine.
func windows(t *testing.T) *system {
	t.Helper()
	dir := t.TempDir()
	prefix := filepath.Join(dir, "prefix")
	if err := os.Mkdir(prefix, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &system{windows: true, env: []string{
		"WINEPREFIX=" + prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=",
	}}
	wine := need.Tools(t, "wine64")
	t.Cleanup(func() { _ = s.do(t, need.Tools(t, "wineserver"), "-k").Run() }) // it may have ended
	// With a server that stays, programs start sooner. It would keep a pipe open.
	if err := s.do(t, need.Tools(t, "wineserver"), "-p").Run(); err != nil {
		t.Fatal(err)
	}
	if err := s.do(t, wine, "wineboot", "-i").Run(); err != nil {
		t.Fatal(err)
	}
	tool(t, "x86_64-w64-mingw32-gcc", "-shared", "-o", filepath.Join(prefix, "drive_c/windows/system32/bcryptprimitives.dll"),
		"testdata/bcryptprimitives.c", "-ladvapi32")
	program := filepath.Join(dir, "artifetch.exe")
	tool(t, "env", "GOOS=windows", "GOARCH=amd64", "go", "build", "-overlay", overlay(t, dir), "-o", program, harness.Root)
	s.command = []string{wine, program}
	return s
}

// overlay makes os.Root remove files in wine: Go tries the calls of newer versions of
// Windows first, and wine says of those that they aren't implemented, as Windows never does.
func overlay(t *testing.T, dir string) (file string) {
	t.Helper()
	path := filepath.Join(strings.TrimSpace(tool(t, "go", "env", "GOROOT")), "src/internal/syscall/windows/at_windows.go")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const before, after = "case STATUS_INVALID_INFO_CLASS,", "case NTStatus(0xC0000002), STATUS_INVALID_INFO_CLASS,"
	if !bytes.Contains(source, []byte(before)) {
		t.Fatalf("%s has changed", path)
	}
	changed := filepath.Join(dir, "at_windows.txt")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	file = filepath.Join(dir, "overlay.json")
	err = errors.Join(err,
		os.WriteFile(changed, bytes.Replace(source, []byte(before), []byte(after), 1), 0o600),
		os.WriteFile(file, text, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// tool runs a program of this system, which must succeed.
func tool(t *testing.T, name string, args ...string) (printed string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), need.Tools(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func (s *system) do(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...) // wine must outlive the test's context, to end
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "NO_COLOR=1", "LC_ALL=C.UTF-8"}, s.env...)
	return cmd
}

// path is what the system calls a path of this one.
func (s *system) path(path string) string {
	if s.windows {
		return "Z:" + strings.ReplaceAll(path, "/", `\`)
	}
	return path
}

// bench is a workspace, and a GitLab whose job 1001 has an archive.
type bench struct {
	t  *testing.T
	on *system
	ws string
	*gitlabtest.Running
}

func newBench(t *testing.T, on *system, files []gitlabtest.File, faults ...gitlabtest.Fault) *bench {
	t.Helper()
	world := gitlabtest.Fixture()
	world.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(files...)
	b := &bench{t: t, on: on, ws: t.TempDir(), Running: gitlabtest.Start(world, gitlabtest.Options{Mode: gitlabtest.ModeRedirect, Faults: faults})}
	t.Cleanup(b.Close)
	return b
}

// cmd is the program in the workspace.
func (b *bench) cmd(args ...string) *exec.Cmd {
	b.t.Helper()
	cmd := b.on.do(b.t, b.on.command[0], append(b.on.command[1:], args...)...)
	cmd.Dir = b.ws
	cmd.Env = append(cmd.Env, "CI_API_V4_URL="+b.APIURL, "CI_SERVER_URL="+b.URL, "CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app",
		"CI_PROJECT_DIR="+b.on.path(b.ws), "CI_COMMIT_REF_NAME=main", "CI_DEFAULT_BRANCH=main", "CI_JOB_TOKEN="+gitlabtest.JobToken,
		"ARTIFETCH_SECRETS_DIR="+b.on.path(b.ws+"/none"))
	return cmd
}

// exits runs the program, and requires an exit code and words in what it prints.
func (b *bench) exits(code int, words string, args ...string) {
	b.t.Helper()
	cmd := b.cmd(args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		b.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), words) {
		b.t.Errorf("%q: exit code %d, want %d and %q:\n%s", args, got, code, words, out)
	}
}
