package terminal

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// tmux is a terminal whose screen can be read. Each has a server of its own.
type tmux struct{ socket string }

// newTmux runs a command on a screen. The screen stays when it has ended.
func newTmux(t *testing.T, s *stage, columns int, args ...string) tmux {
	t.Helper()
	term := tmux{filepath.Join(t.TempDir(), "tmux")}
	config := filepath.Join(t.TempDir(), "conf")
	const settings = "set -g status off\nset -g remain-on-exit on\nset -g remain-on-exit-format ''\nset -g default-shell /bin/sh\n"
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "tmux", append([]string{
		"-f", config, "-S", term.socket, "new-session", "-d", "-x", strconv.Itoa(columns), "-y", "12", "-c", s.dir, "env", "-i",
	}, append(s.env(), args...)...)...)
	cmd.Env = append(os.Environ(), "TMUX=", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("tmux", "-S", term.socket, "kill-server").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return term
}

// tell runs a command of tmux.
func (x tmux) tell(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "tmux", append([]string{"-S", x.socket}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// screen is what is shown, without the empty rest. Times that the machine decides on are
// replaced.
func (x tmux) screen(t *testing.T) string {
	t.Helper()
	lines := strings.Split(strings.TrimRight(x.tell(t, "capture-pane", "-p", "-J"), "\n"), "\n")
	for i, line := range lines {
		for _, m := range machines {
			line = m.pattern.ReplaceAllString(line, m.instead)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// patience is for a machine with much else to do: only a failure takes that long.
const patience = time.Minute

// shows waits until the screen is that of a file, or writes the file.
func (x tmux) shows(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *harness.Update {
		settled := x.screen(t)
		for same := 0; same < 10; same++ {
			time.Sleep(100 * time.Millisecond)
			if now := x.screen(t); now != settled {
				settled, same = now, 0
			}
		}
		if err := os.WriteFile(file, []byte(settled+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimRight(string(content), "\n")
	var got string
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(60 * time.Millisecond) {
		if got = x.screen(t); got == want {
			return
		}
	}
	t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
}

// archives is a project with jobs whose archives are that many bytes long.
func archives(bytes int, jobs ...string) *gitlabtest.World {
	p := &gitlabtest.Pipeline{ID: 110, Ref: "main", SHA: strings.Repeat("b", 40), Status: "success"}
	for i, name := range jobs {
		files := []gitlabtest.File{{Name: name + ".bin", Content: strings.Repeat("artifact", bytes/8), Store: true}}
		p.Jobs = append(p.Jobs, &gitlabtest.Job{ID: int64(1101 + i), Name: name, Stage: "build", Files: files})
	}
	w := gitlabtest.Fixture()
	w.Projects = []*gitlabtest.Project{{ID: 1, Path: "group/app", Visibility: gitlabtest.Private, DefaultBranch: "main", Pipelines: []*gitlabtest.Pipeline{p}}}
	return w
}

// What a fetch shows while it looks for the job, while bytes come, while none come, and
// at its end, on a narrow, a usual and a wide terminal.
func TestScreens(t *testing.T) {
	t.Parallel()
	need.Tools(t, "tmux")
	for _, columns := range []int{40, 80, 200} {
		t.Run(strconv.Itoa(columns), func(t *testing.T) {
			t.Parallel()
			name := func(step string) string { return strconv.Itoa(columns) + "-" + step }
			s := newStage(t, archives(18<<20, "build"), 0.4)
			x := newTmux(t, s, columns, "artifetch", "fetch", "-r", "main", "-j", "build", "-o", "dist", "--concurrency", "1")
			x.shows(t, name("1-looking"))
			s.found.open()
			x.shows(t, name("2-first-bytes"))
			s.at(t, 2*time.Second)
			x.shows(t, name("3-rate"))
			s.at(t, 7*time.Second)
			x.shows(t, name("4-stalled"))
			s.parts[0].open()
			x.shows(t, name("5-done"))
		})
	}
}

// Progress fits a terminal that becomes narrower or wider meanwhile, and leaves nothing
// behind.
func TestResizedScreen(t *testing.T) {
	t.Parallel()
	need.Tools(t, "tmux")
	s := newStage(t, archives(10<<20, "build", "test: [linux, amd64]"), 0.4)
	x := newTmux(t, s, 80, "artifetch", "fetch", "-r", "main", "-j", "build", "-j", "test*", "-o", "dist/{job_slug}", "--concurrency", "1")
	s.found.open()
	x.shows(t, "resized-1-80-first")
	s.second.open()
	x.shows(t, "resized-1-80-second")
	s.at(t, 2*time.Second)
	x.shows(t, "resized-2-80-rate")
	x.tell(t, "resize-window", "-x", "40")
	x.shows(t, "resized-3-40")
	x.tell(t, "resize-window", "-x", "120")
	x.shows(t, "resized-4-120")
	s.parts[0].open()
	x.shows(t, "resized-5-done")
}

// sync has a line for each source under way, by its name in the manifest, and one at the
// end for each that has come.
func TestSyncScreen(t *testing.T) {
	t.Parallel()
	need.Tools(t, "tmux")
	s := newStage(t, archives(10<<20, "build", "test: [linux, amd64]"), 0.4)
	const manifest = "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n  - {name: app, job: build, output: app}\n  - {name: lib, job: 'test: [linux, amd64]', output: lib}\n"
	if err := os.WriteFile(filepath.Join(s.dir, "artifetch.yml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newTmux(t, s, 80, "artifetch", "sync", "--concurrency", "1")
	x.shows(t, "sync-1-looking")
	s.found.open()
	x.shows(t, "sync-2-first")
	s.second.open()
	x.shows(t, "sync-3-both")
	s.parts[0].open()
	x.shows(t, "sync-4-done")
}
