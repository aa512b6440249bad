package crash

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gitlab.com/artifetch/artifetch/internal/console/consoletest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// signalled is a run of the program that gets signals.
type signalled struct {
	*exec.Cmd
	server *gitlabtest.Running
	errs   bytes.Buffer
	temp   string // $TMPDIR
}

// newSignalled prepares a run in its own directory with a user's token.
func newSignalled(t *testing.T, o gitlabtest.Options, name string, args ...string) *signalled {
	t.Helper()
	p := &signalled{server: gitlabtest.Start(gitlabtest.Fixture(), o), temp: t.TempDir()}
	t.Cleanup(p.server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only stops a hanging test
	t.Cleanup(cancel)
	p.Cmd = exec.CommandContext(ctx, name, args...)
	p.Dir, p.Stderr = t.TempDir(), &p.errs
	p.Env = append(os.Environ(), "GITLAB_CI=", "CI=", "CI_API_V4_URL="+p.server.APIURL, "CI_PROJECT_ID=1", "CI_PROJECT_DIR=", "CI_JOB_TOKEN=",
		"GITLAB_TOKEN="+gitlabtest.PrivateToken, "TMPDIR="+p.temp, "NO_COLOR=1")
	return p
}

// await waits until the server receives a request whose path contains part.
func (p *signalled) await(t *testing.T, part string) {
	t.Helper()
	for range 3000 {
		for _, r := range p.server.Requests() {
			if strings.Contains(r.Path, part) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no request of %s", part)
}

func (p *signalled) begin(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end of the run and checks its code.
func (p *signalled) ends(t *testing.T, code int) {
	t.Helper()
	_ = p.Wait() // the state has the result
	if got := p.ProcessState.ExitCode(); got != code {
		t.Errorf("code %d (%v), want %d: %s", got, p.ProcessState, code, p.errs.String())
	}
	if temp, err := os.ReadDir(p.temp); err != nil || len(temp) > 0 {
		t.Errorf("left in TMPDIR: %v, %v", temp, err)
	}
}

func (p *signalled) left(t *testing.T) []string {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A signal ends a run with its code; the run says so once and leaves the workspace
// unchanged.
func TestSignals(t *testing.T) {
	t.Parallel()
	stall := func(on string) gitlabtest.Options {
		return gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "stall-body", On: on, After: 4}}}
	}
	for _, tt := range []struct {
		signal  syscall.Signal
		code    int
		command string
		at      string
	}{
		{syscall.SIGINT, 130, "fetch --ref main --job build", "/pipelines"},
		{syscall.SIGINT, 130, "fetch --ref main --job build", "/artifacts"},
		{syscall.SIGTERM, 143, "sync", "/artifacts"},
		{syscall.SIGHUP, 129, "sync", "/jobs"},
		{syscall.SIGTERM, 143, "cat --job-id 1001 --server job.txt", "/artifacts/job.txt"},
		{syscall.SIGHUP, 129, "ls --job-id 1001", "/artifacts"},
		{syscall.SIGINT, 130, "job log 1001 --follow", "/trace"},
		{syscall.SIGINT, 130, "doctor", "/metadata"},
		{syscall.SIGINT, 130, "explain --ref main --job build", "/pipelines"},
	} {
		t.Run(tt.signal.String()+" "+tt.command+tt.at, func(t *testing.T) {
			t.Parallel()
			p := newSignalled(t, stall(tt.at), "artifetch", strings.Fields(tt.command)...)
			if err := os.WriteFile(filepath.Join(p.Dir, "artifetch.yml"), []byte(oneSource), 0o600); err != nil {
				t.Fatal(err)
			}
			p.begin(t)
			p.await(t, tt.at)
			if err := p.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			p.ends(t, tt.code)
			want := map[syscall.Signal]string{syscall.SIGINT: "interrupted", syscall.SIGTERM: "terminated", syscall.SIGHUP: "the terminal was closed"}[tt.signal]
			if strings.HasPrefix(tt.command, "fetch") || strings.HasPrefix(tt.command, "sync") {
				want += "; nothing was changed" // the other commands change nothing, or keep what they have written
			}
			if want = "artifetch: " + want + "\n"; p.errs.String() != want {
				t.Errorf("%q, want %q", p.errs.String(), want)
			}
			if left := p.left(t); len(left) != 1 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// If a signal interrupts an action, the message says that the outcome is unknown.
func TestSignalDuringAnAction(t *testing.T) {
	t.Parallel()
	p := newSignalled(t, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "stall", On: "/cancel"}}}, "artifetch", "job", "cancel", "1401", "--yes")
	p.begin(t)
	p.await(t, "/cancel")
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.ends(t, 130)
	if said := p.errs.String(); !strings.Contains(said, "cannot tell whether GitLab did this") || strings.Count(said, "interrupted") != 1 || !strings.Contains(said, "artifetch job show 1401") {
		t.Error(said)
	}
}

// oneSource is a manifest.
const oneSource = "version: 1\ndefaults: {project: '1', ref: main}\nsources:\n  - {name: app, job: build, output: vendor}\n"

// The first signal ends waits that could last forever: for standard input or a pipe.
func TestSignalWhileReading(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"extract - -o out", "extract pipe -o out", "fetch --job build --token-file pipe", "fetch --job build --header-file pipe",
		"jobs -R 1 --ca-file pipe", "doctor --ca-file pipe", "jobs -R 1 --cert-file pipe --key-file pipe", "sync -f pipe", "sync -f sources.yml", "sync remove lib -f pipe", "verify -f pipe", "verify -f sources.yml --token-file pipe",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			p := newSignalled(t, gitlabtest.Options{}, "artifetch", append(strings.Fields(args), "-v")...)
			if err := unix.Mkfifo(filepath.Join(p.Dir, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(p.Dir, "sources.yml"), []byte(oneSource), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("pipe", filepath.Join(p.Dir, "sources.lock")); err != nil {
				t.Fatal(err)
			}
			in, err := p.StdinPipe() // stays open
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close() }()
			p.begin(t)
			p.asleep(t)
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			p.ends(t, 143)
			if left := p.left(t); len(left) != 3 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// asleep waits until the process handles signals, which it does before it reads anything.
func (p *signalled) asleep(t *testing.T) {
	t.Helper()
	for range 3000 {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(p.Process.Pid) + "/status")
		if err != nil {
			t.Fatal(err)
		}
		_, mask, _ := strings.Cut(string(status), "SigCgt:\t")
		mask, _, _ = strings.Cut(mask, "\n")
		caught, err := strconv.ParseUint(mask, 16, 64)
		if err == nil && caught&(1<<(uint(syscall.SIGHUP)-1)) != 0 {
			time.Sleep(time.Second) // the runtime handles signals before the program does
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it catches no signals")
}

// A second signal, after a moment, ends a run wherever it hangs.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p := newSignalled(t, gitlabtest.Options{}, "artifetch", "cat", "--job-id", "1001", "large")
	p.server.Update(func(w *gitlabtest.World) {
		w.Projects[0].Pipelines[1].Jobs[0].Archive = gitlabtest.Zip(gitlabtest.File{Name: "large", Content: strings.Repeat("x", 1<<20)})
	})
	r, w, err := os.Pipe() // soon full
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	p.Stdout = w
	p.begin(t)
	_ = w.Close() // the program has its own copy
	if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go func() {
		for p.Process.Signal(os.Interrupt) == nil { // until it has ended
			time.Sleep(100 * time.Millisecond)
		}
	}()
	p.ends(t, 130)
}

// Signals that nohup or a shell has set to be ignored stay ignored.
func TestIgnoredSignals(t *testing.T) {
	t.Parallel()
	p := newSignalled(t, gitlabtest.Options{Faults: []gitlabtest.Fault{{Kind: "stall"}}}, "sh", "-c", `trap "" HUP INT; exec artifetch fetch --ref main --job build`)
	p.begin(t)
	p.await(t, "/jobs")
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		if err := p.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	p.ends(t, 143)
}

// If standard output is closed, the program ends quietly without crashing; if standard
// error is closed, it does its work.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, closed string
		code         int
		left         string
	}{
		{"ls --job-id 1001", "out", 141, ""},
		{"ls --job-id 1001 --format json", "out", 141, ""},
		{"cat --job-id 1001 dist/logs/build.log", "out", 141, ""},
		{"cat --job-id 1001 --server dist/logs/build.log", "out", 141, ""},
		{"jobs", "out", 141, ""},
		{"job log 1001", "out", 141, ""},
		{"resolve --job-id 1001", "out", 141, ""},
		{"doctor", "out", 141, ""},
		{"--help", "out", 141, ""},
		{"--version", "out", 141, ""},
		{"completion bash", "out", 141, ""},
		{"fetch --job-id 1001 -o files --format json", "out", 141, "files"},
		{"fetch --job-id 1001 -o files -v", "errs", 0, "files"},
		{"fetch --job-id 99 -o files -v", "errs", 3, ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			p := newSignalled(t, gitlabtest.Options{}, "artifetch", strings.Fields(tt.args)...)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			if tt.closed == "out" {
				p.Stdout = w
			} else {
				p.Stderr = w
			}
			_ = r.Close() // nothing reads it
			p.begin(t)
			_ = w.Close() // likewise
			p.ends(t, tt.code)
			if p.errs.Len() > 0 && !strings.Contains(p.errs.String(), "✓ ") {
				t.Errorf("it says %q", p.errs.String())
			}
			if left := strings.Join(p.left(t), " "); left != tt.left {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// ^C at a prompt ends the run immediately, and nothing happens.
func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"delete --job-id 1001", "delete --all", "job erase 1001", "job cancel 1401"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			p := newSignalled(t, gitlabtest.Options{}, "artifetch", strings.Fields(args)...)
			far, near := consoletest.Terminal(t, 0, 0)
			p.Stdin, p.Stdout, p.Stderr = near, near, near
			p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			p.begin(t)
			_ = near.Close() // the program has its own copy
			shown := consoletest.ReadUntil(t, far, "[y/N] ")
			if _, err := far.WriteString("\x03"); err != nil {
				t.Fatal(err)
			}
			p.ends(t, 130)
			shown += consoletest.ReadUntil(t, far, "changed")
			if !strings.Contains(shown, "\nartifetch: interrupted; nothing was changed") {
				t.Errorf("%q", shown)
			}
			for _, r := range p.server.Requests() {
				if r.Method != http.MethodGet {
					t.Errorf("%s %s", r.Method, r.Path)
				}
			}
		})
	}
}

// What can't be undone is asked about at a terminal, and nothing but yes is a yes.
func TestAnsweredQuestion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, question, answer string
		code                   int
		changed                string
	}{
		{"delete --job-id 1001", "Delete the artifacts of job 1001 of project 1?", "no\n", 2, ""},
		{"delete --job-id 1001", "Delete the artifacts of job 1001 of project 1?", "\n", 2, ""},
		{"delete --job-id 1001", "Delete the artifacts of job 1001 of project 1?", "\x04", 2, ""}, // the end of the input
		{"delete --job-id 1001", "Delete the artifacts of job 1001 of project 1?", "yes\n", 0, "DELETE /api/v4/projects/1/jobs/1001/artifacts"},
		{"delete --all", "ALL jobs of project 1", " Y \n", 0, "DELETE /api/v4/projects/1/artifacts"},
		{"job erase 1002", "Delete the archive, the reports and the log of job 1002", "nay\n", 2, ""},
		{"job cancel 1401", "Cancel job 1401 of project 1?", "n\n", 2, ""},
	} {
		t.Run(tt.args+tt.answer, func(t *testing.T) {
			t.Parallel()
			p := newSignalled(t, gitlabtest.Options{}, "artifetch", strings.Fields(tt.args)...)
			far, near := consoletest.Terminal(t, 0, 0)
			p.Stdin, p.Stdout, p.Stderr = near, near, near
			p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			p.begin(t)
			_ = near.Close() // the program has its own copy
			if shown := consoletest.ReadUntil(t, far, "[y/N] "); !strings.Contains(shown, tt.question) {
				t.Errorf("it asks %q", shown)
			}
			if _, err := far.WriteString(tt.answer); err != nil {
				t.Fatal(err)
			}
			if tt.code != 0 {
				consoletest.ReadUntil(t, far, "artifetch: not confirmed: nothing was changed")
			}
			p.ends(t, tt.code)
			changed := ""
			for _, r := range p.server.Requests() {
				if r.Method != http.MethodGet {
					changed += r.Method + " " + r.Path
				}
			}
			if changed != tt.changed {
				t.Errorf("changed: %q", changed)
			}
		})
	}
}
