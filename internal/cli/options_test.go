package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"gitlab.com/artifetch/artifetch/env"
	"gitlab.com/artifetch/artifetch/extract"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/arrange"
	"gitlab.com/artifetch/artifetch/internal/cli/internal/failure"
	"gitlab.com/artifetch/artifetch/internal/console"
	"gitlab.com/artifetch/artifetch/internal/retrieve"
)

// options reads a command line as its command does.
func options[O any](t *testing.T, of func(*console.Console) *cli.Command, read func(*cli.Context) (O, error), line string) (o O, err error) {
	t.Helper()
	command := of(console.New(nil, io.Discard, io.Discard))
	command.Before = nil
	command.Action = func(c *cli.Context) error {
		o, err = read(c)
		return nil
	}
	app := &cli.App{Flags: globalFlags(), Commands: []*cli.Command{command}, Writer: io.Discard, ErrWriter: io.Discard, DisableSliceFlagSeparator: true}
	OneAtATime.Lock()
	defer OneAtATime.Unlock()
	args, argsErr := arrange.Args(app, append([]string{"artifetch", command.Name}, strings.Fields(line)...))
	if runErr := app.Run(args); errors.Join(argsErr, runErr) != nil {
		t.Fatalf("%s: %v, %v", line, argsErr, runErr)
	}
	return o, err
}

// Spaces are part of a value, whether its flag can be repeated or not.
func TestSpacesAreKept(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"include", "exclude", "output"} {
		app := newApp(console.New(nil, io.Discard, io.Discard))
		var got []string
		command := app.Command("extract")
		command.Action = func(c *cli.Context) error {
			if got = c.StringSlice(name); got == nil {
				got = []string{c.String(name)}
			}
			return nil
		}
		OneAtATime.Lock()
		err := app.Run([]string{"artifetch", "extract", "--" + name, " a ", "a.zip"})
		OneAtATime.Unlock()
		if err != nil || !slices.Equal(got, []string{" a "}) {
			t.Errorf("--%s: %q, %v", name, got, err)
		}
	}
}

func TestFetchOptions(t *testing.T) {
	sum := strings.Repeat("0aF", 21) + "1"
	for _, tt := range []struct {
		line string
		get  func(fetchOptions) any
		want any
	}{
		{"-i a -- b c", func(o fetchOptions) any { return o.extract.take.Include }, "[a b c]"},
		{"-x a,b -x c", func(o fetchOptions) any { return o.extract.take.Exclude }, "[a,b c]"},
		{"--strip-components 2", func(o fetchOptions) any { return o.extract.take.StripComponents }, 2},
		{"--flat", func(o fetchOptions) any { return o.extract.take.Flat }, true},
		{"--unpack 3", func(o fetchOptions) any { return o.extract.take.Unpack }, 3},
		{"--max-bytes 1 --max-files 2 --max-ratio 3", func(o fetchOptions) any { return o.extract.take.Limits }, extract.Limits{MaxBytes: 1, MaxFiles: 2, MaxRatio: 3}},
		{"--allow-git", func(o fetchOptions) any { return o.extract.take.AllowGit }, true},
		{"", func(o fetchOptions) any { return o.extract.stage.OnConflict }, extract.Overwrite},
		{"--on-conflict skip", func(o fetchOptions) any { return o.extract.stage.OnConflict }, extract.SkipExisting},
		{"--on-conflict fail", func(o fetchOptions) any { return o.extract.stage.OnConflict }, extract.FailIfExists},
		{"", func(o fetchOptions) any { return o.extract.stage.Symlinks }, extract.SafeLinks},
		{"--symlinks skip", func(o fetchOptions) any { return o.extract.stage.Symlinks }, extract.SkipLinks},
		{"--symlinks all", func(o fetchOptions) any { return o.extract.stage.Symlinks }, extract.AllLinks},
		{"--umask 027", func(o fetchOptions) any { return o.extract.stage.Umask }, "-----w-rwx"},
		{"--sha256 " + sum, func(o fetchOptions) any { return o.extract.checks }, retrieve.Checks{SHA256: strings.ToLower(sum)}},
		{"--verify-provenance", func(o fetchOptions) any { return o.extract.checks }, retrieve.Checks{Provenance: true}},
		{"--cache-dir d --cache-max-size 9", func(o fetchOptions) any { return o.transfer.cache }, retrieve.Cache{Dir: "d", Max: 9}},
		{"--concurrency 1", func(o fetchOptions) any { return o.transfer.connections }, 1},
		{"", func(o fetchOptions) any { return o.transfer.connections }, retrieve.Connections(0)},
		{"", func(o fetchOptions) any { return o.missing }, "fail"},
		{"--if-missing warn", func(o fetchOptions) any { return o.missing }, "warn"},
		{"--wait 2m", func(o fetchOptions) any { return o.query.wait }, 2 * time.Minute},
		{"--format json", func(o fetchOptions) any { return o.asJSON }, true},
		{"--no-progress --no-sections", func(o fetchOptions) any { return o.log }, logOptions{true, true}},
		{"--retries 0 -q", func(o fetchOptions) any { return fmt.Sprint(o.global.retries, o.global.quiet) }, "-1 true"},
		{"-o out/{job}", func(o fetchOptions) any { return o.extract.dir(env.Config{Dir: "ci"}) }, "out/{job}"},
		{"", func(o fetchOptions) any { return o.extract.dir(env.Config{Dir: "ci"}) }, "ci"},
		{"", func(o fetchOptions) any { return o.extract.dir(env.Config{}) }, "."},
	} {
		o, err := options(t, fetchCommand, readFetch, tt.line)
		if got := tt.get(o); err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%q: %v, want %v: %v", tt.line, got, tt.want, err)
		}
	}
}

// Invalid values of a flag are usage errors that name the flag.
func TestMistakenOptions(t *testing.T) {
	for _, tt := range []struct{ line, names string }{
		{"--sha256 abc", "--sha256"}, {"--sha256 " + strings.Repeat("g", 64), "--sha256"}, {"--umask 8", "--umask"}, {"--umask 1000", "--umask"}, {"--umask -1", "--umask"},
		{"--on-conflict Skip", "--on-conflict"}, {"--symlinks unsafe", "--symlinks"}, {"--if-missing no", "--if-missing"}, {"--format yaml", "--format"},
		{"--dotenv-prefix CI_", "--dotenv-prefix"}, {"-i [", "["}, {"-x {", "{"},
	} {
		if _, err := options(t, fetchCommand, readFetch, tt.line); failure.Of(err) != failure.CodeUsage || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%q: %v", tt.line, err)
		}
	}
	read := map[string]func(string) error{
		"cat":     func(l string) error { _, err := options(t, catCommand, readCat, l); return err },
		"ls":      func(l string) error { _, err := options(t, lsCommand, readLs, l); return err },
		"resolve": func(l string) error { _, err := options(t, resolveCommand, readResolve, l); return err },
		"explain": func(l string) error { _, err := options(t, explainCommand, readExplain, l); return err },
		"extract": func(l string) error { _, err := options(t, extractCommand, readExtract, l); return err },
		"keep":    func(l string) error { _, err := options(t, keepCommand, readKeep, l); return err },
		"delete":  func(l string) error { _, err := options(t, deleteCommand, readDelete, l); return err },
		"sync":    func(l string) error { _, err := options(t, syncCommand, readSync, l); return err },
		"verify":  func(l string) error { _, err := options(t, verifyCommand, readVerify, l); return err },
	}
	for _, tt := range []struct {
		command, line string
		ok            bool
	}{
		{"cat", "a", true}, {"cat", "", false}, {"cat", "a b", false},
		{"ls", "a b", true}, {"ls", "[", false}, {"ls", "--format x", false},
		{"resolve", "", true}, {"resolve", "a", false}, {"resolve", "--if-missing x", false}, {"resolve", "--format x", false},
		{"explain", "", true}, {"explain", "--format x", false},
		{"extract", "-", true}, {"extract", "", false}, {"extract", "a.zip [", false}, {"extract", "a.zip --umask x", false},
		{"keep", "", true}, {"keep", "1001", false}, {"keep", "--format x", false},
		{"delete", "--all -R 1", true}, {"delete", "1001", false}, {"delete", "--all --ref main", false}, {"delete", "--all --job-id 1", false}, {"delete", "--ref main", true},
		{"sync", "", true}, {"sync", "--update a b", true}, {"sync", "a", false}, {"sync", "--locked --update", false}, {"sync", "--locked --check", false},
		{"sync", "--locked=false --update", true}, {"sync", "--offline --update", false}, {"sync", "--offline --check", false}, {"sync", "--offline --locked", true},
		{"verify", "", true}, {"verify", "--format x", false}, {"verify", "lib", false},
	} {
		if err := read[tt.command](tt.line); (err == nil) != tt.ok || err != nil && failure.Of(err) != failure.CodeUsage {
			t.Errorf("%s %s: %v", tt.command, tt.line, err)
		}
	}
}

// If CI is set and there is a lock file, sync only fetches locked jobs, unless flags say
// otherwise.
func TestLockedInCI(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "artifetch.yml")
	if err := os.WriteFile(file, []byte("version: 1\nsources: [{name: a, project: g/p, ref: main, job: j}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, lock := range []bool{false, true} {
		if lock {
			if err := os.WriteFile(filepath.Join(dir, "artifetch.lock"), []byte(`{"version": 1, "sources": []}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct {
			line string
			ci   bool
			want bool
		}{
			{"", true, lock}, {"", false, false}, {"--locked", false, true}, {"--locked=false", true, false}, {"--update", true, false}, {"--update a", true, false}, {"--check", true, false}, {"--offline", true, lock},
		} {
			o, err := options(t, syncCommand, readSync, "-f "+file+" "+tt.line)
			if err != nil {
				t.Fatal(err)
			}
			s := &session{cfg: env.Config{AnyCI: tt.ci}, opener: &retrieve.Opener{}}
			w, err := o.open(t.Context())
			if syncer := o.syncer(s, w); err != nil || syncer.Locked != tt.want {
				t.Errorf("%q, in CI: %v, a lock file: %v: %v, %v", tt.line, tt.ci, lock, syncer, err)
			}
		}
	}
}

// --if-missing accepts missing jobs and archives, and nothing else.
func TestMissingPolicy(t *testing.T) {
	t.Parallel()
	errOther := errors.New("other")
	for _, tt := range []struct {
		policy  missingPolicy
		err     error
		allowed bool
	}{
		{"fail", missing(), false}, {"warn", missing(), true}, {"ignore", missing(), true},
		{"fail", errOther, false}, {"warn", errOther, false}, {"ignore", errOther, false}, {"warn", nil, true},
	} {
		if err := tt.policy.allow(&session{}, tt.err, "nothing"); (err == nil) != tt.allowed || err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s, %v: %v", tt.policy, tt.err, err)
		}
	}
}
