package terminal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gitlab.com/artifetch/artifetch/internal/console/consoletest"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// The picture in README is what the program shows today, in runs against the simulator:
//
//	make recording
func TestRecording(t *testing.T) {
	t.Parallel()
	picture := record(t).svg()
	file := filepath.Join(harness.Root, "docs/recording.svg")
	if *harness.Update {
		if err := os.WriteFile(file, []byte(picture), 0o644); err != nil { //nolint:gosec // to be read
			t.Fatal(err)
		}
		return
	}
	if harness.Read(t, "docs/recording.svg") != picture {
		fresh := filepath.Join(os.TempDir(), "artifetch-recording.svg")
		t.Errorf("docs/recording.svg is stale: make recording (written to %s: %v)", fresh, os.WriteFile(fresh, []byte(picture), 0o600))
	}
}

// The recorded terminal.
const (
	recordedColumns = 100
	recordedRows    = 18
)

// record plays three scenes: a fetch with its progress, a typo that is explained, and a
// job's log.
func record(t *testing.T) *movie {
	t.Helper()
	w := archives(18<<20, "build")
	job := w.Projects[0].Pipelines[0].Jobs[0]
	job.Files[0].Name = "dist/app"
	for _, name := range []string{"dist/lib.so", "dist/logs/build.log", "docs/guide.md"} {
		job.Files = append(job.Files, gitlabtest.File{Name: name, Content: strings.Repeat(name+"\n", 400)})
	}
	s := newStage(t, w, 0.313, 0.557, 0.804)
	m := &movie{screen: newScreen(recordedColumns)}

	m.typed("artifetch fetch -r main -j build -o dist")
	p := begin(t, s, m.screen, "fetch", "-r", "main", "-j", "build", "-o", "dist", "--concurrency", "1")
	m.shot(t, "| looking for the job", time.Second)
	s.found.open()
	for i, done := range []string{"5.6/18.0 MiB         0 B/s", "5.6/18.0 MiB     5.6 MiB/s", "10.0/18.0 MiB", "14.5/18.0 MiB"} {
		m.shot(t, done, time.Second)
		s.at(t, time.Duration(i+1)*time.Second)
		if i > 0 {
			s.parts[i-1].open()
		}
	}
	p.ends(t, 0)
	m.pause(3 * time.Second)

	m.note("# A typo")
	m.typed("artifetch explain -r main -j biuld")
	begin(t, s, m.screen, "explain", "-r", "main", "-j", "biuld").ends(t, 3)
	m.pause(5 * time.Second)

	m.note("# In the log of a job, the section is folded, and the result is below it")
	m.typed("artifetch fetch --ref main --job build")
	m.screen.write([]byte(jobLog(t, s)))
	m.pause(8 * time.Second)
	return m
}

// running is a program on a pseudo terminal.
type running struct {
	cmd  *exec.Cmd
	read chan error // what the end of the terminal was
}

// begin starts the program on a pseudo terminal, which is shown on a screen.
func begin(t *testing.T, s *stage, on *screen, args ...string) running {
	t.Helper()
	far, near := consoletest.Terminal(t, recordedRows, recordedColumns)
	cmd := exec.CommandContext(t.Context(), "artifetch", args...)
	cmd.Dir, cmd.Env = s.dir, s.env()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = near, near, near
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = near.Close() // the program has its own
	r := running{cmd, make(chan error, 1)}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := far.Read(b)
			on.write(b[:n])
			if err != nil && !errors.Is(err, syscall.EINTR) {
				r.read <- err
				return
			}
		}
	}()
	return r
}

// ends waits for the end of the program, and until all of it is shown.
func (r running) ends(t *testing.T, code int) {
	t.Helper()
	if err := <-r.read; !errors.Is(err, syscall.EIO) { // nothing has it open any more
		t.Errorf("the terminal: %v", err)
	}
	_ = r.cmd.Wait() // its code says all
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%q: code %d", r.cmd.Args, got)
	}
}

// jobLog is what GitLab shows of the log of a job that fetches, with the section folded.
func jobLog(t *testing.T, s *stage) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "artifetch", "fetch", "--ref", "main", "--job", "build")
	cmd.Dir = s.dir
	cmd.Env = append(s.env(), "GITLAB_TOKEN=", "ARTIFETCH_PROJECT=", "GITLAB_CI=true", "CI_API_V4_URL="+s.fronts[0].URL+"/api/v4", "CI_SERVER_URL="+s.fronts[0].URL,
		"CI_PROJECT_ID=1", "CI_PROJECT_PATH=group/app", "CI_PROJECT_DIR="+s.dir, "CI_JOB_TOKEN="+gitlabtest.JobToken)
	log, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	folded := section.ReplaceAllString(string(log), "\x1b[36m▸\x1b[0m $1\n")
	return strings.ReplaceAll(strings.ReplaceAll(folded, s.dir, "/builds/group/app"), "\n", "\r\n")
}

var section = regexp.MustCompile(`(?s)\x1b\[0Ksection_start:\d+:[^\r]*\r\x1b\[0K([^\n]*)\n.*?section_end:[^\r]*\r\x1b\[0K\n`)

// movie is a screen at several times.
type movie struct {
	screen *screen
	shots  []shot
}

type shot struct {
	lines []line
	stays time.Duration
}

// typed shows a command line.
func (m *movie) typed(text string) {
	m.screen.write([]byte("\x1b[32m$\x1b[0m \x1b[1m" + text + "\x1b[0m\r\n"))
	m.pause(time.Second)
}

// note shows a comment.
func (m *movie) note(text string) { m.screen.write([]byte("\r\n\x1b[2m" + text + "\x1b[0m\r\n")) }

// pause takes what is shown.
func (m *movie) pause(stays time.Duration) {
	m.shots = append(m.shots, shot{m.screen.lines(), stays})
}

// shot waits until something is shown, and takes it.
func (m *movie) shot(t *testing.T, text string, stays time.Duration) {
	t.Helper()
	for until := time.Now().Add(patience); !strings.Contains(m.screen.text(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("no %q on the screen:\n%s", text, m.screen.text())
		}
	}
	m.pause(stays)
}

// What the picture looks like, in pixels.
const (
	rowHeight = 19
	margin    = 16
	width     = recordedColumns*17/2 + 2*margin
	height    = recordedRows*rowHeight + 2*margin
)

const svgHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">
<!-- made by make recording -->
<style>
text{white-space:pre;fill:#d6deeb}
@media (prefers-reduced-motion:reduce){g{animation:none!important}}
.b{font-weight:bold}.d{fill:#8a94a6}.r{fill:#ef6b73}.g{fill:#7fd88f}.y{fill:#e5c07b}.c{fill:#6cb6ff}
`

// svg draws the shots one after the other; without animations, the last one.
func (m *movie) svg() string {
	var total, at time.Duration
	for _, s := range m.shots {
		total += s.stays
	}
	var b strings.Builder
	fmt.Fprintf(&b, svgHead, width, height)
	for i, s := range m.shots {
		fmt.Fprintf(&b, "@keyframes k%[1]d{0%%{visibility:hidden}%[2]s{visibility:visible}%[3]s{visibility:hidden}100%%{visibility:hidden}}\n#s%[1]d{animation:k%[1]d %[4]gs step-end infinite}\n",
			i, percent(at, total), percent(at+s.stays, total), total.Seconds())
		at += s.stays
	}
	fmt.Fprintf(&b, "</style>\n<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#14181f\"/>\n", width, height)
	for i, s := range m.shots {
		hidden := " visibility=\"hidden\""
		if i == len(m.shots)-1 {
			hidden = ""
		}
		fmt.Fprintf(&b, "<g id=\"s%d\"%s>\n", i, hidden)
		for n, line := range s.lines {
			if text := line.svg(); text != "" {
				fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s</text>\n", margin, margin+rowHeight*n+14, text)
			}
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func percent(at, total time.Duration) string {
	return strconv.FormatFloat(100*at.Seconds()/total.Seconds(), 'f', 2, 64) + "%"
}
