package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/cli"
	"gitlab.com/artifetch/artifetch/internal/filelock"
	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

const (
	turnHead   = "version: 1\ndefaults: {project: group/app, ref: main}\nsources:\n"
	turnMine   = "  - {name: app, job: build, output: app}\n"
	turnTheirs = "  - {name: other, job: build, output: other}\n"
)

// Runs that change a manifest or what is locked take turns: one that waits says so, and
// reads what the other one has written.
func TestSyncsTakeTurns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, before, then string
		code               int
		want               []string // in the manifest or the lock file
	}{
		{"sync", turnHead + turnMine, turnHead + turnMine + turnTheirs, 0, []string{`"name": "app"`, `"name": "other"`}},
		{"sync add lib --job build --output lib", turnHead + turnMine, turnHead + turnMine + turnTheirs, 0, []string{"name: app", "name: other", "name: lib", `"name": "lib"`}},
		{"sync remove app", turnHead + turnMine, turnHead + turnMine + turnTheirs, 0, []string{"name: other"}},
		{"sync init -R group/app", "", turnHead + turnTheirs, 9, []string{"name: other"}},
	} {
		file := filepath.Join(t.TempDir(), "artifetch.yml")
		code, said := syncInTurn(t, file, tt.args, tt.before, func(release func()) {
			put(t, file, tt.then)
			release() // as the system does it if the holder is killed
		})
		if code != tt.code || !strings.Contains(said, "waiting for it to end") {
			t.Errorf("%s: code %d: %s", tt.args, code, said)
		}
		for _, want := range tt.want {
			if now := content(file) + content(strings.TrimSuffix(file, "yml")+"lock"); !strings.Contains(now, want) {
				t.Errorf("%s: no %s in %s", tt.args, want, now)
			}
		}
	}
}

// A signal ends the wait, and nothing has changed. A run that only looks doesn't wait.
func TestSyncTurnEnds(t *testing.T) {
	t.Parallel()
	before := turnHead + turnMine
	for args, want := range map[string]int{"sync": 130, "sync add lib --job build --output lib": 130, "sync remove app": 130, "sync --dry-run": 0, "sync --check": 7} {
		file := filepath.Join(t.TempDir(), "artifetch.yml")
		ctx, stop := context.WithCancelCause(t.Context())
		code, said := syncInTurnOf(ctx, t, file, args, before, func(func()) { stop(cli.Signal{Signal: os.Interrupt}) })
		stop(nil)
		if code != want || content(file) != before || content(strings.TrimSuffix(file, "yml")+"lock") != "" {
			t.Errorf("%s: code %d: %s", args, code, said)
		}
	}
}

func syncInTurn(t *testing.T, file, args, before string, waiting func(release func())) (code int, said string) {
	t.Helper()
	return syncInTurnOf(t.Context(), t, file, args, before, waiting)
}

// syncInTurnOf runs a command while another run has its turn, and calls waiting when it says
// that it waits.
func syncInTurnOf(ctx context.Context, t *testing.T, file, args, before string, waiting func(release func())) (code int, said string) {
	t.Helper()
	gitlab := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	defer gitlab.Close()
	token := cli.TokenFile(t, gitlabtest.PrivateToken)
	if before != "" {
		put(t, file, before)
	}
	held, err := filelock.Take(filepath.Join(filepath.Dir(file), ".artifetch-synclocksynclock"), os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	told := false
	errs := &stopper{at: "waiting for it to end", stop: func() {
		if !told {
			told = true
			waiting(held.Release)
		}
	}}
	cli.OneAtATime.Lock()
	defer cli.OneAtATime.Unlock()
	line := append([]string{"artifetch", "--server-url", gitlab.URL, "--token-file", token}, strings.Fields(args+" -f "+file)...)
	code = cli.Run(ctx, line, cli.IO{In: strings.NewReader(""), Out: io.Discard, Err: errs})
	return code, errs.said.String()
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// content returns a file's content, or "" if there is none.
func content(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}
