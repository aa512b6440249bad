package cli_test

import (
	"context"
	"io"
	"io/fs"
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

// A signal while a run says something either ends it, and it has done nothing and says so,
// or comes too late, and it has done everything.
func TestStoppedAt(t *testing.T) {
	t.Parallel()
	gitlab := gitlabtest.Start(gitlabtest.Fixture(), gitlabtest.Options{})
	t.Cleanup(gitlab.Close)
	token := cli.TokenFile(t, gitlabtest.PrivateToken)
	for _, tt := range []struct {
		at, args string // at is what it says then
		code     int
	}{
		{"kept app", "sync remove app -f DIR/artifetch.yml", 130},
		{"removed", "sync remove app -f DIR/artifetch.yml", 0},
		{"files", "sync add lib --job build --output lib -f DIR/artifetch.yml", 0},
		{"files", "fetch -R group/app --ref main --job build -o DIR/out --dotenv DIR/d.env", 0},
	} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "artifetch.yml"), turnHead+turnMine+turnTheirs)
		run := func(ctx context.Context, args string, errs io.Writer) int {
			line := append([]string{"artifetch", "--server-url", gitlab.URL, "--token-file", token}, strings.Fields(strings.ReplaceAll(args, "DIR", dir))...)
			cli.OneAtATime.Lock()
			defer cli.OneAtATime.Unlock()
			return cli.Run(ctx, line, cli.IO{In: strings.NewReader(""), Out: io.Discard, Err: errs})
		}
		if code := run(t.Context(), "sync -f DIR/artifetch.yml", io.Discard); code != 0 {
			t.Fatalf("code %d", code)
		}
		put(t, filepath.Join(dir, "app", "job.txt"), "mine")
		before := namesBelow(t, dir)
		ctx, stop := context.WithCancelCause(t.Context())
		errs := &stopper{at: tt.at, stop: func() { stop(cli.Signal{Signal: os.Interrupt}) }}
		code := run(ctx, tt.args, errs)
		said, unchanged := errs.said.String(), strings.Join(before, "\n") == strings.Join(namesBelow(t, dir), "\n")
		if says := strings.Contains(said, "\nartifetch: interrupted; nothing was changed\n"); code != tt.code || ctx.Err() == nil || unchanged != (code != 0) || says != unchanged {
			t.Errorf("%s: code %d, unchanged: %v: %s", tt.args, code, unchanged, said)
		}
		stop(nil)
	}
}

// namesBelow returns the paths of all files, and the manifest's text.
func namesBelow(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(paths, content(filepath.Join(dir, "artifetch.yml")), content(filepath.Join(dir, "artifetch.lock")))
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
